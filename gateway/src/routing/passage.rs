//! One request on its way through its route, and the refusals that need no more than its head.

use std::{
    net::IpAddr,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use edge_cache::{Scheme as CacheScheme, Scope};
use edge_routes::{StepBody, Steps};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header, request, uri::PathAndQuery};
use http_body_util::{BodyExt, Empty, Full};
use uuid::Uuid;

use super::in_force::Found;
use crate::{
    app::{EdgeInfo, ResponseBody, Scheme},
    authenticator::Identity,
    journal::{CacheOutcome, Particulars},
    limits::Charges,
    refusal::problem,
};

/// What all steps of a route know of the request.
pub(crate) struct Passage {
    pub(crate) found: Found,
    pub(crate) edge: EdgeInfo,
    pub(crate) method: Method,
    /// The target as the client asked.
    pub(crate) asked: Uri,
    /// What the answer's way back depends on: `Origin` and `Accept-Encoding`.
    pub(crate) origin: HeaderMap,
    pub(crate) begun: Instant,
    /// The credential's name for limits.
    pub(crate) key: Option<u64>,
    /// Who asks, where the route wants to know.
    pub(crate) identity: OnceLock<Identity>,
    /// What the service that decided about the request says of it.
    pub(crate) granted: OnceLock<HeaderMap>,
    /// What it was charged by the limits of its route.
    pub(crate) charges: Mutex<Charges>,
    /// What the cache did, where the route has one.
    pub(crate) cache: OnceLock<CacheOutcome>,
    /// The server that answered.
    pub(crate) target: OnceLock<Arc<str>>,
    /// Whether the application behind the edge was asked.
    inside: AtomicBool,
}

impl Passage {
    pub(crate) fn new(found: Found, edge: EdgeInfo, head: &request::Parts, key: Option<u64>) -> Self {
        let route = &found.matched.route;
        let depends = route.steps.cors.is_some() || route.route.modifiers.compression.is_some();
        let mut origin = HeaderMap::new();
        for name in [header::ORIGIN, header::ACCEPT_ENCODING].into_iter().filter(|_| depends) {
            for value in head.headers.get_all(&name) {
                origin.append(name.clone(), value.clone());
            }
        }
        Self {
            found,
            edge,
            method: head.method.clone(),
            asked: head.uri.clone(),
            origin,
            begun: Instant::now(),
            key,
            identity: OnceLock::new(),
            granted: OnceLock::new(),
            charges: Mutex::default(),
            cache: OnceLock::new(),
            target: OnceLock::new(),
            inside: AtomicBool::new(false),
        }
    }

    pub(crate) fn steps(&self) -> &Steps {
        &self.found.matched.route.steps
    }

    pub(crate) fn modifiers(&self) -> &edge_routes::Modifiers {
        &self.found.matched.route.route.modifiers
    }

    /// How long the answer's head may take.
    pub(crate) fn time_limit(&self) -> Option<Duration> {
        self.modifiers().limits.timeout_seconds.map(Duration::from_secs)
    }

    pub(crate) fn client(&self) -> IpAddr {
        self.edge.client_addr
    }

    /// Without the dot that a full name may end with.
    pub(crate) fn host(&self) -> &str {
        self.edge.host.as_deref().unwrap_or_default().trim_end_matches('.')
    }

    /// Path and query in normal form, as the client asked.
    pub(crate) fn normal(&self) -> Option<PathAndQuery> {
        let path = self.found.path.as_str();
        match (self.asked.path_and_query(), self.asked.query()) {
            (Some(asked), _) if asked.path() == path => Some(asked.clone()),
            (_, Some(query)) => format!("{path}?{query}").parse().ok(),
            (_, None) => path.parse().ok(),
        }
    }

    /// Path and query as they go on.
    pub(crate) fn target(&self) -> Option<PathAndQuery> {
        let path = self.found.path.as_str();
        self.steps().rewrite.apply(path, self.asked.query(), &self.found.matched.parameters)
    }

    /// Whose an answer in the cache is; none on HTTP/1.0 without a `Host`.
    pub(crate) fn scope(&self, headers: &HeaderMap) -> Option<Scope> {
        let host = headers.get(header::HOST)?.to_str().ok()?;
        let scheme = match self.edge.scheme {
            Scheme::Http => CacheScheme::Http,
            Scheme::Https => CacheScheme::Https,
        };
        let scope = Scope::new(Uuid::nil(), scheme, host);
        Some(if self.found.extras.apart { scope.of_route(&self.found.extras.id) } else { scope })
    }

    pub(crate) fn goes_inside(&self) {
        self.inside.store(true, Ordering::Relaxed);
    }

    pub(crate) fn went_inside(&self) -> bool {
        self.inside.load(Ordering::Relaxed)
    }

    /// Adds to what the application behind has told of the request, if it was asked.
    pub(crate) fn tell(&self, answer: &mut Response<ResponseBody>) {
        let mut told = answer.extensions_mut().remove::<Particulars>().unwrap_or_default();
        let extras = &self.found.extras;
        told.route = Some(Arc::clone(&extras.id));
        told.pool = extras.pool.as_ref().map(|pool| Arc::clone(pool.name()));
        told.target = self.target.get().cloned();
        told.cache = self.cache.get().copied();
        if let Some(identity) = self.identity.get() {
            told.actor.get_or_insert(identity.kind);
            told.account.get_or_insert_with(|| Arc::clone(&identity.subject));
            told.tenant.get_or_insert_with(|| Arc::clone(&identity.tenant));
        }
        answer.extensions_mut().insert(told);
    }

    /// Refuses by address or for maintenance.
    pub(crate) fn refused(&self) -> Option<Response<ResponseBody>> {
        let modifiers = self.modifiers();
        if !modifiers.addresses.admits(self.client()) {
            let words = (StatusCode::FORBIDDEN, "edge.address_refused", "This address may not ask here.");
            return Some(self.problem(words));
        }
        if modifiers.client_certificate && self.edge.client_certificate.is_none() {
            let sentence = "Show a client certificate that an authority of this server issued.";
            return Some(self.problem((StatusCode::FORBIDDEN, "edge.client_certificate_required", sentence)));
        }
        let maintenance = modifiers.maintenance.as_ref()?;
        Some(maintenance.answer(self.client())?.map(full))
    }

    /// The answer to a CORS preflight, if the request is one.
    pub(crate) fn preflight(&self, headers: &HeaderMap) -> Option<Response<ResponseBody>> {
        let answer = self.steps().cors.as_ref()?.preflight(&self.method, headers)?;
        Some(answer.map(|()| empty()))
    }

    pub(crate) fn problem(&self, words: (StatusCode, &str, &str)) -> Response<ResponseBody> {
        problem(words, &self.edge.request_id, words.0.is_server_error())
    }

    /// A problem with a time to come back.
    pub(crate) fn problem_later(&self, words: (StatusCode, &str, &str), seconds: u64) -> Response<ResponseBody> {
        let mut answer = self.problem(words);
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        answer
    }
}

pub(crate) fn full(bytes: bytes::Bytes) -> StepBody {
    Full::new(bytes).map_err(|never| match never {}).boxed()
}

pub(crate) fn empty() -> StepBody {
    Empty::new().map_err(|never| match never {}).boxed()
}
