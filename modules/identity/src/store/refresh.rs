//! The table `identity_refresh`.

use chrono::{DateTime, Utc};
use kernel::{Problem, SessionId, Tx};
use sea_orm::FromQueryResult;

const INSERT: &str = "INSERT INTO identity_refresh (tenant_id, token_hash, session_id, created_at, expires_at) \
     VALUES ($1, $2, $3, $4, $5)";
/// One atomic step: of many at once, one changes the row and the others find it changed.
const USE: &str = "UPDATE identity_refresh SET used_at = $3, successor = $4 \
     WHERE tenant_id = $1 AND token_hash = $2 AND used_at IS NULL AND expires_at > $3 \
     RETURNING session_id";
const FIND: &str = "SELECT session_id, expires_at, used_at, successor FROM identity_refresh \
     WHERE tenant_id = $1 AND token_hash = $2";
const CLEAN: &str = "DELETE FROM identity_refresh WHERE token_hash IN ( \
     SELECT token_hash FROM identity_refresh WHERE expires_at < $1 LIMIT $2)";

#[derive(FromQueryResult)]
struct UsedRow {
    session_id: SessionId,
}

/// A refresh token that is known.
#[derive(FromQueryResult)]
pub(crate) struct Known {
    pub(crate) session_id: SessionId,
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) used_at: Option<DateTime<Utc>>,
    pub(crate) successor: Option<Vec<u8>>,
}

pub(crate) async fn insert(
    tx: &Tx,
    hash: [u8; 32],
    session: SessionId,
    expires_at: DateTime<Utc>,
) -> Result<(), Problem> {
    let values = [tx.tenant().into(), hash.to_vec().into(), session.into(), tx.now().into(), expires_at.into()];
    tx.execute(INSERT, values).await?;
    Ok(())
}

/// Uses a token up, leaving its sealed successor. `None` when it is unknown, expired or used.
pub(crate) async fn use_up(tx: &Tx, hash: [u8; 32], successor: Vec<u8>) -> Result<Option<SessionId>, Problem> {
    let values = [tx.tenant().into(), hash.to_vec().into(), tx.now().into(), successor.into()];
    let row: Option<UsedRow> = tx.one(USE, values).await?;
    Ok(row.map(|row| row.session_id))
}

pub(crate) async fn find(tx: &Tx, hash: [u8; 32]) -> Result<Option<Known>, Problem> {
    Ok(tx.one(FIND, [tx.tenant().into(), hash.to_vec().into()]).await?)
}

/// Removes tokens past their time, at most `limit`.
pub(crate) async fn clean(tx: &Tx, now: DateTime<Utc>, limit: i64) -> Result<u64, Problem> {
    Ok(tx.execute(CLEAN, [now.into(), limit.into()]).await?)
}
