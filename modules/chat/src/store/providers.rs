//! The table `chat_provider`.

use chrono::{DateTime, Utc};
use kernel::{ListRequest, Problem, Secret, Tx};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, SqlErr};

use crate::error::Error;
use crate::model::{Provider, ProviderId, ProviderKind};
use crate::seal::{Place, Seal};

const COLUMNS: &str = "id, name, base_url, api_key, models, position, first_token_timeout_ms, idle_timeout_ms, \
     enabled, created_at, updated_at, version";
const INSERT: &str = "INSERT INTO chat_provider (tenant_id, id, name, kind, base_url, api_key, models, position, \
         first_token_timeout_ms, idle_timeout_ms, enabled, created_at, updated_at, version) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, 1)";
const UPDATE: &str = "UPDATE chat_provider SET name = $3, base_url = $4, api_key = $5, models = $6, position = $7, \
         first_token_timeout_ms = $8, idle_timeout_ms = $9, enabled = $10, updated_at = $11, version = version + 1 \
     WHERE tenant_id = $1 AND id = $2";
const DELETE: &str = "DELETE FROM chat_provider WHERE tenant_id = $1 AND id = $2";
const LAST_POSITION: &str =
    "SELECT CAST(COALESCE(MAX(position), 0) AS BIGINT) AS position FROM chat_provider WHERE tenant_id = $1";

#[derive(FromQueryResult)]
struct Row {
    id: ProviderId,
    name: String,
    base_url: String,
    api_key: Option<Vec<u8>>,
    models: String,
    position: i64,
    first_token_timeout_ms: i64,
    idle_timeout_ms: i64,
    enabled: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i64,
}

#[derive(FromQueryResult)]
struct PositionRow {
    position: i64,
}

/// A provider with its key.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) provider: Provider,
    pub(crate) api_key: Option<Secret>,
}

fn place(id: ProviderId) -> Place {
    Place::of("provider key", id.uuid())
}

impl Row {
    fn opened(self, seal: &Seal) -> Result<Kept, Problem> {
        let key = self.api_key.map(|sealed| seal.open(place(self.id), &sealed)).transpose()?;
        let provider = Provider {
            id: self.id,
            name: self.name,
            kind: ProviderKind::OpenaiCompatible,
            base_url: self.base_url,
            has_api_key: key.is_some(),
            models: serde_json::from_str(&self.models).map_err(Problem::internal)?,
            position: self.position,
            first_token_timeout_ms: self.first_token_timeout_ms,
            idle_timeout_ms: self.idle_timeout_ms,
            enabled: self.enabled,
            created_at: self.created_at,
            updated_at: self.updated_at,
            version: self.version,
        };
        Ok(Kept { provider, api_key: key.map(Secret::from) })
    }
}

fn taken(error: DbErr, name: &str) -> Error {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => Error::ProviderNameTaken(name.to_owned()),
        _ => Problem::from(error).into(),
    }
}

fn models(provider: &Provider) -> Result<String, Problem> {
    serde_json::to_string(&provider.models).map_err(Problem::internal)
}

fn sealed(tx: &Tx, seal: &Seal, kept: &Kept) -> Option<Vec<u8>> {
    kept.api_key.as_ref().map(|key| seal.close(tx.random(), place(kept.provider.id), key.expose()))
}

pub(crate) async fn insert(tx: &Tx, seal: &Seal, kept: &Kept) -> Result<(), Error> {
    let provider = &kept.provider;
    let values = [
        tx.tenant().into(),
        provider.id.into(),
        provider.name.as_str().into(),
        provider.kind.as_str().into(),
        provider.base_url.as_str().into(),
        sealed(tx, seal, kept).into(),
        models(provider)?.into(),
        provider.position.into(),
        provider.first_token_timeout_ms.into(),
        provider.idle_timeout_ms.into(),
        provider.enabled.into(),
        provider.created_at.into(),
    ];
    tx.execute(INSERT, values).await.map_err(|error| taken(error, &provider.name))?;
    Ok(())
}

/// Writes what can change, and the new version and time into it.
pub(crate) async fn update(tx: &Tx, seal: &Seal, kept: &mut Kept) -> Result<(), Error> {
    let now = tx.now();
    let provider = &kept.provider;
    let values = [
        tx.tenant().into(),
        provider.id.into(),
        provider.name.as_str().into(),
        provider.base_url.as_str().into(),
        sealed(tx, seal, kept).into(),
        models(provider)?.into(),
        provider.position.into(),
        provider.first_token_timeout_ms.into(),
        provider.idle_timeout_ms.into(),
        provider.enabled.into(),
        now.into(),
    ];
    tx.execute(UPDATE, values).await.map_err(|error| taken(error, &provider.name))?;
    kept.provider.updated_at = now;
    kept.provider.version += 1;
    kept.provider.has_api_key = kept.api_key.is_some();
    Ok(())
}

pub(crate) async fn find(tx: &Tx, seal: &Seal, id: ProviderId, lock: bool) -> Result<Option<Kept>, Problem> {
    let lock = if lock { tx.engine().for_update() } else { "" };
    let sql = format!("SELECT {COLUMNS} FROM chat_provider WHERE tenant_id = $1 AND id = $2{lock}");
    let row: Option<Row> = tx.one(&sql, [tx.tenant().into(), id.into()]).await?;
    row.map(|row| row.opened(seal)).transpose()
}

/// All of them, in the order in which they are tried.
pub(crate) async fn all(tx: &Tx, seal: &Seal) -> Result<Vec<Kept>, Problem> {
    let sql = format!("SELECT {COLUMNS} FROM chat_provider WHERE tenant_id = $1 ORDER BY position, id LIMIT 100");
    let rows: Vec<Row> = tx.all(&sql, [tx.tenant().into()]).await?;
    rows.into_iter().map(|row| row.opened(seal)).collect()
}

pub(crate) async fn list(tx: &Tx, seal: &Seal, request: &ListRequest) -> Result<Vec<Provider>, Problem> {
    let mut select = Query::select();
    select
        .expr(Expr::cust(COLUMNS))
        .from(Alias::new("chat_provider"))
        .and_where(Expr::cust("tenant_id").eq(tx.tenant().uuid()));
    request.apply(&mut select)?;
    let rows = tx.conn().query_all(&select).await?;
    rows.iter().map(|row| Ok(Row::from_query_result(row, "")?.opened(seal)?.provider)).collect()
}

pub(crate) async fn delete(tx: &Tx, id: ProviderId) -> Result<(), Problem> {
    tx.execute(DELETE, [tx.tenant().into(), id.into()]).await?;
    Ok(())
}

pub(crate) async fn last_position(tx: &Tx) -> Result<i64, Problem> {
    let row: Option<PositionRow> = tx.one(LAST_POSITION, [tx.tenant().into()]).await?;
    Ok(row.map_or(0, |row| row.position))
}
