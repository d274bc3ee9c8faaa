//! Writing an event, in the transaction of what it tells of.

use kernel::{Problem, Tx};
use serde_json::Value;

use crate::error::Error;
use crate::model::{Event, EventId};
use crate::store;

/// Rung after a commit that published something.
pub(crate) const BELL: &str = "events";
/// The most bytes of an event's data. Events are read in batches, so one must not be worth a hundred.
const MAX_DATA: usize = 64 * 1024;
/// The deepest nesting of an event's data; a parser refuses what is nested without end.
const MAX_DEPTH: usize = 64;
const MAX_KEY: usize = 200;

/// Publishes an event in the tenant of `tx`: subscribers hear of it if and when `tx` commits. Events of the tenant
/// with the same `key` are heard in the order in which their transactions began to write.
///
/// # Errors
/// [`Error::DataTooLarge`], [`Error::DataTooDeep`] or [`Error::KeyInvalid`] as problems, and what the database says.
pub async fn publish(tx: &Tx, kind: &'static str, key: &str, data: Value) -> Result<EventId, Problem> {
    if key.is_empty() || key.len() > MAX_KEY {
        return Err(Error::KeyInvalid { max: MAX_KEY }.into());
    }
    let text = data.to_string();
    if text.len() > MAX_DATA {
        return Err(Error::DataTooLarge { size: text.len(), max: MAX_DATA }.into());
    }
    if is_deeper(&data, MAX_DEPTH) {
        return Err(Error::DataTooDeep { max: MAX_DEPTH }.into());
    }
    let id = tx.new_id();
    let event =
        Event { id, tenant: tx.tenant(), kind: kind.to_owned(), key: key.to_owned(), data, occurred_at: tx.now() };
    store::insert(tx, &event, text).await?;
    tx.ring_on_commit(BELL);
    Ok(id)
}

/// Whether a value is nested deeper than this.
fn is_deeper(value: &Value, levels: usize) -> bool {
    let Some(rest) = levels.checked_sub(1) else { return true };
    match value {
        Value::Array(items) => items.iter().any(|item| is_deeper(item, rest)),
        Value::Object(members) => members.values().any(|member| is_deeper(member, rest)),
        _ => false,
    }
}
