//! On to another service.

use std::io;

use base64::{Engine, prelude::BASE64_STANDARD};
use edge_routes::Shedding;
use edge_upstream::{Forwarding, Priority, ServedBy, UpstreamError};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::upgrade::OnUpgrade;
use tokio::time::Instant;

use super::{live::Routing, passage::Passage};
use crate::{
    app::ResponseBody,
    body::{BodyError, EdgeBody},
    identity_field::{IDENTITY, spelled_like, take_off},
    trace::TRACEPARENT,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// RFC 9440. Only the edge may say it.
const CLIENT_CERTIFICATE: HeaderName = HeaderName::from_static("client-cert");
const CLIENT_CERTIFICATE_CHAIN: HeaderName = HeaderName::from_static("client-cert-chain");

/// Sends a request to the route's pool. When the client leaves, the request at the service is cancelled.
pub(crate) async fn to_pool(
    routing: &Routing,
    passage: &Passage,
    mut request: Request<EdgeBody>,
) -> Response<ResponseBody> {
    let Some(pool) = &passage.found.extras.pool else {
        return failed(passage, &UpstreamError::Connect);
    };
    if let Some(by) = routing.authenticator() {
        by.conceal(request.headers_mut());
    }
    let client = request.extensions_mut().remove::<OnUpgrade>();
    let mut context = Forwarding::new(passage.client(), passage.edge.scheme.as_str());
    context.upgrades = client.is_some();
    context.priority = priority(passage.modifiers().shedding);
    context.deadline = passage.time_limit().map(|limit| Instant::now() + limit);
    context.fields.insert(REQUEST_ID, passage.edge.request_id.header_value());
    context.fields.insert(TRACEPARENT, passage.edge.trace.field());
    let ours = [CLIENT_CERTIFICATE, CLIENT_CERTIFICATE_CHAIN];
    take_off(request.headers_mut(), |name| ours.iter().any(|ours| spelled_like(name, ours)));
    if let Some(certificate) =
        passage.edge.client_certificate.as_ref().filter(|_| passage.modifiers().client_certificate)
        && let Ok(value) = HeaderValue::from_str(&format!(":{}:", BASE64_STANDARD.encode(certificate.der())))
    {
        context.fields.insert(CLIENT_CERTIFICATE, value);
    }
    if let Some(identity) = request.headers_mut().remove(IDENTITY) {
        context.fields.insert(IDENTITY, identity);
    }
    context.fields.extend(passage.granted.get().cloned().unwrap_or_default());
    match pool.send(request, context).await {
        Ok(mut answer) => {
            if let Some(served) = answer.extensions_mut().remove::<ServedBy>() {
                passage.target.get_or_init(|| served.0);
            }
            if answer.status() == StatusCode::SWITCHING_PROTOCOLS
                && let Some((client, service)) = client.zip(answer.extensions_mut().remove::<OnUpgrade>())
            {
                routing.tunnels.join(client, service, routing.watch(passage));
            }
            answer.map(|body| body.map_err(io::Error::from).boxed())
        }
        Err(error) => failed(passage, &error),
    }
}

const fn priority(shedding: Shedding) -> Priority {
    match shedding {
        Shedding::Low => Priority::Low,
        Shedding::Normal => Priority::Normal,
        Shedding::High => Priority::High,
    }
}

/// The problem that tells of a request without an answer.
fn failed(passage: &Passage, error: &UpstreamError) -> Response<ResponseBody> {
    if let UpstreamError::RequestBody(source) = error
        && let Some(reason) = BodyError::of(&**source)
    {
        return passage.problem((status(reason.status()), reason.code(), &reason.to_string()));
    }
    let sentence = error.to_string();
    let words = (status(error.status()), error.code(), sentence.as_str());
    match error.retry_after() {
        Some(wait) => passage.problem_later(words, wait.as_secs().max(1)),
        None => passage.problem(words),
    }
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::BAD_GATEWAY)
}
