//! Progress as server-sent events (HTML Living Standard, 9.2).

use std::io;
use std::time::Duration;

use async_stream::stream;
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt};
use kernel::Problem;
use poem::{Body, IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry};

use crate::model::Ingest;

const EVENT_STREAM: &str = "text/event-stream";
/// After this much silence a comment goes out, so that nobody in between takes the connection for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Documents as they change.
pub(super) struct Progress(BoxStream<'static, Ingest>);

impl Progress {
    pub(super) fn new(items: impl Stream<Item = Ingest> + Send + 'static) -> Self {
        Self(items.boxed())
    }
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
    let data = serde_json::to_string(item).unwrap_or_default();
    format!("id: {id}\nevent: document\ndata: {data}\n\n").into()
}

impl IntoResponse for Progress {
    fn into_response(self) -> Response {
        let Self(mut items) = self;
        let bytes = stream! {
            // At once, so that the client knows that it is listened to.
            yield Ok::<_, io::Error>(Bytes::from_static(b": from here on\n\n"));
            loop {
                match tokio::time::timeout(KEEP_ALIVE, items.next()).await {
                    Ok(Some(item)) => yield Ok(render(&item)),
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

impl ApiResponse for Progress {
    fn meta() -> MetaResponses {
        let meta = MetaResponse {
            description: "Events `document`, each with an id to resume from.",
            status: Some(200),
            status_range: None,
            content: vec![MetaMediaType {
                content_type: EVENT_STREAM,
                // The events are described in words; no schema fits all.
                schema: MetaSchemaRef::Inline(Box::new(MetaSchema::ANY)),
            }],
            headers: Vec::new(),
        };
        MetaResponses { responses: vec![meta] }
    }

    fn register(_registry: &mut Registry) {}
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
