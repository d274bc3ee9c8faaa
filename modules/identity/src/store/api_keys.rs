//! The table `identity_api_key`.

use chrono::{DateTime, Utc};
use kernel::{AccountId, ApiKeyId, ListRequest, Problem, TenantId, Tx};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::model::ApiKey;

const COLUMNS: &str = "id, name, prefix, scopes, account_id, domain, created_at, expires_at, last_used_at, version";
const FIND: &str = "SELECT id, name, prefix, scopes, account_id, domain, created_at, expires_at, last_used_at, \
     version FROM identity_api_key WHERE tenant_id = $1 AND id = $2";
const INSERT: &str = "INSERT INTO identity_api_key \
         (id, tenant_id, account_id, name, prefix, secret_hash, scopes, created_at, expires_at, domain, version) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1)";
const HOLDER: &str = "SELECT k.id, k.name, k.account_id, k.scopes, k.expires_at, k.last_used_at, a.disabled \
     FROM identity_api_key k JOIN identity_account a ON a.id = k.account_id AND a.tenant_id = $1 \
     WHERE k.tenant_id = $1 AND k.secret_hash = $2";
const COUNT: &str = "SELECT count(*) AS number FROM identity_api_key WHERE tenant_id = $1 AND account_id = $2";
const DELETE: &str = "DELETE FROM identity_api_key WHERE tenant_id = $1 AND id = $2";
const TOUCH: &str = "UPDATE identity_api_key SET last_used_at = $3 \
     WHERE tenant_id = $1 AND id = $2 AND (last_used_at IS NULL OR last_used_at < $3)";

#[derive(FromQueryResult)]
struct Row {
    id: ApiKeyId,
    name: String,
    prefix: String,
    scopes: Option<String>,
    account_id: AccountId,
    domain: Option<String>,
    created_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
    version: i64,
}

#[derive(FromQueryResult)]
struct HolderRow {
    id: ApiKeyId,
    name: String,
    account_id: AccountId,
    scopes: Option<String>,
    expires_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
    disabled: bool,
}

#[derive(FromQueryResult)]
struct CountRow {
    number: i64,
}

/// For whom a key acts and how far, as far as a request needs to know.
pub(crate) struct Holder {
    pub(crate) id: ApiKeyId,
    pub(crate) name: String,
    pub(crate) account_id: AccountId,
    pub(crate) scopes: Option<Vec<String>>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    pub(crate) last_used_at: Option<DateTime<Utc>>,
    pub(crate) disabled: bool,
}

fn scopes(text: Option<String>) -> Result<Option<Vec<String>>, Problem> {
    text.map(|text| serde_json::from_str(&text).map_err(Problem::internal)).transpose()
}

impl TryFrom<Row> for ApiKey {
    type Error = Problem;

    fn try_from(row: Row) -> Result<Self, Problem> {
        Ok(Self {
            id: row.id,
            name: row.name,
            prefix: row.prefix,
            scopes: scopes(row.scopes)?,
            account_id: row.account_id,
            domain: row.domain,
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            version: row.version,
        })
    }
}

pub(crate) async fn insert(tx: &Tx, key: &ApiKey, secret_hash: [u8; 32]) -> Result<(), Problem> {
    let scopes = key.scopes.as_ref().map(serde_json::to_string).transpose().map_err(Problem::internal)?;
    let values = [
        key.id.into(),
        tx.tenant().into(),
        key.account_id.into(),
        key.name.as_str().into(),
        key.prefix.as_str().into(),
        secret_hash.to_vec().into(),
        scopes.into(),
        key.created_at.into(),
        key.expires_at.into(),
        key.domain.clone().into(),
    ];
    tx.execute(INSERT, values).await?;
    Ok(())
}

pub(crate) async fn find(tx: &Tx, id: ApiKeyId) -> Result<Option<ApiKey>, Problem> {
    let row: Option<Row> = tx.one(FIND, [tx.tenant().into(), id.into()]).await?;
    row.map(ApiKey::try_from).transpose()
}

pub(crate) async fn holder(tx: &Tx, secret_hash: [u8; 32]) -> Result<Option<Holder>, Problem> {
    let row: Option<HolderRow> = tx.one(HOLDER, [tx.tenant().into(), secret_hash.to_vec().into()]).await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Holder {
        id: row.id,
        name: row.name,
        account_id: row.account_id,
        scopes: scopes(row.scopes)?,
        expires_at: row.expires_at,
        last_used_at: row.last_used_at,
        disabled: row.disabled,
    }))
}

pub(crate) async fn count(tx: &Tx, account: AccountId) -> Result<usize, Problem> {
    let row: Option<CountRow> = tx.one(COUNT, [tx.tenant().into(), account.into()]).await?;
    Ok(row.and_then(|row| usize::try_from(row.number).ok()).unwrap_or(0))
}

pub(crate) async fn delete(tx: &Tx, id: ApiKeyId) -> Result<bool, Problem> {
    Ok(tx.execute(DELETE, [tx.tenant().into(), id.into()]).await? == 1)
}

/// Notes that a key was used; never goes back in time.
pub(crate) async fn touch(tx: &Tx, tenant: TenantId, id: ApiKeyId, at: DateTime<Utc>) -> Result<(), Problem> {
    tx.execute(TOUCH, [tenant.into(), id.into(), at.into()]).await?;
    Ok(())
}

/// Keys of one account, or of the whole tenant.
pub(crate) async fn list(tx: &Tx, request: &ListRequest, account: Option<AccountId>) -> Result<Vec<ApiKey>, Problem> {
    let mut select = Query::select();
    select.expr(Expr::cust(COLUMNS)).from(Alias::new("identity_api_key"));
    select.and_where(Expr::cust("tenant_id").eq(tx.tenant().uuid()));
    if let Some(account) = account {
        select.and_where(Expr::cust("account_id").eq(account.uuid()));
    }
    request.apply(&mut select)?;
    let rows = tx.conn().query_all(&select).await?;
    rows.iter().map(|row| ApiKey::try_from(Row::from_query_result(row, "")?)).collect()
}
