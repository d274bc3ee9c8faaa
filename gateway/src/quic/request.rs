//! One request over HTTP/3: its head, the service, its answer, until the client has all of it.

use std::{future::poll_fn, pin::Pin, sync::Arc, task::Poll, time::Duration};

use bytes::Bytes;
use h3::{
    error::{Code, StreamError},
    server::{RequestResolver, RequestStream},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::Body;
use tokio::time::{interval, timeout};

use super::{
    transport::{Leaving, Reader, Transport, Writer},
    upload::Upload,
};
use crate::{app::App, service::Service, telemetry, tracked::Tracked};

/// What is handed to QUIC at once; the client's patience is measured anew for each piece.
const PIECE: usize = 16 * 1024;

/// What the requests of one connection share.
pub(super) struct Requests<A> {
    pub(super) service: Arc<Service<A>>,
    pub(super) connection: quinn::Connection,
}

impl<A: App> Requests<A> {
    /// Serves one, until the client has the answer or has left.
    pub(super) async fn serve(&self, resolver: RequestResolver<Transport, Bytes>, mut leaving: Leaving) {
        let patience = self.service.edge.config.header_timeout;
        let (request, stream) = match timeout(patience, resolver.resolve_request()).await {
            Ok(Ok(request)) => request,
            Ok(Err(error)) => return tracing::debug!(%error, "a stream was no request"),
            Err(_) => return telemetry::connection_cut("header_timeout"),
        };
        let (send, receive) = stream.split();
        let answer = self.answer(request, receive, send);
        let answered = tokio::select! {
            biased;
            () = &mut leaving => None,
            answered = answer => answered,
        };
        if let Some(body) = answered {
            self.until_taken(&body, leaving).await;
        }
    }

    /// Gives the answer's body back once all of it is on its way; it stands for the request.
    async fn answer(
        &self,
        request: Request<()>,
        receive: RequestStream<Reader, Bytes>,
        mut send: RequestStream<Writer, Bytes>,
    ) -> Option<Tracked> {
        let mut upload = Upload::new(receive, request.headers());
        poll_fn(|cx| {
            upload.peek(cx);
            Poll::Ready(())
        })
        .await;
        let bodiless = *request.method() == Method::HEAD;
        let response = self.service.handle(request.map(|()| upload)).await;
        let (head, mut body) = finish_head(response, bodiless);
        let sent = self.send(head, &mut body, &mut send).await;
        match sent {
            Ok(()) => Some(body),
            Err(Unsent::Application) => {
                send.stop_stream(Code::H3_INTERNAL_ERROR);
                None
            }
            Err(Unsent::Stream(error)) => {
                tracing::debug!(%error, "an answer was not sent to its end");
                None
            }
        }
    }

    async fn send(
        &self,
        (head, bodiless): (Response<()>, bool),
        body: &mut Tracked,
        send: &mut RequestStream<Writer, Bytes>,
    ) -> Result<(), Unsent> {
        send.send_response(head).await?;
        while !bodiless && let Some(frame) = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
            let frame = frame.map_err(|error| {
                tracing::debug!(%error, "an answer broke off");
                Unsent::Application
            })?;
            match frame.into_data() {
                Ok(mut data) => {
                    while !data.is_empty() {
                        send.send_data(data.split_to(PIECE.min(data.len()))).await?;
                        body.taken();
                    }
                }
                Err(frame) => {
                    if let Ok(trailers) = frame.into_trailers() {
                        send.send_trailers(trailers).await?;
                    }
                }
            }
        }
        Ok(send.finish().await?)
    }

    /// Waits until the client has all of an answer that is on its way, as long as it takes some of it.
    async fn until_taken(&self, body: &Tracked, mut leaving: Leaving) {
        let mut looks = interval((self.service.edge.config.write_timeout / 4).max(Duration::from_millis(1)));
        let sent = || self.connection.stats().frame_tx.stream;
        let mut before = sent();
        loop {
            tokio::select! {
                biased;
                () = &mut leaving => return,
                _ = looks.tick() => {}
            }
            let now = sent();
            if now != before {
                before = now;
                body.taken();
            }
        }
    }
}

/// Why an answer did not get out.
enum Unsent {
    /// Its body broke.
    Application,
    Stream(StreamError),
}

impl From<StreamError> for Unsent {
    fn from(error: StreamError) -> Self {
        Self::Stream(error)
    }
}

/// The head as HTTP/3 wants it, with what hyper adds on the other protocols, and whether no body follows it.
fn finish_head(response: Response<Tracked>, head_only: bool) -> ((Response<()>, bool), Tracked) {
    let (mut head, body) = response.into_parts();
    strip(&mut head.headers);
    let bodiless = head_only || matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if !bodiless
        && !head.headers.contains_key(header::CONTENT_LENGTH)
        && let Some(length) = body.size_hint().exact()
    {
        head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    #[expect(clippy::disallowed_methods, reason = "the Date of an answer, which hyper takes from the system as well")]
    let now = std::time::SystemTime::now();
    if !head.headers.contains_key(header::DATE)
        && let Ok(date) = HeaderValue::from_str(&httpdate::fmt_http_date(now))
    {
        head.headers.insert(header::DATE, date);
    }
    ((Response::from_parts(head, ()), bodiless), body)
}

/// Takes off what belongs to connections of HTTP/1.1 (RFC 9114, section 4.2).
fn strip(headers: &mut HeaderMap) {
    for name in [
        header::CONNECTION,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
        HeaderName::from_static("keep-alive"),
        HeaderName::from_static("proxy-connection"),
    ] {
        headers.remove(name);
    }
}
