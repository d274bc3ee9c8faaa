//! Every change stands in the audit trail and in the event log, under one name, in its own transaction; never with the
//! text of a message.

use audit::Entry;
use kernel::{Caller, Problem, Tx};
use serde_json::Value;

/// Records that `action` happened to an object of this kind and id.
pub(crate) async fn announce(
    tx: &Tx,
    caller: &Caller,
    action: &'static str,
    (kind, id): (&'static str, String),
    data: Value,
) -> Result<(), Problem> {
    events::publish(tx, action, &id, data.clone()).await?;
    audit::append(tx, caller, Entry::success(action).target(kind, id).details(data)).await
}
