//! Services behind the edge: who gets to them, what they are told, and when it ends.

use std::convert::Infallible;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt, stream};
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};
use testkit::{Client, Engine, Server, on_both_engines};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::sockets::connect;

const BIN: &str = env!("CARGO_BIN_EXE_holdfast");
const PATIENCE: Duration = Duration::from_secs(30);
const ROUTES: &str = r#"
    [[routes]]
    id = "open"
    match.path = { prefix = "/open" }
    action = { kind = "upstream", pool = "service" }
    [[routes]]
    id = "inside"
    match.path = { prefix = "/inside" }
    action = { kind = "upstream", pool = "service" }
    modifiers.require = { login = true, sign_in = true }
    [[routes]]
    id = "writers"
    match.path = { prefix = "/writers" }
    action = { kind = "upstream", pool = "service" }
    modifiers.require = { scopes = ["vault.write"] }
    [[routes]]
    id = "owners"
    match.path = { prefix = "/owners" }
    action = { kind = "upstream", pool = "service" }
    modifiers.require = { roles = ["owner"] }
"#;

type Body = BoxBody<Bytes, Infallible>;

/// A service that answers with the headers it saw, streams for ever at `/…/stream`, and echoes over WebSockets.
async fn service(tasks: &mut JoinSet<()>) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            let answer = service_fn(|request| async { Ok::<_, Infallible>(answer(request)) });
            connections.spawn(async move {
                drop(http1::Builder::new().serve_connection(TokioIo::new(stream), answer).with_upgrades().await);
            });
        }
    });
    address
}

fn answer(request: Request<Incoming>) -> Response<Body> {
    if request.headers().contains_key(header::UPGRADE) {
        return echo(request);
    }
    if request.uri().path().ends_with("/stream") {
        let first = stream::iter([Ok(Frame::data(Bytes::from_static(b"begun")))]);
        return Response::new(BodyExt::boxed(StreamBody::new(first.chain(stream::pending()))));
    }
    let headers = request.headers().iter();
    let seen: Value = headers.map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap()))).collect();
    Response::new(Full::new(Bytes::from(seen.to_string())).boxed())
}

fn echo(request: Request<Incoming>) -> Response<Body> {
    let accept = derive_accept_key(request.headers()["sec-websocket-key"].as_bytes());
    #[expect(clippy::disallowed_methods, reason = "it ends with its connection")]
    tokio::spawn(async move {
        let upgraded = TokioIo::new(hyper::upgrade::on(request).await.unwrap());
        let mut socket = WebSocketStream::from_raw_socket(upgraded, Role::Server, None).await;
        while let Some(Ok(message)) = socket.next().await {
            if socket.send(message).await.is_err() {
                return;
            }
        }
    });
    let response = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS);
    let response = response.header(header::CONNECTION, "upgrade").header(header::UPGRADE, "websocket");
    response.header("sec-websocket-accept", accept).body(Full::default().boxed()).unwrap()
}

/// A server with these routes to that service.
pub(crate) async fn routed(engine: Engine, routes: &str, service: SocketAddr, settings: &[(&str, &str)]) -> Server {
    let mut builder = Server::builder(BIN, engine);
    let file = builder.data().with_file_name("routes.toml");
    fs::write(&file, format!("{routes}\n[pools.service]\ntargets = [{{ url = \"http://{service}\" }}]\n")).unwrap();
    for (name, value) in settings {
        builder = builder.env(name, value);
    }
    builder.env("HOLDFAST__GATEWAY__ROUTING__FILE", file.to_str().unwrap()).start().await
}

/// Reads what the service was told, as the docs say it should.
async fn verified(server: &Server, seen: &Value, audience: &str) -> Value {
    let token = seen["holdfast-identity"].as_str().expect("it is told who asks");
    let header = jsonwebtoken::decode_header(token).unwrap();
    assert_eq!((header.alg, header.typ.as_deref()), (Algorithm::ES256, Some("holdfast-identity+jwt")));
    let keys = server.client().get("/.well-known/jwks.json").await.expect(200);
    let key = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header.kid.as_deref().unwrap());
    let key = DecodingKey::from_jwk(&serde_json::from_value(key.unwrap().clone()).unwrap()).unwrap();
    let metadata = server.client().get("/.well-known/oauth-authorization-server").await.expect(200);
    let mut rules = Validation::new(Algorithm::ES256);
    rules.set_issuer(&[metadata["issuer"].as_str().unwrap()]);
    rules.set_audience(&[audience]);
    jsonwebtoken::decode::<Value>(token, &key, &rules).unwrap().claims
}

async fn a_service_learns_who_asks_and_can_verify_it(engine: Engine) {
    let mut tasks = JoinSet::new();
    let server = routed(engine, ROUTES, service(&mut tasks).await, &[]).await;
    let tenant = server.new_tenant("guest").await;
    let me = tenant.owner.get("/api/v1/identity/me").await.expect(200);
    let forging = |client: &Client| client.with("holdfast-identity", "forged").with("holdfast_identity", "forged");

    let open = forging(&tenant.owner).get("/open").await.expect(200);
    assert!(open["holdfast-identity"].is_null() && open["holdfast_identity"].is_null(), "{open}");
    assert!(open["authorization"].is_string(), "what isn't asked for here is the service's");
    let seen = forging(&tenant.owner).get("/inside").await.expect(200);
    assert!(seen["authorization"].is_null() && seen["holdfast_identity"].is_null(), "{seen}");
    let claims = verified(&server, &seen, "service").await;
    assert_eq!((&claims["sub"], &claims["tenant"]), (&me["account"]["id"], &json!(tenant.id)));
    assert_eq!((&claims["sid"], &claims["kind"]), (&me["session_id"], &json!("account")));
    assert_eq!(claims["roles"], me["roles"]);
    assert!(claims["scope"].as_str().unwrap().split(' ').any(|scope| scope == "vault.write"));
    let replayed = tenant.owner.bearer(seen["holdfast-identity"].as_str().unwrap());
    replayed.get("/api/v1/identity/me").await.expect(401);
    replayed.get("/inside").await.expect(401);

    let viewer = tenant.member("viewer").await;
    let lacking = viewer.get("/writers").await;
    assert!(lacking.header("www-authenticate").unwrap().contains("scope=\"vault.write\""));
    assert_eq!(lacking.expect(403)["code"], "edge.scope_required");
    assert_eq!(viewer.get("/owners").await.expect(403)["code"], "edge.role_required");
    assert_eq!(tenant.owner.get("/owners").await.status, 200);
    let page = server.client().with("accept", "text/html").get("/inside/x?y=1").await;
    assert_eq!((page.status, page.header("location")), (303, Some("/console/sign-in?to=/inside/x%3Fy%3D1")));
    server.client().get("/inside").await.expect(401);

    let operator = server.operator().await.with("if-match", "*");
    operator.post(&format!("/api/v1/tenancy/tenants/{}/suspend", tenant.id), json!({})).await.expect(200);
    assert_eq!(tenant.owner.get("/inside").await.expect(403)["code"], "tenancy.suspended");
}

async fn what_goes_on_at_a_service_ends_with_the_key(engine: Engine) {
    let mut tasks = JoinSet::new();
    let server = routed(engine, ROUTES, service(&mut tasks).await, &[]).await;
    let tenant = server.new_tenant("guest").await;
    let (bot, other) = (tenant.owner.api_key("bot").await, tenant.owner.api_key("other").await);
    let token = |client: &Client| format!("Bearer {}", client.credential().unwrap());
    let (of_bot, of_other) = (token(&bot), token(&other));
    let named = |token| [("authorization", token), ("holdfast-tenant", tenant.slug.as_str())];
    let mut socket = connect(&server, "/inside", &named(of_bot.as_str())).await.unwrap();
    let mut bystander = connect(&server, "/inside", &named(of_other.as_str())).await.unwrap();
    let headers: HeaderMap = named(of_bot.as_str())
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .into_iter()
        .collect();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut stream = http.get(format!("http://{}/inside/stream", server.http)).headers(headers).send().await.unwrap();
    assert_eq!(stream.chunk().await.unwrap().unwrap(), "begun");
    socket.send(Message::text("still here")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("still here"));

    let me = bot.get("/api/v1/identity/me").await.expect(200);
    let path = format!("/api/v1/identity/api_keys/{}", me["api_key_id"].as_str().unwrap());
    tenant.owner.with("if-match", "*").delete(&path).await.expect(204);

    bot.get("/inside").await.expect(401);
    let ended = tokio::time::timeout(PATIENCE, socket.next()).await.expect("the WebSocket ends");
    assert!(!matches!(ended, Some(Ok(_))), "{ended:?}");
    let ended = tokio::time::timeout(PATIENCE, stream.chunk()).await.expect("the stream ends");
    assert!(ended.is_err(), "it breaks off: {ended:?}");
    assert_eq!(connect(&server, "/inside", &named(of_bot.as_str())).await.err(), Some(401));
    bystander.send(Message::text("still here")).await.unwrap();
    assert_eq!(bystander.next().await.unwrap().unwrap(), Message::text("still here"));
    let cookie = [("cookie", "__Host-holdfast_session=x"), ("origin", "https://evil.example")];
    assert_eq!(connect(&server, "/inside", &cookie).await.err(), Some(403), "no page of another origin");
}

async fn limits_count_by_account_and_a_dry_run_only_counts(engine: Engine) {
    let mut tasks = JoinSet::new();
    let routes = r#"
        [[routes]]
        id = "few"
        match.path = { prefix = "/few" }
        action = { kind = "upstream", pool = "service" }
        modifiers.rate_limits = ["few", "dry"]
    "#;
    let limits = r#"[{name="few",by=["account","route"],per_minute=1,burst=2},{name="dry",by=["address"],per_minute=1,burst=1,dry_run=true}]"#;
    let settings = [
        ("HOLDFAST__GATEWAY__LIMITS", limits),
        ("HOLDFAST__GATEWAY__RATE_LIMITS__ACCOUNT__PER_MINUTE", "60"),
        ("HOLDFAST__GATEWAY__RATE_LIMITS__ACCOUNT__BURST", "20"),
    ];
    let server = routed(engine, routes, service(&mut tasks).await, &settings).await;
    let tenant = server.new_tenant("guest").await;
    let (bot, other) = (tenant.owner.api_key("bot").await, tenant.member("viewer").await);

    assert_eq!(bot.get("/few").await.status, 200);
    assert_eq!(tenant.owner.get("/few").await.status, 200);
    let refused = bot.get("/few").await;
    assert_eq!(refused.header("ratelimit"), Some("\"few\";r=0;t=120"));
    refused.problem(429, "edge.rate_limited");
    assert_eq!(other.get("/few").await.status, 200);
    let metrics = String::from_utf8(server.ops().get("/metrics").await.body).unwrap();
    assert!(metrics.contains("holdfast_edge_limit_would_refuse_total{limit=\"dry\"} 3"), "{metrics}");

    let mut answers = Vec::new();
    for _ in 0..30 {
        answers.push(other.get("/api/v1/identity/me").await);
    }
    assert!(answers[0].header("ratelimit-policy").unwrap().contains("\"account\";q=20"), "{:?}", answers[0]);
    let refused = answers.iter().find(|answer| answer.status == 429).expect("the account's limit");
    assert!(refused.header("retry-after").is_some());
    refused.problem(429, "edge.rate_limited");
    assert_eq!(tenant.owner.get("/api/v1/identity/me").await.status, 200, "another account's");
}

async fn another_service_decides(engine: Engine) {
    let mut tasks = JoinSet::new();
    let judge = service(&mut tasks).await;
    let routes = format!(
        r#"
        [[routes]]
        id = "asked"
        match.path = {{ prefix = "/asked" }}
        action = {{ kind = "upstream", pool = "service" }}
        modifiers.forward_auth = {{ url = "http://{judge}/stream", timeout_seconds = 1 }}
        [[routes]]
        id = "fine"
        match.path = {{ prefix = "/fine" }}
        action = {{ kind = "upstream", pool = "service" }}
        modifiers.forward_auth = {{ url = "http://{judge}/yes", copy_headers = ["X-User"] }}
    "#
    );
    let server = routed(engine, &routes, judge, &[]).await;

    let seen =
        server.client().with("x-user", "eve").with("cookie", "a=1; __Host-holdfast_session=s").get("/fine").await;
    let seen = seen.expect(200);
    assert!(seen["x-user"].is_null() && seen["cookie"] == "a=1", "{seen}");
    // A yes whose body hangs is a yes.
    assert_eq!(server.client().get("/asked").await.status, 200);
}

/// Two processes, one database.
async fn replicas_share_a_limit(engine: Engine) {
    let mut tasks = JoinSet::new();
    let service = service(&mut tasks).await;
    let routes = r#"
        [[routes]]
        id = "shared"
        match.path = { prefix = "/shared" }
        action = { kind = "upstream", pool = "service" }
        modifiers.rate_limits = ["together"]
    "#;
    let limit = r#"[{name="together",by=["route"],per_minute=1,burst=20,shared=true}]"#;
    let one = routed(engine, routes, service, &[("HOLDFAST__GATEWAY__LIMITS", limit)]).await;
    let url = one.database_url().to_owned();
    let root_key = fs::read_to_string(one.data.join("root.key")).unwrap();
    let same = [
        ("HOLDFAST__GATEWAY__LIMITS", limit),
        ("HOLDFAST__DATABASE__URL", url.as_str()),
        ("HOLDFAST_ROOT_KEY", root_key.trim()),
    ];
    let other = routed(engine, routes, service, &same).await;
    // Until each has heard of the other.
    tokio::time::sleep(Duration::from_secs(6)).await;

    let mut admitted = 0;
    for _ in 0..60 {
        for server in [&one, &other] {
            admitted += usize::from(server.client().get("/shared").await.status == 200);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    assert!((20..=40).contains(&admitted), "{admitted}");
}

on_both_engines!(
    replicas_share_a_limit,
    a_service_learns_who_asks_and_can_verify_it,
    what_goes_on_at_a_service_ends_with_the_key,
    limits_count_by_account_and_a_dry_run_only_counts,
    another_service_decides,
);
