//! An answer's stream as server-sent events (HTML Living Standard, 9.2).

use futures_util::{Stream, StreamExt};
use kernel::Problem;
use kernel::rest::EventStream;
use poem::http::StatusCode;
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::{ToJSON, Type};

use crate::error::Error;
use crate::model::{Answer, AnswerId, ChatEvent};

/// The stream of an answer.
pub(super) fn events(id: AnswerId, events: impl Stream<Item = ChatEvent> + Send + 'static) -> EventStream {
    let render =
        move |event: ChatEvent| EventStream::event(format_args!("{id}:{}", event.seq), event.kind.as_str(), event.data);
    EventStream::new(events.map(render))
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

/// What a question gets: the stream of its answer, or 202 with the answer to follow.
pub enum Asked {
    Stream(EventStream),
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
        MetaResponses { responses: vec![EventStream::response_meta(), accepted] }
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
