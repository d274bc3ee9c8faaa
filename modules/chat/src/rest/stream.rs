//! An answer's stream as server-sent events (HTML Living Standard, 9.2).

use std::io;
use std::time::Duration;

use async_stream::stream;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt};
use kernel::Problem;
use poem::http::StatusCode;
use poem::{Body, IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::types::{ToJSON, Type};

use crate::error::Error;
use crate::model::{Answer, AnswerId, ChatEvent};

const EVENT_STREAM: &str = "text/event-stream";
/// After this much silence a comment goes out, so that nobody in between takes the connection for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The stream of an answer.
pub struct Events(AnswerId, BoxStream<'static, ChatEvent>);

impl Events {
    pub(super) fn new(id: AnswerId, events: impl Stream<Item = ChatEvent> + Send + 'static) -> Self {
        Self(id, events.boxed())
    }
}

/// The number of the event that the client got last, out of its `Last-Event-ID`: `ans_…:12`.
///
/// # Errors
/// [`Error::EventIdInvalid`] for anything else than an event of this answer.
pub(super) fn last_event(id: AnswerId, text: Option<&str>) -> Result<i64, Problem> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(0) };
    let number = text.split_once(':').filter(|(answer, _)| *answer == id.to_string()).map(|(_, number)| number);
    let number = number.and_then(|number| number.parse().ok()).filter(|number| *number >= 0);
    number.ok_or_else(|| Error::EventIdInvalid.into())
}

fn render(id: AnswerId, event: &ChatEvent) -> Bytes {
    format!("id: {id}:{}\nevent: {}\ndata: {}\n\n", event.seq, event.kind.as_str(), event.data).into()
}

impl IntoResponse for Events {
    fn into_response(self) -> Response {
        let Self(id, mut events) = self;
        let bytes = stream! {
            loop {
                let next = tokio::time::timeout(KEEP_ALIVE, events.next()).await;
                match next {
                    Ok(Some(event)) => yield Ok::<_, io::Error>(render(id, &event)),
                    Ok(None) => return,
                    Err(_) => yield Ok(Bytes::from_static(b": still here\n\n")),
                }
            }
        };
        Response::builder()
            .content_type(EVENT_STREAM)
            .header("cache-control", "no-cache")
            .header("x-accel-buffering", "no")
            .body(Body::from_bytes_stream(bytes))
    }
}

fn meta() -> MetaResponse {
    MetaResponse {
        description: "The events, each with an id to resume from.",
        status: Some(200),
        status_range: None,
        content: vec![MetaMediaType {
            content_type: EVENT_STREAM,
            // The events are described in words; no schema fits all.
            schema: MetaSchemaRef::Inline(Box::new(MetaSchema::ANY)),
        }],
        headers: Vec::new(),
    }
}

impl ApiResponse for Events {
    fn meta() -> MetaResponses {
        MetaResponses { responses: vec![meta()] }
    }

    fn register(_registry: &mut Registry) {}
}

/// What a question gets: the stream of its answer, or 202 with the answer to follow.
pub enum Asked {
    Stream(Events),
    Accepted(Answer),
}

impl IntoResponse for Asked {
    fn into_response(self) -> Response {
        match self {
            Self::Stream(events) => events.into_response(),
            Self::Accepted(answer) => Response::builder()
                .status(StatusCode::ACCEPTED)
                .content_type("application/json")
                .body(answer.to_json_string()),
        }
    }
}

impl ApiResponse for Asked {
    fn meta() -> MetaResponses {
        let accepted = MetaResponse {
            description: "Accepted; follow its stream.",
            status: Some(202),
            status_range: None,
            content: vec![MetaMediaType { content_type: "application/json", schema: Answer::schema_ref() }],
            headers: Vec::new(),
        };
        MetaResponses { responses: vec![meta(), accepted] }
    }

    fn register(registry: &mut Registry) {
        Answer::register(registry);
    }
}

#[cfg(test)]
mod tests {
    use kernel::Id;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn an_event_id_names_an_event_of_this_answer() {
        let (one, other): (AnswerId, AnswerId) = (Id::from_uuid(Uuid::from_u128(1)), Id::from_uuid(Uuid::from_u128(2)));

        assert_eq!(last_event(one, None).unwrap(), 0);
        assert_eq!(last_event(one, Some(&format!("{one}:12"))).unwrap(), 12);
        for wrong in ["12".to_owned(), format!("{other}:12"), format!("{one}:-1"), format!("{one}:x"), format!("{one}")]
        {
            assert!(last_event(one, Some(&wrong)).is_err(), "{wrong}");
        }
    }
}
