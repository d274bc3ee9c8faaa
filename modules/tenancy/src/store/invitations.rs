//! Invitations. The token is never here, only its keyed hash together with tenant and address.

use chrono::{DateTime, Utc};
use kernel::{ListRequest, Problem, TenantId, Tx};
use sea_orm::sea_query::{Alias, CaseStatement, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::error::Error;
use crate::model::{Invitation, InvitationId, InvitationState, RoleId, RoleRef};
use crate::store::clash;

/// Pending ones whose time has passed show as expired; `role_name` is the role's name now, or its last one.
const SHOWN: &str = "i.tenant_id AS tenant_id, i.id AS id, i.email AS email, i.role_id AS role_id, \
     COALESCE(r.name, i.role_name) AS role_name, i.expires_at AS expires_at, i.created_at AS created_at, \
     i.version AS version";
const STATE: &str = "CASE WHEN i.state = 'pending' AND i.expires_at <= $1 THEN 'expired' ELSE i.state END";
const FIND: &str = "FROM tenancy_invitation i \
     LEFT JOIN tenancy_role r ON r.tenant_id = i.tenant_id AND r.id = i.role_id \
     WHERE i.tenant_id = $2 AND i.id = $3";
const INSERT: &str = "INSERT INTO tenancy_invitation \
     (tenant_id, id, email, role_id, role_name, token_hash, state, expires_at, created_at, updated_at, version) \
     VALUES ($1, $2, $3, $4, $5, $6, 'pending', $7, $8, $8, 1)";
const EXPIRE: &str = "UPDATE tenancy_invitation SET state = 'expired', updated_at = $3, version = version + 1 \
     WHERE tenant_id = $1 AND email = $2 AND state = 'pending' AND expires_at <= $3";
const REVOKE: &str = "UPDATE tenancy_invitation SET state = 'revoked', updated_at = $3, version = version + 1 \
     WHERE tenant_id = $1 AND id = $2 AND state = 'pending' AND expires_at > $3";
const CONSUME: &str = "UPDATE tenancy_invitation SET state = 'accepted', updated_at = $3, version = version + 1 \
     WHERE tenant_id = $1 AND token_hash = $2 AND state = 'pending' AND expires_at > $3 RETURNING id";

#[derive(FromQueryResult)]
struct Row {
    id: InvitationId,
    email: String,
    role_id: RoleId,
    role_name: String,
    state: String,
    expires_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
    version: i64,
}

#[derive(FromQueryResult)]
struct Consumed {
    id: InvitationId,
}

impl TryFrom<Row> for Invitation {
    type Error = Problem;

    fn try_from(row: Row) -> Result<Self, Problem> {
        let state = InvitationState::named(&row.state).ok_or_else(|| Problem::internal(&row.state))?;
        Ok(Self {
            id: row.id,
            email: row.email,
            role: RoleRef { id: row.role_id, name: row.role_name },
            state,
            expires_at: row.expires_at,
            created_at: row.created_at,
            version: row.version,
        })
    }
}

/// One invitation.
pub(crate) async fn find(tx: &Tx, id: InvitationId) -> Result<Option<Invitation>, Problem> {
    let sql = format!("SELECT {SHOWN}, {STATE} AS state {FIND}");
    let row: Option<Row> = tx.one(&sql, [tx.now().into(), tx.tenant().into(), id.into()]).await?;
    row.map(Invitation::try_from).transpose()
}

/// A page of invitations.
pub(crate) async fn list(tx: &Tx, request: &ListRequest) -> Result<Vec<Invitation>, Problem> {
    let role = Expr::cust("r.tenant_id = i.tenant_id AND r.id = i.role_id");
    let expired = Expr::cust("i.state").eq("pending").and(Expr::cust("i.expires_at").lte(tx.now()));
    let state = CaseStatement::new().case(expired, "expired").finally(Expr::cust("i.state"));
    let mut shown = Query::select();
    shown
        .expr(Expr::cust(SHOWN))
        .expr_as(state, Alias::new("state"))
        .from_as(Alias::new("tenancy_invitation"), Alias::new("i"))
        .join_as(sea_orm::JoinType::LeftJoin, Alias::new("tenancy_role"), Alias::new("r"), role)
        .and_where(Expr::cust("i.tenant_id").eq(tx.tenant().uuid()));
    let mut select = Query::select();
    select.expr(Expr::cust("i.*")).from_subquery(shown, Alias::new("i"));
    request.apply(&mut select)?;
    let rows = tx.conn().query_all(&select).await?;
    let invitations = rows.iter().map(|row| Invitation::try_from(Row::from_query_result(row, "")?));
    invitations.collect()
}

/// Adds a pending invitation to `tenant`. An older one for the same address whose time has passed makes room.
pub(crate) async fn insert(tx: &Tx, tenant: TenantId, invitation: &Invitation, token_hash: &[u8]) -> Result<(), Error> {
    let now = invitation.created_at;
    let expire = [tenant.into(), invitation.email.clone().into(), now.into()];
    tx.execute(EXPIRE, expire).await.map_err(Problem::from)?;
    let values = [
        tenant.into(),
        invitation.id.into(),
        invitation.email.clone().into(),
        invitation.role.id.into(),
        invitation.role.name.clone().into(),
        token_hash.into(),
        invitation.expires_at.into(),
        now.into(),
    ];
    let inserted = tx.execute(INSERT, values).await;
    inserted.map(|_| ()).map_err(|error| clash(error, || Error::InvitationPending(invitation.email.clone())))
}

/// Takes a pending invitation back; whether it was one.
pub(crate) async fn revoke(tx: &Tx, id: InvitationId) -> Result<bool, Problem> {
    Ok(tx.execute(REVOKE, [tx.tenant().into(), id.into(), tx.now().into()]).await? == 1)
}

/// Marks the pending invitation with this hash as accepted, in one step; nothing if there is none.
pub(crate) async fn consume(tx: &Tx, token_hash: &[u8]) -> Result<Option<InvitationId>, Problem> {
    let consumed: Option<Consumed> = tx.one(CONSUME, [tx.tenant().into(), token_hash.into(), tx.now().into()]).await?;
    Ok(consumed.map(|it| it.id))
}
