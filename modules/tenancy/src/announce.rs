//! Every change stands in the audit trail and in the event log, under one name, in its own transaction.

use audit::Entry;
use kernel::{Caller, Problem, Tx};
use serde::Serialize;

/// What was changed: the kind of object, and its id.
pub(crate) type Target = (&'static str, String);

/// Records that `action` happened to `target`, which now looks like `object`.
pub(crate) async fn announce<T: Serialize>(
    tx: &Tx,
    caller: &Caller,
    action: &'static str,
    target: Target,
    object: &T,
) -> Result<(), Problem> {
    let data = serde_json::to_value(object).map_err(Problem::internal)?;
    let (kind, id) = target;
    events::publish(tx, action, &id, data.clone()).await?;
    audit::append(tx, caller, Entry::success(action).target(kind, id).details(data)).await
}
