//! The table `identity_signing_key`.

use chrono::{DateTime, Utc};
use kernel::{ListRequest, Problem, TenantId, Tx};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::model::{SigningKey, SigningKeyId, SigningKeyState};

const COLUMNS: &str = "id, algorithm, state, created_at, activated_at, retires_at";
const PUBLISHED: &str = "SELECT id, algorithm, state, created_at, activated_at, retires_at, public_key, private_key \
     FROM identity_signing_key WHERE tenant_id = $1 AND (retires_at IS NULL OR retires_at > $2) \
     ORDER BY created_at, id";
/// Of several processes that make the first keys, one wins.
const INSERT: &str = "INSERT INTO identity_signing_key \
         (id, tenant_id, algorithm, state, public_key, private_key, created_at, activated_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
const RETIRE: &str = "UPDATE identity_signing_key SET state = 'retired', retires_at = $2 \
     WHERE tenant_id = $1 AND state = 'active'";
const PROMOTE: &str = "UPDATE identity_signing_key SET state = 'active', activated_at = $2 \
     WHERE tenant_id = $1 AND state = 'next' \
     RETURNING id, algorithm, state, created_at, activated_at, retires_at";
const OLD: &str = "SELECT tenant_id FROM identity_signing_key WHERE state = 'active' AND activated_at < $1 \
     ORDER BY tenant_id LIMIT $2";
const ACTIVE: &str = "SELECT id, algorithm, state, created_at, activated_at, retires_at \
     FROM identity_signing_key WHERE tenant_id = $1 AND state = 'active'";
const CLEAN: &str = "DELETE FROM identity_signing_key WHERE state = 'retired' AND retires_at < $1";
const PURGE: &str = "DELETE FROM identity_signing_key WHERE tenant_id = $1";

#[derive(FromQueryResult)]
struct Row {
    id: SigningKeyId,
    algorithm: String,
    state: String,
    created_at: DateTime<Utc>,
    activated_at: Option<DateTime<Utc>>,
    retires_at: Option<DateTime<Utc>>,
}

#[derive(FromQueryResult)]
struct PairRow {
    #[sea_orm(nested)]
    key: Row,
    public_key: Vec<u8>,
    private_key: Vec<u8>,
}

#[derive(FromQueryResult)]
struct TenantRow {
    tenant_id: TenantId,
}

impl TryFrom<Row> for SigningKey {
    type Error = Problem;

    fn try_from(row: Row) -> Result<Self, Problem> {
        let state = SigningKeyState::named(&row.state);
        Ok(Self {
            id: row.id,
            algorithm: row.algorithm,
            state: state.ok_or_else(|| Problem::internal("unknown state of a signing key"))?,
            created_at: row.created_at,
            activated_at: row.activated_at,
            retires_at: row.retires_at,
        })
    }
}

/// A key with both halves; the private one is sealed.
pub(crate) struct Pair {
    pub(crate) key: SigningKey,
    pub(crate) public: Vec<u8>,
    pub(crate) sealed_private: Vec<u8>,
}

/// The keys whose tokens are accepted, the oldest first.
pub(crate) async fn published(tx: &Tx) -> Result<Vec<Pair>, Problem> {
    let rows: Vec<PairRow> = tx.all(PUBLISHED, [tx.tenant().into(), tx.now().into()]).await?;
    let pair =
        |row: PairRow| Ok(Pair { key: row.key.try_into()?, public: row.public_key, sealed_private: row.private_key });
    rows.into_iter().map(pair).collect()
}

/// Adds a key, unless there is one in its state (`next` or `active`) already.
pub(crate) async fn insert(tx: &Tx, pair: &Pair) -> Result<(), Problem> {
    let values = [
        pair.key.id.into(),
        tx.tenant().into(),
        pair.key.algorithm.as_str().into(),
        pair.key.state.as_str().into(),
        pair.public.clone().into(),
        pair.sealed_private.clone().into(),
        pair.key.created_at.into(),
        pair.key.activated_at.into(),
    ];
    tx.execute(INSERT, values).await?;
    Ok(())
}

/// Retires the active key; what it signed is accepted until then.
pub(crate) async fn retire(tx: &Tx, until: DateTime<Utc>) -> Result<(), Problem> {
    tx.execute(RETIRE, [tx.tenant().into(), until.into()]).await?;
    Ok(())
}

/// Makes the next key the active one.
pub(crate) async fn promote(tx: &Tx) -> Result<Option<SigningKey>, Problem> {
    let row: Option<Row> = tx.one(PROMOTE, [tx.tenant().into(), tx.now().into()]).await?;
    row.map(SigningKey::try_from).transpose()
}

pub(crate) async fn active(tx: &Tx) -> Result<Option<SigningKey>, Problem> {
    let row: Option<Row> = tx.one(ACTIVE, [tx.tenant().into()]).await?;
    row.map(SigningKey::try_from).transpose()
}

/// Tenants whose active key signs since before then, at most `limit`. Needs a reach over all tenants.
pub(crate) async fn tenants_with_old(tx: &Tx, before: DateTime<Utc>, limit: i64) -> Result<Vec<TenantId>, Problem> {
    let rows: Vec<TenantRow> = tx.all(OLD, [before.into(), limit.into()]).await?;
    Ok(rows.into_iter().map(|row| row.tenant_id).collect())
}

/// Removes keys of which no token is valid any more.
pub(crate) async fn clean(tx: &Tx, now: DateTime<Utc>) -> Result<u64, Problem> {
    Ok(tx.execute(CLEAN, [now.into()]).await?)
}

pub(crate) async fn purge(tx: &Tx) -> Result<(), Problem> {
    tx.execute(PURGE, [tx.tenant().into()]).await?;
    Ok(())
}

pub(crate) async fn list(tx: &Tx, request: &ListRequest) -> Result<Vec<SigningKey>, Problem> {
    let mut select = Query::select();
    select.expr(Expr::cust(COLUMNS)).from(Alias::new("identity_signing_key"));
    select.and_where(Expr::cust("tenant_id").eq(tx.tenant().uuid()));
    request.apply(&mut select)?;
    let rows = tx.conn().query_all(&select).await?;
    rows.iter().map(|row| SigningKey::try_from(Row::from_query_result(row, "")?)).collect()
}
