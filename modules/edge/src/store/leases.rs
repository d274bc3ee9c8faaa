//! Leases with fencing tokens, and the accounts with issuers that they guard.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use edge_certificates::Lease;
use kernel::Tx;
use sea_orm::FromQueryResult;

use crate::certificates::Fault;

const TAKE: &str = "INSERT INTO edge_lease (key, holder, token, held_until) VALUES ($1, $2, 1, $4) \
     ON CONFLICT (key) DO UPDATE SET holder = $2, token = edge_lease.token + 1, held_until = $4 \
     WHERE edge_lease.held_until IS NULL OR edge_lease.held_until <= $3 RETURNING token";
const PROLONG: &str = "UPDATE edge_lease SET held_until = $3 WHERE key = $1 AND token = $2";
const RELEASE: &str = "UPDATE edge_lease SET held_until = NULL WHERE key = $1 AND token = $2";
const ACCOUNT: &str = "SELECT sealed FROM edge_account WHERE issuer = $1";
const NEW_ACCOUNT: &str = "INSERT INTO edge_account (issuer, sealed) VALUES ($1, $2) ON CONFLICT DO NOTHING";
const CHANGE_ACCOUNT: &str = "UPDATE edge_account SET sealed = $2 WHERE issuer = $1 AND sealed = $3";

#[derive(FromQueryResult)]
struct Token {
    token: i64,
}

#[derive(FromQueryResult)]
struct Account {
    sealed: Vec<u8>,
}

/// Takes a lease that is free, or has run out.
pub(crate) async fn take(
    tx: &Tx,
    key: &str,
    holder: &str,
    now: DateTime<Utc>,
    length: Duration,
) -> Result<Option<Lease>, Fault> {
    let until = now + TimeDelta::from_std(length).unwrap_or_default();
    let row: Option<Token> = tx.one(TAKE, [key.into(), holder.into(), now.into(), until.into()]).await?;
    Ok(row.map(|row| Lease { key: key.to_owned(), holder: holder.to_owned(), token: row.token.unsigned_abs() }))
}

/// Prolongs a lease that is still held.
///
/// # Errors
/// [`Fault::Stale`] when it is not.
pub(crate) async fn prolong(tx: &Tx, lease: &Lease, until: DateTime<Utc>) -> Result<(), Fault> {
    let changed = tx.execute(PROLONG, [lease.key.as_str().into(), token(lease).into(), until.into()]).await?;
    if changed == 1 { Ok(()) } else { Err(Fault::Stale) }
}

/// Gives a lease back, if it is still held.
pub(crate) async fn release(tx: &Tx, lease: &Lease) -> Result<(), Fault> {
    tx.execute(RELEASE, [lease.key.as_str().into(), token(lease).into()]).await?;
    Ok(())
}

fn token(lease: &Lease) -> i64 {
    i64::try_from(lease.token).unwrap_or(i64::MAX)
}

/// The sealed account at an issuer.
pub(crate) async fn account(tx: &Tx, issuer: &str) -> Result<Option<Vec<u8>>, Fault> {
    let row: Option<Account> = tx.one(ACCOUNT, [issuer.into()]).await?;
    Ok(row.map(|row| row.sealed))
}

/// Keeps an account in the place of the former one; whether that was so.
pub(crate) async fn put_account(tx: &Tx, issuer: &str, former: Option<&[u8]>, sealed: &[u8]) -> Result<bool, Fault> {
    let changed = match former {
        None => tx.execute(NEW_ACCOUNT, [issuer.into(), sealed.into()]).await?,
        Some(former) => tx.execute(CHANGE_ACCOUNT, [issuer.into(), sealed.into(), former.into()]).await?,
    };
    Ok(changed == 1)
}
