//! Server-sent events (HTML Living Standard, 9.2).

use std::fmt::Display;
use std::io;
use std::time::Duration;

use async_stream::stream;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt};
use poem::{Body, IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry};

const EVENT_STREAM: &str = "text/event-stream";
/// After this much silence a comment goes out, so that nobody in between takes the connection for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// 200 with events for as long as they come.
pub struct EventStream {
    events: BoxStream<'static, Bytes>,
    greets: bool,
}

impl EventStream {
    /// These events, each made by [`Self::event`].
    pub fn new(events: impl Stream<Item = Bytes> + Send + 'static) -> Self {
        Self { events: events.boxed(), greets: false }
    }

    /// The same with a comment at once, so that the client knows that it is listened to before the first event.
    #[must_use]
    pub fn greeting(self) -> Self {
        Self { greets: true, ..self }
    }

    /// One event: the id to resume from, its name, and its data on one line.
    pub fn event(id: impl Display, name: impl Display, data: impl Display) -> Bytes {
        format!("id: {id}\nevent: {name}\ndata: {data}\n\n").into()
    }

    /// How the API's document describes it, for answers that are this or something else.
    pub fn response_meta() -> MetaResponse {
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
}

impl IntoResponse for EventStream {
    fn into_response(self) -> Response {
        let Self { mut events, greets } = self;
        let bytes = stream! {
            if greets {
                yield Ok::<_, io::Error>(Bytes::from_static(b": from here on\n\n"));
            }
            loop {
                match tokio::time::timeout(KEEP_ALIVE, events.next()).await {
                    Ok(Some(event)) => yield Ok(event),
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

impl ApiResponse for EventStream {
    fn meta() -> MetaResponses {
        MetaResponses { responses: vec![Self::response_meta()] }
    }

    fn register(_registry: &mut Registry) {}
}
