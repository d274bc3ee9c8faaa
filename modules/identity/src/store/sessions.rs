//! The table `identity_session`.

use chrono::{DateTime, Utc};
use kernel::{AccountId, ListRequest, Problem, SessionId, TenantId, Tx};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::model::{Session, Transport};

const COLUMNS: &str = "s.id, s.account_id, a.email_shown, s.device, s.user_agent, s.address, s.transport, \
     s.domain, s.created_at, s.last_seen_at, s.expires_at";
const FIND: &str = "SELECT s.id, s.account_id, a.email_shown, s.device, s.user_agent, s.address, s.transport, \
         s.domain, s.created_at, s.last_seen_at, s.expires_at \
     FROM identity_session s JOIN identity_account a ON a.id = s.account_id AND a.tenant_id = $1 \
     WHERE s.tenant_id = $1 AND s.id = $2";
const INSERT: &str = "INSERT INTO identity_session (id, tenant_id, account_id, transport, cookie_hash, device, \
         user_agent, address, created_at, last_seen_at, expires_at, domain) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11)";
const HOLDER_BY_ID: &str = "SELECT s.id, s.account_id, a.email_shown, a.disabled, s.last_seen_at, s.expires_at \
     FROM identity_session s JOIN identity_account a ON a.id = s.account_id AND a.tenant_id = $1 \
     WHERE s.tenant_id = $1 AND s.id = $2";
const HOLDER_BY_COOKIE: &str = "SELECT s.id, s.account_id, a.email_shown, a.disabled, s.last_seen_at, s.expires_at \
     FROM identity_session s JOIN identity_account a ON a.id = s.account_id AND a.tenant_id = $1 \
     WHERE s.tenant_id = $1 AND s.cookie_hash = $2";
const DELETE: &str = "DELETE FROM identity_session WHERE tenant_id = $1 AND id = $2";
const DELETE_OTHERS: &str = "DELETE FROM identity_session WHERE tenant_id = $1 AND account_id = $2 AND id <> $3";
const DELETE_ALL: &str = "DELETE FROM identity_session WHERE tenant_id = $1 AND account_id = $2";
const TOUCH: &str = "UPDATE identity_session SET last_seen_at = $3 \
     WHERE tenant_id = $1 AND id = $2 AND last_seen_at < $3";
const CLEAN: &str = "DELETE FROM identity_session WHERE id IN ( \
     SELECT id FROM identity_session WHERE expires_at < $1 OR last_seen_at < $2 LIMIT $3)";

#[derive(FromQueryResult)]
struct Row {
    id: SessionId,
    account_id: AccountId,
    email_shown: String,
    device: String,
    user_agent: Option<String>,
    address: Option<String>,
    transport: String,
    domain: Option<String>,
    created_at: DateTime<Utc>,
    last_seen_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

impl Row {
    fn session(self, current: Option<SessionId>) -> Result<Session, Problem> {
        Ok(Session {
            id: self.id,
            account_id: self.account_id,
            account_email: self.email_shown,
            device: self.device,
            user_agent: self.user_agent,
            address: self.address,
            transport: Transport::named(&self.transport).ok_or_else(|| Problem::internal("unknown transport"))?,
            domain: self.domain,
            created_at: self.created_at,
            last_seen_at: self.last_seen_at,
            expires_at: self.expires_at,
            current: current == Some(self.id),
        })
    }
}

/// Who holds a session, as far as a request needs to know.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct Holder {
    pub(crate) id: SessionId,
    pub(crate) account_id: AccountId,
    pub(crate) email_shown: String,
    pub(crate) disabled: bool,
    pub(crate) last_seen_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
}

pub(crate) async fn insert(tx: &Tx, session: &Session, cookie_hash: Option<[u8; 32]>) -> Result<(), Problem> {
    let values = [
        session.id.into(),
        tx.tenant().into(),
        session.account_id.into(),
        session.transport.as_str().into(),
        cookie_hash.map(|hash| hash.to_vec()).into(),
        session.device.as_str().into(),
        session.user_agent.clone().into(),
        session.address.clone().into(),
        session.created_at.into(),
        session.expires_at.into(),
        session.domain.clone().into(),
    ];
    tx.execute(INSERT, values).await?;
    Ok(())
}

pub(crate) async fn find(tx: &Tx, id: SessionId, current: Option<SessionId>) -> Result<Option<Session>, Problem> {
    let row: Option<Row> = tx.one(FIND, [tx.tenant().into(), id.into()]).await?;
    row.map(|row| row.session(current)).transpose()
}

pub(crate) async fn holder(tx: &Tx, id: SessionId) -> Result<Option<Holder>, Problem> {
    Ok(tx.one(HOLDER_BY_ID, [tx.tenant().into(), id.into()]).await?)
}

pub(crate) async fn holder_by_cookie(tx: &Tx, hash: [u8; 32]) -> Result<Option<Holder>, Problem> {
    Ok(tx.one(HOLDER_BY_COOKIE, [tx.tenant().into(), hash.to_vec().into()]).await?)
}

/// Ends a session and, with it, its refresh tokens.
pub(crate) async fn delete(tx: &Tx, id: SessionId) -> Result<bool, Problem> {
    Ok(tx.execute(DELETE, [tx.tenant().into(), id.into()]).await? == 1)
}

/// Ends all sessions of an account, or all but one. Returns how many.
pub(crate) async fn delete_all(tx: &Tx, account: AccountId, but: Option<SessionId>) -> Result<u64, Problem> {
    let (tenant, account) = (tx.tenant().into(), account.into());
    Ok(match but {
        Some(kept) => tx.execute(DELETE_OTHERS, [tenant, account, kept.into()]).await?,
        None => tx.execute(DELETE_ALL, [tenant, account]).await?,
    })
}

/// Notes that a session was used; never goes back in time.
pub(crate) async fn touch(tx: &Tx, tenant: TenantId, id: SessionId, at: DateTime<Utc>) -> Result<(), Problem> {
    tx.execute(TOUCH, [tenant.into(), id.into(), at.into()]).await?;
    Ok(())
}

/// Removes sessions that ended by themselves, at most `limit`.
pub(crate) async fn clean(tx: &Tx, now: DateTime<Utc>, idle_since: DateTime<Utc>, limit: i64) -> Result<u64, Problem> {
    Ok(tx.execute(CLEAN, [now.into(), idle_since.into(), limit.into()]).await?)
}

/// Sessions of one account, or of the whole tenant, that have not ended by themselves.
pub(crate) async fn list(
    tx: &Tx,
    request: &ListRequest,
    account: Option<AccountId>,
    current: Option<SessionId>,
    idle_since: DateTime<Utc>,
) -> Result<Vec<Session>, Problem> {
    let mut select = Query::select();
    select.expr(Expr::cust(COLUMNS)).from_as(Alias::new("identity_session"), Alias::new("s"));
    select.inner_join(
        sea_orm::sea_query::TableRef::from(Alias::new("identity_account")).alias(Alias::new("a")),
        Expr::cust("a.id = s.account_id AND a.tenant_id = s.tenant_id"),
    );
    select.and_where(Expr::cust("s.tenant_id").eq(tx.tenant().uuid()));
    select.and_where(Expr::cust("s.expires_at").gt(tx.now()));
    select.and_where(Expr::cust("s.last_seen_at").gt(idle_since));
    if let Some(account) = account {
        select.and_where(Expr::cust("s.account_id").eq(account.uuid()));
    }
    request.apply(&mut select)?;
    let rows = tx.conn().query_all(&select).await?;
    rows.iter().map(|row| Row::from_query_result(row, "")?.session(current)).collect()
}
