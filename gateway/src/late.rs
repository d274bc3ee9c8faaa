//! An application that comes later: until then the edge holds the port, shakes hands with the certificates that are at
//! hand, and asks clients to come back.

use std::sync::{Arc, OnceLock};

use http::{HeaderValue, Request, Response, StatusCode, header, request};

use crate::{
    app::{App, EdgeInfo, ListenerKind, RequestId, ResponseBody},
    body::EdgeBody,
    refusal::problem,
};

/// Seconds until a client may try again.
const RETRY_AFTER: u64 = 5;

/// Holds the place of an application.
pub struct Late<A> {
    inner: OnceLock<Arc<A>>,
    why: &'static str,
}

impl<A> Late<A> {
    /// Nothing yet; clients read `why`, a sentence.
    pub const fn new(why: &'static str) -> Self {
        Self { inner: OnceLock::new(), why }
    }

    /// From now on this answers; the first one stays.
    pub fn come(&self, app: Arc<A>) {
        drop(self.inner.set(app));
    }

    fn not_yet(&self, request: &Request<EdgeBody>) -> Response<ResponseBody> {
        let edge = request.extensions().get::<EdgeInfo>();
        let request_id = edge.map_or_else(RequestId::mint, |edge| edge.request_id.clone());
        let alive = edge.is_some_and(|edge| edge.listener == ListenerKind::Ops) && request.uri().path() == "/healthz";
        let status = if alive { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let mut answer = problem((status, "edge.starting", self.why), &request_id, true);
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER));
        answer
    }
}

impl<A: App> App for Late<A> {
    async fn call(&self, request: Request<EdgeBody>) -> Response<ResponseBody> {
        match self.inner.get() {
            Some(inner) => inner.call(request).await,
            None => self.not_yet(&request),
        }
    }

    fn prepare(&self, head: &mut request::Parts) {
        if let Some(inner) = self.inner.get() {
            inner.prepare(head);
        }
    }

    fn rate_key(&self, head: &request::Parts) -> Option<u64> {
        self.inner.get()?.rate_key(head)
    }

    fn max_body_bytes(&self, head: &request::Parts) -> Option<u64> {
        self.inner.get()?.max_body_bytes(head)
    }
}
