//! The front door: every request of the public listeners comes through here, is identified, bounded in time, answered
//! by one of the faces, and measured. The edge writes the line in its log.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use gateway::{App, Charges, EdgeBody, EdgeInfo, Meter, Particulars, ResponseBody, Scheme};
use http::{HeaderMap, Method, Request, Response, header, request::Parts};
use http_body_util::combinators::BoxBody;
use kernel::rest::Identified;
use kernel::{AccountId, Caller, Kind, Problem, Tasks};
use poem::endpoint::BoxEndpoint;
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Addr, Body, Endpoint, IntoResponse, RequestParts};
use tenancy::TenantRef;
use tokio_util::sync::CancellationToken;

use crate::answer;
use crate::assets;
use crate::identify::{Identification, Identify};
use crate::routes::{Operation, Routes};
use crate::schema::Graph;
use crate::telemetry::{Metrics, Spans};
use crate::traffic::Traffic;
use crate::web_socket::{self, Handshake, Who};
use crate::{graphql_socket, web_graphql};

/// Where chat is spoken over a WebSocket.
const CHAT_SOCKET: &str = "/api/v1/chat/socket";

/// What the faces are made of.
pub struct Door {
    pub identify: Identify,
    pub rest: BoxEndpoint<'static, poem::Response>,
    pub document: bytes::Bytes,
    pub routes: Routes,
    pub graph: Graph,
    pub traffic: Arc<Traffic>,
    pub spans: Spans,
    pub hasher: RandomState,
    /// Limits by account and tenant.
    pub meter: Meter,
    /// The largest body of an upload.
    pub max_upload_bytes: u64,
    pub chat: chat::Chat,
    pub tasks: Tasks,
    /// Cancelled when open connections are to end.
    pub closing: CancellationToken,
}

/// One request on its way through.
struct Passage {
    edge: EdgeInfo,
    method: Method,
    path: String,
    begun: Instant,
    /// What it was charged once it was known who asks.
    charges: OnceLock<Charges>,
}

/// What is known about a request once it is answered.
struct Outcome {
    response: poem::Response,
    /// A template out of the document, or the name of a face: never text of the client.
    route: &'static str,
    tenant: Option<TenantRef>,
    actor: Asker,
}

/// Whose request it was.
#[derive(Clone, Copy)]
struct Asker {
    kind: &'static str,
    account: Option<AccountId>,
}

impl Outcome {
    /// For the edge's journal.
    fn particulars(&self) -> Particulars {
        Particulars {
            operation: Some(self.route),
            actor: Some(self.actor.kind),
            account: self.actor.account.map(|account| account.to_string().into()),
            tenant: self.tenant.as_ref().map(|tenant| tenant.id.to_string().into()),
            tenant_name: self.tenant.as_ref().map(|tenant| Arc::clone(&tenant.slug)),
            ..Particulars::default()
        }
    }
}

impl App for Door {
    async fn call(&self, request: Request<EdgeBody>) -> Response<ResponseBody> {
        let (parts, body) = request.into_parts();
        let Some(edge) = parts.extensions.get::<EdgeInfo>().cloned() else {
            return Problem::internal("the edge left no word about the request").into_response().into();
        };
        let passage = Passage {
            method: parts.method.clone(),
            path: parts.uri.path().to_owned(),
            begun: Instant::now(),
            charges: OnceLock::new(),
            edge,
        };
        let mut outcome = self.dispatch(parts, Body::from(BoxBody::new(body)), &passage).await;
        answer::finish(&mut outcome.response, &passage.edge.trace);
        self.note(&passage, &outcome);
        let particulars = outcome.particulars();
        outcome.response.extensions_mut().insert(particulars);
        if let Some(charges) = passage.charges.into_inner() {
            outcome.response.extensions_mut().insert(charges);
        }
        outcome.response.into()
    }

    /// Credentials are limited by their hash under a key of this process; nothing is looked up.
    fn rate_key(&self, head: &Parts) -> Option<u64> {
        let credential = head.headers.get(header::AUTHORIZATION).or_else(|| head.headers.get(header::COOKIE))?;
        Some(self.hasher.hash_one(credential.as_bytes()))
    }

    fn max_body_bytes(&self, head: &Parts) -> Option<u64> {
        let operation = self.routes.find(&head.method, head.uri.path())?;
        operation.uploads.then_some(self.max_upload_bytes)
    }
}

impl Door {
    async fn dispatch(&self, parts: Parts, body: Body, passage: &Passage) -> Outcome {
        let path = passage.path.as_str();
        if web_socket::wanted(&parts) && matches!(path, CHAT_SOCKET | "/graphql") {
            return self.socket(parts, passage).await;
        }
        if path.starts_with("/v1/") {
            return self.wire(parts, body, passage).await;
        }
        if path.starts_with("/api/") || path.starts_with("/.well-known/") {
            return self.rest(parts, body, passage).await;
        }
        if path == "/graphql" {
            return self.graphql(parts, body, passage).await;
        }
        let get = matches!(passage.method, Method::GET | Method::HEAD);
        let (mut response, route) = match path {
            "/openapi.json" if get => (self.openapi(), "/openapi.json"),
            _ if get => assets::answer(path, &parts.headers)
                .map_or_else(|| (Problem::not_found().into_response(), "none"), |response| (response, "assets")),
            _ => (Problem::not_found().into_response(), "none"),
        };
        kernel::rest::stamp(&mut response, passage.edge.request_id.as_str());
        let actor = Asker { kind: "anonymous", account: None };
        Outcome { response, route, tenant: None, actor }
    }

    /// Who asks, charged to their account and tenant; those who have none are limited by their address alone.
    async fn identified(&self, method: &Method, headers: &HeaderMap, passage: &Passage) -> Identification {
        let mut found = self.identify.request(method, headers, &passage.edge).await;
        let known = found.caller.as_ref().ok().and_then(|caller| Some((caller.actor.account()?, caller.tenant)));
        if let Some((account, tenant)) = known {
            let charges = self.meter.charge(account, tenant);
            if charges.refused() {
                let detail = "Too many requests; try again after a while.";
                found.caller = Err(Problem::new(Kind::RateLimited, "edge.rate_limited", detail));
            }
            passage.charges.get_or_init(|| charges);
        }
        found
    }

    fn openapi(&self) -> poem::Response {
        poem::Response::builder()
            .content_type("application/json")
            .header(header::CACHE_CONTROL, "no-cache")
            .body(self.document.clone())
    }

    async fn rest(&self, mut parts: Parts, body: Body, passage: &Passage) -> Outcome {
        let identification = self.identified(&passage.method, &parts.headers, passage).await;
        let operation = self.routes.find(&passage.method, &passage.path);
        let asked = std::mem::take(&mut parts.headers);
        let caller = identification.caller.clone();
        let response = if let Err(problem) = checked(operation, &parts, &caller) {
            problem.into_response()
        } else {
            parts.headers = asked.clone();
            parts.extensions.insert(Identified(identification.caller));
            let request = poem::Request::from_parts(request_parts(parts, &passage.edge), body);
            let answer = self.rest.get_response(request);
            match operation {
                // As long as its bytes keep coming at the pace that the edge asks for; its steps have bounds of their own.
                Some(operation) if operation.uploads => answer.await,
                _ => bounded(caller.as_ref().ok(), answer).await,
            }
        };
        let response = finish(response, passage, &asked, caller.as_ref().ok());
        let route = operation.map_or("none", |operation| operation.template);
        Outcome { response, route, tenant: identification.tenant, actor: actor(&caller) }
    }

    /// The OpenAI wire. It bounds its own time: a model may think for minutes.
    async fn wire(&self, parts: Parts, body: Body, passage: &Passage) -> Outcome {
        let Identification { tenant, caller } = self.identified(&passage.method, &parts.headers, passage).await;
        let actor = actor(&caller);
        let response = self.chat.wire(caller, &passage.method, &passage.path, body).await;
        let route = match passage.path.as_str() {
            "/v1/chat/completions" => "/v1/chat/completions",
            "/v1/embeddings" => "/v1/embeddings",
            _ => "/v1/models",
        };
        Outcome { response, route, tenant, actor }
    }

    /// Chat or GraphQL over a WebSocket. A page of another origin can't open one with a browser's cookie.
    async fn socket(&self, mut parts: Parts, passage: &Passage) -> Outcome {
        let route = if passage.path == CHAT_SOCKET { CHAT_SOCKET } else { "/graphql" };
        let found = self.identified(&Method::POST, &parts.headers, passage).await;
        let who = Arc::new(Who::new(self.identify.clone(), parts.headers.clone(), passage.edge.clone()));
        let response = match (&found.caller, Handshake::of(&mut parts)) {
            (Err(problem), _) => problem.clone().into_response(),
            (Ok(caller), _) if caller.account().is_err() => Problem::unauthenticated().into_response(),
            (Ok(_), None) => malformed_handshake().into_response(),
            (Ok(caller), Some(handshake)) => self.upgrade(handshake, route, (who, caller.clone())),
        };
        let actor = actor(&found.caller);
        let response = match response.status() {
            http::StatusCode::SWITCHING_PROTOCOLS => response,
            _ => finish(response, passage, &parts.headers, None),
        };
        Outcome { response, route, tenant: found.tenant, actor }
    }

    fn upgrade(&self, handshake: Handshake, route: &str, (who, caller): (Arc<Who>, Caller)) -> poem::Response {
        let closing = self.closing.clone();
        if route == CHAT_SOCKET {
            let (response, upgrade) = handshake.accept(None);
            self.tasks.spawn(web_socket::chat(self.chat.clone(), who, caller, upgrade, closing));
            return response;
        }
        let Some(protocol) = graphql_socket::protocol(handshake.protocols()) else {
            return malformed_handshake().into_response();
        };
        let (response, upgrade) = handshake.accept(Some(protocol));
        self.tasks.spawn(graphql_socket::talk(self.graph.clone(), (who, caller), protocol, upgrade, closing));
        response
    }

    async fn graphql(&self, parts: Parts, body: Body, passage: &Passage) -> Outcome {
        let identification = self.identified(&passage.method, &parts.headers, passage).await;
        let caller = identification.caller;
        let response = match (&caller, &passage.method) {
            (_, method) if *method != Method::POST => poem::Response::builder()
                .status(http::StatusCode::METHOD_NOT_ALLOWED)
                .header(header::ALLOW, "POST")
                .finish(),
            (Err(problem), _) => problem.clone().into_response(),
            (Ok(caller), _) => {
                let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
                let work = web_graphql::answer(&self.graph, caller.clone(), content_type, body);
                bounded(Some(caller), work).await
            }
        };
        let response = finish(response, passage, &parts.headers, caller.as_ref().ok());
        Outcome { response, route: "/graphql", tenant: identification.tenant, actor: actor(&caller) }
    }

    fn note(&self, passage: &Passage, outcome: &Outcome) {
        let took = passage.begun.elapsed();
        let status = outcome.response.status().as_u16();
        let method = method_label(&passage.method);
        self.traffic.record(took, status >= 500);
        Metrics::request(outcome.route, method, status, took);
        self.spans.request(&passage.edge.trace, outcome.route, method, status, took);
    }
}

fn malformed_handshake() -> Problem {
    let detail = "The WebSocket handshake is malformed, or its Sec-WebSocket-Protocol is not spoken here.";
    Problem::new(Kind::Invalid, "kernel.websocket_handshake", detail)
}

/// What is refused before the module's handler: a tenant or credential that does not hold, an unknown parameter.
fn checked(operation: Option<&Operation>, parts: &Parts, caller: &Result<Caller, Problem>) -> Result<(), Problem> {
    if let Err(problem) = caller {
        return Err(problem.clone());
    }
    match (operation, parts.uri.query()) {
        (Some(operation), Some(query)) => operation.check_query(query),
        _ => Ok(()),
    }
}

/// Ends with a 504 when the caller's deadline passes; dropping the work rolls back what it began.
async fn bounded(caller: Option<&Caller>, work: impl Future<Output = poem::Response>) -> poem::Response {
    // A little more than the database's own bound, so that its answer goes before this one.
    let time = caller.map_or(Duration::from_secs(5), Caller::time_left) + Duration::from_millis(50);
    tokio::time::timeout(time, work).await.unwrap_or_else(|_| Problem::timeout().into_response())
}

fn finish(response: poem::Response, passage: &Passage, asked: &HeaderMap, caller: Option<&Caller>) -> poem::Response {
    let replayed = caller.is_some_and(|caller| caller.request.replayed());
    answer::finish_api(response, &passage.method, asked, passage.edge.request_id.as_str(), replayed)
}

fn request_parts(parts: Parts, edge: &EdgeInfo) -> RequestParts {
    let scheme = match edge.scheme {
        Scheme::Http => http::uri::Scheme::HTTP,
        Scheme::Https => http::uri::Scheme::HTTPS,
    };
    let local = LocalAddr(Addr::SocketAddr(edge.local_addr));
    let remote = RemoteAddr(Addr::SocketAddr(edge.peer_addr));
    RequestParts::from((parts, local, remote, scheme))
}

fn actor(caller: &Result<Caller, Problem>) -> Asker {
    match caller {
        Ok(caller) => Asker { kind: caller.actor.kind(), account: caller.actor.account() },
        Err(_) => Asker { kind: "refused", account: None },
    }
}

fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
