//! Requests as server-sent events (HTML Living Standard, 9.2).

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use kernel::rest::EventStream;

use crate::error::Error;
use crate::model::MissedRequests;
use crate::traffic::RequestEvent;

/// What a tail tells, as events `request` and `missed`; the id is the number of the last request told of.
pub(super) fn events(told: impl Stream<Item = RequestEvent> + Send + 'static) -> EventStream {
    EventStream::new(told.map(|event| render(&event))).greeting()
}

/// The number of the last request that the client was told of.
///
/// # Errors
/// [`Error::EventIdInvalid`].
pub(super) fn after(last_event_id: Option<&str>) -> Result<Option<i64>, Error> {
    let Some(text) = last_event_id.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    let number = text.parse().ok().filter(|number| *number >= 0);
    number.map(Some).ok_or(Error::EventIdInvalid)
}

fn render(event: &RequestEvent) -> Bytes {
    // Both serialise always: they are texts and numbers.
    match event {
        RequestEvent::Request(request) => {
            EventStream::event(request.number, "request", serde_json::to_string(request).unwrap_or_default())
        }
        RequestEvent::Missed { missed, up_to } => {
            let data = serde_json::to_string(&MissedRequests { missed: *missed }).unwrap_or_default();
            EventStream::event(up_to, "missed", data)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_id_is_a_number() {
        assert_eq!(after(None).unwrap(), None);
        assert_eq!(after(Some(" ")).unwrap(), None);
        assert_eq!(after(Some("1700000000000000")).unwrap(), Some(1_700_000_000_000_000));
        for bad in ["x", "-1", "1.5", "99999999999999999999"] {
            assert!(matches!(after(Some(bad)), Err(Error::EventIdInvalid)), "{bad}");
        }
    }

    #[test]
    fn what_was_missed_has_the_id_of_the_last_of_it() {
        let told = render(&RequestEvent::Missed { missed: 7, up_to: 41 });

        assert_eq!(told, "id: 41\nevent: missed\ndata: {\"missed\":7}\n\n");
    }
}
