//! Another service decides who may pass: it is asked before each request, and what it says of the caller goes on.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use edge_upstream::{Forwarding, Pool, UpstreamBody, config::PoolConfig};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header, uri::PathAndQuery};
use http_body_util::{BodyExt, Empty, Limited};
use serde_json::json;
use tokio::time::{Instant, timeout_at};

use super::passage::{Passage, full};
use crate::{
    app::ResponseBody,
    identity_field::{IDENTITY, spelled_like, take_off},
};

const METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");
const URI: HeaderName = HeaderName::from_static("x-forwarded-uri");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The largest answer that is passed on.
const MOST: usize = 256 * 1024;

/// What asks for another answer than the one that is wanted, or belongs to a body that is not sent.
const NOT_ASKED: [HeaderName; 11] = [
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::CONTENT_ENCODING,
    header::EXPECT,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_UNMODIFIED_SINCE,
    header::IF_RANGE,
    header::RANGE,
    IDENTITY,
];

/// One route's service that decides.
pub(crate) struct ForwardAuth {
    pool: Arc<Pool>,
    target: PathAndQuery,
    copied: Vec<HeaderName>,
    patience: Duration,
}

/// The name of the pool that a route's questions go through; pools of the file can't be called so.
pub(crate) fn pool_name(route: &str) -> String {
    format!("forward_auth:{route}")
}

/// That pool, if the address can be one's.
pub(crate) fn pool(auth: &edge_routes::ForwardAuth) -> Option<PoolConfig> {
    let uri: Uri = auth.url.parse().ok()?;
    let target = format!("{}://{}", uri.scheme_str()?, uri.authority()?);
    let patience = auth.timeout_seconds;
    let config = json!({
        "targets": [{ "url": target }],
        "reach": auth.reach,
        "host": "target",
        "timeouts": { "connect": patience, "response_head": patience, "between_frames": patience, "whole": patience },
        "retry": { "attempts": 0 },
    });
    serde_json::from_value(config).ok()
}

impl ForwardAuth {
    pub(crate) fn new(auth: &edge_routes::ForwardAuth, pool: Arc<Pool>) -> Option<Self> {
        let uri: Uri = auth.url.parse().ok()?;
        let target = uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        let copied = auth.copy_headers.iter().filter_map(|name| HeaderName::try_from(name.as_str()).ok()).collect();
        Some(Self { pool, target, copied, patience: Duration::from_secs(auth.timeout_seconds) })
    }

    /// Takes off what a client says under the names of the service's own words, in any spelling.
    pub(crate) fn strip(&self, headers: &mut HeaderMap) {
        take_off(headers, |name| self.copied.iter().any(|ours| spelled_like(name, ours)));
    }

    /// Asks; gives what goes on with the request.
    ///
    /// # Errors
    /// The answer to the client: the service's own, or that it can't be asked.
    pub(crate) async fn ask(
        &self,
        passage: &Passage,
        headers: HeaderMap,
    ) -> Result<HeaderMap, Box<Response<ResponseBody>>> {
        let deadline = Instant::now() + self.patience;
        let mut context = Forwarding::new(passage.client(), passage.edge.scheme.as_str());
        context.deadline = Some(deadline);
        context.fields.insert(REQUEST_ID, passage.edge.request_id.header_value());
        if let Ok(method) = HeaderValue::from_str(passage.method.as_str()) {
            context.fields.insert(METHOD, method);
        }
        let asked = passage.asked.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
        if let Ok(uri) = HeaderValue::from_str(&asked) {
            context.fields.insert(URI, uri);
        }
        let answer = match timeout_at(deadline, self.pool.send(self.question(headers), context)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(Box::new(undecided(passage, &error.to_string()))),
            Err(_) => return Err(Box::new(undecided(passage, "no answer in time"))),
        };
        if answer.status().is_success() {
            return Ok(self.allowed(answer, deadline).await);
        }
        Err(Box::new(decided(passage, answer, deadline).await))
    }

    fn question(&self, headers: HeaderMap) -> Request<Empty<Bytes>> {
        let mut question = Request::new(Empty::new());
        *question.method_mut() = Method::GET;
        *question.uri_mut() = Uri::from(self.target.clone());
        *question.headers_mut() = headers;
        for name in &NOT_ASKED {
            question.headers_mut().remove(name);
        }
        question
    }

    /// What is copied out of a yes. Its body is read, so that the connection can be used again, as far as it is small.
    async fn allowed(&self, answer: Response<UpstreamBody>, deadline: Instant) -> HeaderMap {
        let (head, body) = answer.into_parts();
        let mut copied = HeaderMap::new();
        for name in &self.copied {
            for value in head.headers.get_all(name) {
                copied.append(name.clone(), value.clone());
            }
        }
        drop(timeout_at(deadline, Limited::new(body, MOST).collect()).await);
        copied
    }
}

/// A no goes to the client as it is, with all that leads to a yes: a way to a login, a cookie, a challenge.
async fn decided(passage: &Passage, answer: Response<UpstreamBody>, deadline: Instant) -> Response<ResponseBody> {
    let (head, body) = answer.into_parts();
    if !(head.status.is_redirection() || head.status.is_client_error()) {
        return undecided(passage, head.status.as_str());
    }
    match timeout_at(deadline, Limited::new(body, MOST).collect()).await {
        Ok(Ok(body)) => Response::from_parts(head, full(body.to_bytes())),
        Ok(Err(error)) => undecided(passage, &error.to_string()),
        Err(_) => undecided(passage, "no whole answer in time"),
    }
}

fn undecided(passage: &Passage, reason: &str) -> Response<ResponseBody> {
    tracing::warn!(route = passage.found.extras.id.as_ref(), reason, "the service that decides who may pass did not");
    let sentence = "Whether you may pass can't be told at this moment; try again.";
    passage.problem_later((StatusCode::SERVICE_UNAVAILABLE, "edge.forward_auth_unavailable", sentence), 1)
}
