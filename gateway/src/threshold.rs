//! What is decided before any route: a CA's HTTP-01 question, the redirect from HTTP to HTTPS, and HSTS.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use edge_certificates::HttpAnswers;
use http::{HeaderValue, Method, Request, Response, StatusCode, header, request};
use http_body_util::{BodyExt, Full};
use serde::Deserialize;

use crate::{
    app::{App, EdgeInfo, ListenerKind, ResponseBody, Scheme},
    body::EdgeBody,
    refusal::problem,
    units,
};

/// How strictly the edge asks for HTTPS.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Https {
    /// Whether the HTTP listener answers with a redirect (308) to HTTPS.
    pub redirect: bool,
    /// The port in redirects; 0 = the HTTPS listener's own.
    pub port: u16,
    /// `Strict-Transport-Security` (RFC 6797) on answers over HTTPS. 0 = not sent.
    #[serde(deserialize_with = "units::duration")]
    pub hsts: Duration,
    /// Whether that counts for all names below as well.
    pub hsts_subdomains: bool,
    /// Whether the name may be taken into browsers' preload lists.
    pub hsts_preload: bool,
}

/// Stands in front of an application (and its routes).
pub struct Threshold<A> {
    inner: Arc<A>,
    answers: Arc<HttpAnswers>,
    redirect_port: Option<u16>,
    hsts: Option<HeaderValue>,
}

impl<A: App> Threshold<A> {
    /// In front of `inner`; `port` is the HTTPS listener's.
    pub fn new(inner: Arc<A>, answers: Arc<HttpAnswers>, https: &Https, port: u16) -> Self {
        let port = if https.port == 0 { port } else { https.port };
        Self { inner, answers, redirect_port: https.redirect.then_some(port), hsts: https.hsts() }
    }

    /// The key authorization, if a CA asks for one that is set (RFC 8555, section 8.3).
    async fn challenge(&self, method: Method, path: String) -> Option<Response<ResponseBody>> {
        if !matches!(method, Method::GET | Method::HEAD) {
            return None;
        }
        let text = self.answers.answer(&path).await?;
        let mut answer = Response::new(whole(Bytes::from(text)));
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Some(answer)
    }

    fn redirect(&self, edge: &EdgeInfo, request: &Request<EdgeBody>) -> Option<Response<ResponseBody>> {
        let port = self.redirect_port.filter(|_| edge.listener == ListenerKind::Http && edge.scheme == Scheme::Http)?;
        let Some(host) = edge.host.as_deref() else {
            let words = (StatusCode::BAD_REQUEST, "edge.https_required", "Use HTTPS here.");
            return Some(problem(words, &edge.request_id, false));
        };
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let place =
            if port == 443 { format!("https://{host}{target}") } else { format!("https://{host}:{port}{target}") };
        let mut answer = Response::new(whole(Bytes::new()));
        *answer.status_mut() = StatusCode::PERMANENT_REDIRECT;
        answer.headers_mut().insert(header::LOCATION, HeaderValue::from_str(&place).ok()?);
        Some(answer)
    }
}

impl<A: App> App for Threshold<A> {
    async fn call(&self, request: Request<EdgeBody>) -> Response<ResponseBody> {
        let is_challenge = HttpAnswers::is_challenge(request.uri().path());
        if is_challenge {
            let (method, path) = (request.method().clone(), request.uri().path().to_owned());
            if let Some(answer) = self.challenge(method, path).await {
                return answer;
            }
        }
        let edge = request.extensions().get::<EdgeInfo>();
        let secure = edge.is_some_and(|edge| edge.scheme == Scheme::Https);
        let redirect = edge.filter(|_| !is_challenge).and_then(|edge| self.redirect(edge, &request));
        if let Some(redirect) = redirect {
            return redirect;
        }
        let mut answer = self.inner.call(request).await;
        if let Some(hsts) = self.hsts.as_ref().filter(|_| secure) {
            answer.headers_mut().entry(header::STRICT_TRANSPORT_SECURITY).or_insert_with(|| hsts.clone());
        }
        answer
    }

    fn prepare(&self, head: &mut request::Parts) {
        self.inner.prepare(head);
    }

    fn rate_key(&self, head: &request::Parts) -> Option<u64> {
        self.inner.rate_key(head)
    }

    fn max_body_bytes(&self, head: &request::Parts) -> Option<u64> {
        self.inner.max_body_bytes(head)
    }
}

impl Https {
    fn hsts(&self) -> Option<HeaderValue> {
        if self.hsts.is_zero() {
            return None;
        }
        let below = if self.hsts_subdomains { "; includeSubDomains" } else { "" };
        let preload = if self.hsts_preload { "; preload" } else { "" };
        HeaderValue::from_str(&format!("max-age={}{below}{preload}", self.hsts.as_secs())).ok()
    }
}

fn whole(bytes: Bytes) -> ResponseBody {
    Full::new(bytes).map_err(|never| match never {}).boxed()
}
