//! Progress as server-sent events (HTML Living Standard, 9.2).

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use futures_util::{Stream, StreamExt};
use kernel::Problem;
use kernel::rest::EventStream;

use crate::model::Ingest;

/// Documents as they change.
pub(super) fn events(items: impl Stream<Item = Ingest> + Send + 'static) -> EventStream {
    EventStream::new(items.map(|item| render(&item))).greeting()
}

/// The time of the last change that the client was told of.
///
/// # Errors
/// 400 for anything else than an id of these events.
pub(super) fn since(last_event_id: Option<&str>) -> Result<Option<DateTime<Utc>>, Problem> {
    let Some(text) = last_event_id.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    match DateTime::parse_from_rfc3339(text) {
        Ok(time) => Ok(Some(time.to_utc())),
        Err(_) => Err(Problem::field(
            "Last-Event-ID",
            "knowledge.event_id_invalid",
            "Last-Event-ID takes the id of an event of this stream; leave it out to begin now.",
        )),
    }
}

fn render(item: &Ingest) -> Bytes {
    let id = item.updated_at.to_rfc3339_opts(SecondsFormat::Micros, true);
    EventStream::event(id, "document", serde_json::to_string(item).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_id_is_a_time() {
        assert_eq!(since(None).unwrap(), None);
        assert!(since(Some("2026-01-01T00:00:00.000001Z")).unwrap().is_some());
        assert!(since(Some("ans_1:2")).is_err());
    }
}
