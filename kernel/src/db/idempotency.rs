//! One effect for each `Idempotency-Key`: the key is claimed, and the result stored, in the transaction of the effect.
//!
//! The key itself is not kept, only its keyed hash; the stored result is sealed under a key derived from it, so that
//! a secret which is shown once (an API key, a token) does not lie in the database in the clear.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::FromQueryResult;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::caller::Caller;
use crate::db::{Sealer, Tx};
use crate::keys::RootKey;
use crate::problem::{Kind, Problem};

/// How long a result is kept.
const KEPT: TimeDelta = TimeDelta::hours(24);

const CLAIM: &str = "INSERT INTO kernel_idempotency (tenant_id, key_hash, fingerprint, response, expires_at) \
     VALUES ($1, $2, $3, NULL, $4) ON CONFLICT (tenant_id, key_hash) DO UPDATE \
     SET fingerprint = excluded.fingerprint, response = NULL, expires_at = excluded.expires_at \
     WHERE kernel_idempotency.expires_at < $5";
const FIND: &str = "SELECT fingerprint, response FROM kernel_idempotency WHERE tenant_id = $1 AND key_hash = $2";
const COMPLETE: &str = "UPDATE kernel_idempotency SET response = $3 WHERE tenant_id = $1 AND key_hash = $2";
const PRUNE: &str = "DELETE FROM kernel_idempotency WHERE (tenant_id, key_hash) IN ( \
     SELECT tenant_id, key_hash FROM kernel_idempotency WHERE expires_at < $1 LIMIT $2)";
/// What one call of a pruning removes at most.
const PRUNE_BATCH: i64 = 1000;

#[derive(FromQueryResult)]
struct Row {
    fingerprint: Vec<u8>,
    response: Option<Vec<u8>>,
}

/// A claim on one key.
pub(super) struct Ticket {
    key_hash: [u8; 32],
    fingerprint: [u8; 32],
    sealer: Sealer,
}

impl Ticket {
    pub(super) fn new<I: Serialize>(
        keys: &RootKey,
        caller: &Caller,
        operation: &'static str,
        key: &str,
        input: &I,
    ) -> Result<Self, Problem> {
        let actor = caller.actor.id().unwrap_or_default();
        let mac = keys.mac("idempotency");
        let scope = caller.tenant.uuid();
        let key_hash = mac.tag(&[scope.as_bytes(), actor.as_bytes(), operation.as_bytes(), key.as_bytes()]);
        let input = serde_json_canonicalizer::to_vec(input).map_err(Problem::internal)?;
        let fingerprint = mac.tag(&[b"fingerprint", &input]);
        let sealer = Sealer::new(&keys.derive(&[b"idempotency result ", key.as_bytes()]));
        Ok(Self { key_hash, fingerprint, sealer })
    }

    /// Claims the key, or returns the stored result. A twin in flight on another connection is waited for.
    pub(super) async fn claim<T: DeserializeOwned>(&self, tx: &Tx) -> Result<Option<T>, Problem> {
        let now = tx.now();
        let tenant = tx.tenant();
        let claimed = tx
            .execute(
                CLAIM,
                [
                    tenant.into(),
                    self.key_hash.to_vec().into(),
                    self.fingerprint.to_vec().into(),
                    (now + KEPT).into(),
                    now.into(),
                ],
            )
            .await?;
        if claimed == 1 {
            return Ok(None);
        }
        let row: Option<Row> = tx.one(FIND, [tenant.into(), self.key_hash.to_vec().into()]).await?;
        let row = row.ok_or_else(in_flight)?;
        if row.fingerprint != self.fingerprint {
            return Err(Problem::new(
                Kind::Mismatch,
                "kernel.idempotency_mismatch",
                "This Idempotency-Key was used with other content; use a new key for a new request.",
            ));
        }
        let sealed = row.response.ok_or_else(in_flight)?;
        let plain = self.sealer.open(&self.key_hash, &sealed).map_err(Problem::internal)?;
        serde_json::from_slice(&plain).map(Some).map_err(Problem::internal)
    }

    /// Stores the result beside its effect.
    pub(super) async fn complete<T: Serialize>(&self, tx: &Tx, value: &T) -> Result<(), Problem> {
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(value).map_err(Problem::internal)?);
        let sealed = self.sealer.seal(tx.random(), &self.key_hash, &plain);
        tx.execute(COMPLETE, [tx.tenant().into(), self.key_hash.to_vec().into(), sealed.into()]).await?;
        Ok(())
    }
}

fn in_flight() -> Problem {
    Problem::new(
        Kind::Conflict,
        "kernel.idempotency_in_flight",
        "A request with this Idempotency-Key is still running; repeat it in a moment.",
    )
}

/// Removes results that are past their time; `tx` reaches all tenants. It takes a bounded number at once, so that it
/// holds up no writer: call it, each time in a transaction of its own, until it returns 0.
///
/// # Errors
/// What the database says.
pub async fn prune(tx: &Tx, now: DateTime<Utc>) -> Result<u64, Problem> {
    Ok(tx.execute(PRUNE, [now.into(), PRUNE_BATCH.into()]).await?)
}
