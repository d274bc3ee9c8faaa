//! Sessions and keys by the domain at which they began.

use chrono::{DateTime, Utc};
use kernel::{AccountId, Problem, Tx};
use sea_orm::FromQueryResult;

const HOSTS: &str = "SELECT domain FROM identity_session WHERE tenant_id = $1 AND domain IS NOT NULL \
     UNION SELECT domain FROM identity_api_key WHERE tenant_id = $1 AND domain IS NOT NULL";
const END_SESSIONS: &str = "DELETE FROM identity_session \
     WHERE tenant_id = $1 AND domain = $2 AND created_at <= $3 RETURNING account_id";
const END_KEYS: &str = "DELETE FROM identity_api_key \
     WHERE tenant_id = $1 AND domain = $2 AND created_at <= $3 RETURNING account_id";

#[derive(FromQueryResult)]
struct Host {
    domain: String,
}

#[derive(FromQueryResult)]
struct Ended {
    account_id: AccountId,
}

/// The domains of the tenant at which something began that still is.
pub(crate) async fn hosts(tx: &Tx) -> Result<Vec<String>, Problem> {
    let rows: Vec<Host> = tx.all(HOSTS, [tx.tenant().into()]).await?;
    Ok(rows.into_iter().map(|row| row.domain).collect())
}

/// Ends what began at a domain by then; whose it was, once for each session and key.
pub(crate) async fn end(tx: &Tx, domain: &str, until: DateTime<Utc>) -> Result<Vec<AccountId>, Problem> {
    let mut accounts = Vec::new();
    for sql in [END_SESSIONS, END_KEYS] {
        let rows: Vec<Ended> = tx.all(sql, [tx.tenant().into(), domain.into(), until.into()]).await?;
        accounts.extend(rows.into_iter().map(|row| row.account_id));
    }
    Ok(accounts)
}
