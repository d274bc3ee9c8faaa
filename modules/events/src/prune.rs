//! Taking off the old end of the log.

use chrono::{DateTime, Utc};
use kernel::{Problem, Tx};

use crate::store;

/// Removes events that occurred before this moment, with the notes of who did them; `tx` reaches all tenants. Never
/// an event that a subscriber has yet to do, however old. It takes a bounded number at once, so that it holds up no
/// writer: call it, each time in a transaction of its own, until it returns 0.
///
/// # Errors
/// What the database says.
pub async fn prune(tx: &Tx, before: DateTime<Utc>) -> Result<u64, Problem> {
    let events = store::prune_log(tx, before).await?;
    Ok(events + store::prune_inbox(tx, before).await?)
}
