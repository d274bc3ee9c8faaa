//! The table `identity_account`.

use chrono::{DateTime, Utc};
use kernel::{AccountId, ListRequest, Problem, TenantId, Tx};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, SqlErr};

use crate::email::Email;
use crate::error::Error;
use crate::model::Account;

const COLUMNS: &str = "id, email_shown, display_name, disabled, created_at, updated_at, version";
const BY_EMAIL: &str = "SELECT id, email_shown, display_name, disabled, created_at, updated_at, version, password_hash \
     FROM identity_account WHERE tenant_id = $1 AND email = $2";
const BY_ID: &str = "SELECT id, email_shown, display_name, disabled, created_at, updated_at, version, password_hash \
     FROM identity_account WHERE tenant_id = $1 AND id = $2";
const INSERT: &str = "INSERT INTO identity_account \
     (id, tenant_id, email, email_shown, display_name, disabled, password_hash, created_at, updated_at, version) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, 1)";
const UPDATE: &str = "UPDATE identity_account SET display_name = $3, disabled = $4, updated_at = $5, version = $6 \
     WHERE tenant_id = $1 AND id = $2";
const SET_PASSWORD: &str = "UPDATE identity_account SET password_hash = $3, updated_at = $5, version = version + 1 \
     WHERE tenant_id = $1 AND id = $2 AND password_hash = $4";
const REHASH: &str = "UPDATE identity_account SET password_hash = $3 \
     WHERE tenant_id = $1 AND id = $2 AND password_hash = $4";
const DELETE: &str = "DELETE FROM identity_account WHERE tenant_id = $1 AND id = $2";
const PURGE: &str = "DELETE FROM identity_account WHERE tenant_id = $1";
const ANY: &str = "SELECT id FROM identity_account WHERE tenant_id = $1 LIMIT 1";
const ENABLED: &str = "SELECT id FROM identity_account WHERE tenant_id = $1 AND disabled = $2 AND id = $3";

#[derive(FromQueryResult)]
struct Row {
    id: AccountId,
    email_shown: String,
    display_name: String,
    disabled: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i64,
}

#[derive(FromQueryResult)]
struct HashedRow {
    #[sea_orm(nested)]
    account: Row,
    password_hash: String,
}

#[derive(FromQueryResult)]
struct IdRow {
    #[expect(dead_code, reason = "only whether there is one matters")]
    id: AccountId,
}

impl From<Row> for Account {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            email: row.email_shown,
            display_name: row.display_name,
            disabled: row.disabled,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

/// An account with the hash of its password.
#[derive(Clone)]
pub(crate) struct Hashed {
    pub(crate) account: Account,
    pub(crate) password_hash: String,
}

impl From<HashedRow> for Hashed {
    fn from(row: HashedRow) -> Self {
        Self { account: row.account.into(), password_hash: row.password_hash }
    }
}

pub(crate) async fn by_email(tx: &Tx, email: &str) -> Result<Option<Hashed>, Problem> {
    let row: Option<HashedRow> = tx.one(BY_EMAIL, [tx.tenant().into(), email.into()]).await?;
    Ok(row.map(Hashed::from))
}

pub(crate) async fn by_id(tx: &Tx, id: AccountId) -> Result<Option<Hashed>, Problem> {
    let row: Option<HashedRow> = tx.one(BY_ID, [tx.tenant().into(), id.into()]).await?;
    Ok(row.map(Hashed::from))
}

/// The account, which nobody else changes until the commit.
pub(crate) async fn held(tx: &Tx, id: AccountId) -> Result<Option<Hashed>, Problem> {
    let sql = format!("{BY_ID}{}", tx.engine().for_update());
    let row: Option<HashedRow> = tx.one(&sql, [tx.tenant().into(), id.into()]).await?;
    Ok(row.map(Hashed::from))
}

pub(crate) async fn find(tx: &Tx, id: AccountId) -> Result<Option<Account>, Problem> {
    Ok(by_id(tx, id).await?.map(|hashed| hashed.account))
}

/// Makes an account.
///
/// # Errors
/// [`Error::AccountExists`].
pub(crate) async fn insert(
    tx: &Tx,
    email: &Email,
    display_name: String,
    password_hash: &str,
) -> Result<Account, Error> {
    let now = tx.now();
    let account = Account {
        id: tx.new_id(),
        email: email.shown().to_owned(),
        display_name,
        disabled: false,
        created_at: now,
        updated_at: now,
        version: 1,
    };
    let values = [
        account.id.into(),
        tx.tenant().into(),
        email.key().into(),
        account.email.as_str().into(),
        account.display_name.as_str().into(),
        false.into(),
        password_hash.into(),
        now.into(),
    ];
    tx.execute(INSERT, values).await.map_err(|error| taken(&error))?;
    Ok(account)
}

fn taken(error: &DbErr) -> Error {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => Error::AccountExists,
        _ => Problem::internal(error).into(),
    }
}

/// Writes what changed of an account that is held.
pub(crate) async fn update(tx: &Tx, account: &mut Account) -> Result<(), Problem> {
    account.updated_at = tx.now();
    account.version += 1;
    let values = [
        tx.tenant().into(),
        account.id.into(),
        account.display_name.as_str().into(),
        account.disabled.into(),
        account.updated_at.into(),
        account.version.into(),
    ];
    tx.execute(UPDATE, values).await?;
    Ok(())
}

/// Replaces the password's hash, if it is still `before`.
pub(crate) async fn set_password(tx: &Tx, id: AccountId, after: &str, before: &str) -> Result<bool, Problem> {
    let values = [tx.tenant().into(), id.into(), after.into(), before.into(), tx.now().into()];
    Ok(tx.execute(SET_PASSWORD, values).await? == 1)
}

/// Replaces the hash of the same password, if it is still `before`.
pub(crate) async fn rehash(tx: &Tx, id: AccountId, after: &str, before: &str) -> Result<(), Problem> {
    tx.execute(REHASH, [tx.tenant().into(), id.into(), after.into(), before.into()]).await?;
    Ok(())
}

pub(crate) async fn delete(tx: &Tx, id: AccountId) -> Result<bool, Problem> {
    Ok(tx.execute(DELETE, [tx.tenant().into(), id.into()]).await? == 1)
}

/// Removes all accounts of the tenant, and with them their sessions and keys.
pub(crate) async fn purge(tx: &Tx) -> Result<(), Problem> {
    tx.execute(PURGE, [tx.tenant().into()]).await?;
    Ok(())
}

/// Whether the tenant has any account.
pub(crate) async fn any(tx: &Tx, tenant: TenantId) -> Result<bool, Problem> {
    let row: Option<IdRow> = tx.one(ANY, [tenant.into()]).await?;
    Ok(row.is_some())
}

/// Whether the account exists and can be used.
pub(crate) async fn is_enabled(tx: &Tx, id: AccountId) -> Result<bool, Problem> {
    let row: Option<IdRow> = tx.one(ENABLED, [tx.tenant().into(), false.into(), id.into()]).await?;
    Ok(row.is_some())
}

pub(crate) async fn list(tx: &Tx, request: &ListRequest) -> Result<Vec<Account>, Problem> {
    let mut select = Query::select();
    select.expr(Expr::cust(COLUMNS)).from(Alias::new("identity_account"));
    select.and_where(Expr::cust("tenant_id").eq(tx.tenant().uuid()));
    request.apply(&mut select)?;
    let rows = tx.conn().query_all(&select).await?;
    let accounts = rows.iter().map(|row| Row::from_query_result(row, "").map(Account::from));
    Ok(accounts.collect::<Result<_, _>>()?)
}
