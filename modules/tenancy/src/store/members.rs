//! Members, each with its role's name.

use chrono::{DateTime, Utc};
use kernel::{AccountId, ListRequest, Problem, Tx};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, SqlErr};

use crate::error::Error;
use crate::model::{Member, MemberId, RoleId, RoleRef};

const COLUMNS: &str = "m.id AS id, m.account_id AS account_id, m.email AS email, m.display_name AS display_name, \
     m.role_id AS role_id, r.name AS role_name, m.created_at AS created_at, m.version AS version";
const FIND: &str = "FROM tenancy_member m JOIN tenancy_role r ON r.tenant_id = m.tenant_id AND r.id = m.role_id \
     WHERE m.tenant_id = $1 AND m.id = $2";
const FIND_ACCOUNT: &str = "FROM tenancy_member m \
     JOIN tenancy_role r ON r.tenant_id = m.tenant_id AND r.id = m.role_id \
     WHERE m.tenant_id = $1 AND m.account_id = $2";
const INSERT: &str = "INSERT INTO tenancy_member \
     (tenant_id, id, account_id, email, display_name, role_id, created_at, updated_at, version) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $7, 1)";
const UPDATE: &str = "UPDATE tenancy_member SET email = $3, display_name = $4, role_id = $5, updated_at = $6, \
     version = version + 1 WHERE tenant_id = $1 AND id = $2";
const DELETE: &str = "DELETE FROM tenancy_member WHERE tenant_id = $1 AND id = $2";
const HOLDERS: &str = "SELECT account_id FROM tenancy_member WHERE tenant_id = $1 AND role_id = $2 ORDER BY id";
const WITH_EMAIL: &str = "SELECT account_id FROM tenancy_member WHERE tenant_id = $1 AND email = $2 LIMIT 1";

#[derive(FromQueryResult)]
struct Row {
    id: MemberId,
    account_id: AccountId,
    email: String,
    display_name: String,
    role_id: RoleId,
    role_name: String,
    created_at: DateTime<Utc>,
    version: i64,
}

#[derive(FromQueryResult)]
struct Holder {
    account_id: AccountId,
}

impl From<Row> for Member {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            account_id: row.account_id,
            email: row.email,
            display_name: row.display_name,
            role: RoleRef { id: row.role_id, name: row.role_name },
            created_at: row.created_at,
            version: row.version,
        }
    }
}

/// One member.
pub(crate) async fn find(tx: &Tx, id: MemberId) -> Result<Option<Member>, Problem> {
    let row: Option<Row> = tx.one(&format!("SELECT {COLUMNS} {FIND}"), [tx.tenant().into(), id.into()]).await?;
    Ok(row.map(Member::from))
}

/// The member that this account is.
pub(crate) async fn find_account(tx: &Tx, account: AccountId) -> Result<Option<Member>, Problem> {
    let sql = format!("SELECT {COLUMNS} {FIND_ACCOUNT}");
    let row: Option<Row> = tx.one(&sql, [tx.tenant().into(), account.into()]).await?;
    Ok(row.map(Member::from))
}

/// A page of members.
pub(crate) async fn list(tx: &Tx, request: &ListRequest) -> Result<Vec<Member>, Problem> {
    let role = Expr::cust("r.tenant_id = m.tenant_id AND r.id = m.role_id");
    let mut select = Query::select();
    select
        .expr(Expr::cust(COLUMNS))
        .from_as(Alias::new("tenancy_member"), Alias::new("m"))
        .join_as(sea_orm::JoinType::InnerJoin, Alias::new("tenancy_role"), Alias::new("r"), role)
        .and_where(Expr::cust("m.tenant_id").eq(tx.tenant().uuid()));
    request.apply(&mut select)?;
    let rows = tx.conn().query_all(&select).await?;
    let members = rows.iter().map(|row| Ok(Row::from_query_result(row, "")?.into()));
    members.collect()
}

/// Adds a member.
pub(crate) async fn insert(tx: &Tx, member: &Member) -> Result<(), Error> {
    let values = [
        tx.tenant().into(),
        member.id.into(),
        member.account_id.into(),
        member.email.clone().into(),
        member.display_name.clone().into(),
        member.role.id.into(),
        member.created_at.into(),
    ];
    tx.execute(INSERT, values).await.map(|_| ()).map_err(refused)
}

/// Writes what can change of a member, and its new version into it.
pub(crate) async fn update(tx: &Tx, member: &mut Member) -> Result<(), Error> {
    let values = [
        tx.tenant().into(),
        member.id.into(),
        member.email.clone().into(),
        member.display_name.clone().into(),
        member.role.id.into(),
        tx.now().into(),
    ];
    tx.execute(UPDATE, values).await.map_err(refused)?;
    member.version += 1;
    Ok(())
}

/// Removes a member.
pub(crate) async fn delete(tx: &Tx, id: MemberId) -> Result<(), Problem> {
    tx.execute(DELETE, [tx.tenant().into(), id.into()]).await?;
    Ok(())
}

/// The accounts that hold a role.
pub(crate) async fn holders(tx: &Tx, role: RoleId) -> Result<Vec<AccountId>, Problem> {
    let rows: Vec<Holder> = tx.all(HOLDERS, [tx.tenant().into(), role.into()]).await?;
    Ok(rows.into_iter().map(|row| row.account_id).collect())
}

/// Whether a member has this address.
pub(crate) async fn has_email(tx: &Tx, email: &str) -> Result<bool, Problem> {
    let found: Option<Holder> = tx.one(WITH_EMAIL, [tx.tenant().into(), email.into()]).await?;
    Ok(found.is_some())
}

fn refused(error: DbErr) -> Error {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => Error::AccountIsMember,
        Some(SqlErr::ForeignKeyConstraintViolation(_)) => Error::RoleUnknown,
        _ => Problem::from(error).into(),
    }
}
