//! Who gets to a route, what the service behind learns of them, and when it ends.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::{
    FutureExt, StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use gateway::{Authenticator, Config, Denial, EdgeInfo, Identity, Verdict, Voucher};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::{body::Incoming, upgrade::OnUpgrade};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::watch,
    time::timeout,
};

use super::support::{Routed, Service, furnished, plain};
use crate::support::{PATIENCE, config, sync_wrapper};

/// Knows Ada, an editor who may read.
pub(crate) struct Doorkeeper {
    /// What Ada may do; nothing once she is gone.
    ada: watch::Sender<Option<Vec<&'static str>>>,
}

fn ada(scopes: &[&str]) -> Identity {
    Identity {
        subject: "usr_ada".into(),
        kind: "account",
        credential: Some("ses_1".into()),
        tenant: "ten_1".into(),
        scopes: scopes.iter().map(|scope| (*scope).into()).collect(),
        roles: ["editor".to_owned()].into(),
        inside: Arc::new(()),
    }
}

impl Authenticator for Doorkeeper {
    fn identify<'a>(&'a self, _: &'a Method, headers: &'a HeaderMap, _: &'a EdgeInfo) -> BoxFuture<'a, Verdict> {
        let credential = headers.get("authorization").or_else(|| headers.get("cookie"));
        let scopes = self.ada.borrow().clone();
        let verdict = match (credential.and_then(|value| value.to_str().ok()), scopes) {
            (Some("Bearer away"), _) => Verdict::Unavailable,
            (Some("Bearer ada" | "session=ada"), Some(scopes)) => Verdict::Known(ada(&scopes)),
            (Some(credential), _) if credential.starts_with("Bearer ") => Verdict::Refused(Denial {
                status: StatusCode::UNAUTHORIZED,
                code: "test.wrong".to_owned(),
                detail: "Not one of ours.".to_owned(),
            }),
            _ => Verdict::Anonymous,
        };
        std::future::ready(verdict).boxed()
    }

    fn follow(&self, _: &Identity) -> BoxStream<'static, Identity> {
        stream::unfold(self.ada.subscribe(), |mut now| async move {
            now.changed().await.ok()?;
            let scopes = now.borrow_and_update().clone();
            Some((ada(&scopes?), now))
        })
        .boxed()
    }

    fn vouch<'a>(&'a self, voucher: Voucher<'a>) -> BoxFuture<'a, Option<HeaderValue>> {
        let signed = format!("{} at {}", voucher.identity.subject, voucher.audience);
        std::future::ready(signed.parse().ok().filter(|_| voucher.audience != "unsigned")).boxed()
    }

    fn conceal(&self, headers: &mut HeaderMap) {
        if headers.get("cookie").is_some_and(|value| value == "session=ada") {
            headers.remove("cookie");
        }
    }
}

pub(crate) fn doorkeeper() -> Arc<Doorkeeper> {
    Arc::new(Doorkeeper { ada: watch::Sender::new(Some(vec!["a.read"])) })
}

pub(crate) fn guarded_with(config: Config, routes: &str, keeper: Arc<Doorkeeper>) -> Routed {
    furnished(config, routes, |routing| routing.with_authenticator(keeper))
}

fn guarded(routes: &str) -> (Routed, Arc<Doorkeeper>) {
    let keeper = doorkeeper();
    (guarded_with(config(), routes, Arc::clone(&keeper)), keeper)
}

fn to(service: &Service, modifiers: &str) -> String {
    let pool = service.pool("p");
    format!("[[routes]]\nid = \"r\"\naction = {{ kind = \"upstream\", pool = \"p\" }}\n{modifiers}\n{pool}")
}

const LOGIN: &str = "modifiers.require = { login = true }";
const ADA: &str = "Authorization: Bearer ada\r\n";

fn seen(service: &Service, name: &str) -> Option<String> {
    service.seen.lock().unwrap().get(name).map(|value| value.to_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_login_opens_the_route_and_the_service_learns_who_came() {
    let service = Service::named("inside").await;
    let (edge, keeper) = guarded(&to(&service, LOGIN));

    let nobody = edge.get("/", "Accept: text/html\r\n").await;
    assert_eq!((nobody.status, nobody.header("www-authenticate")), (401, Some("Bearer realm=\"holdfast\"")));
    assert!(nobody.body.contains("edge.login_required"), "{nobody:?}");
    let wrong = edge.get("/", "Authorization: Bearer eve\r\n").await;
    assert_eq!(wrong.status, 401);
    assert_eq!(wrong.header("www-authenticate"), Some("Bearer realm=\"holdfast\", error=\"invalid_token\""));
    assert!(wrong.body.contains("test.wrong"), "{wrong:?}");
    assert_eq!(service.calls(), 0);

    for credential in [ADA, "Cookie: session=ada\r\n"] {
        assert_eq!(edge.get("/x", credential).await.body, "inside /x");
        assert_eq!(seen(&service, "holdfast-identity").as_deref(), Some("usr_ada at p"));
        assert_eq!((seen(&service, "authorization"), seen(&service, "cookie")), (None, None));
    }
    keeper.ada.send_replace(None);
    assert_eq!(edge.get("/x", ADA).await.status, 401);
}

#[tokio::test]
async fn who_lacks_a_permission_or_a_role_is_told_which() {
    let service = Service::named("inside").await;
    let require = "modifiers.require = { scopes = [\"a.read\", \"a.write\"], roles = [\"editor\"] }";
    let (edge, keeper) = guarded(&to(&service, require));

    let lacking = edge.get("/", ADA).await;
    assert!(lacking.status == 403 && lacking.body.contains("edge.scope_required"), "{lacking:?}");
    assert!(lacking.body.contains("This needs the permission a.write."), "{lacking:?}");
    let challenge = "Bearer realm=\"holdfast\", error=\"insufficient_scope\", scope=\"a.write\"";
    assert_eq!(lacking.header("www-authenticate"), Some(challenge));

    keeper.ada.send_replace(Some(vec!["a.read", "a.write"]));
    assert_eq!(edge.get("/", ADA).await.status, 200);
    let (edge, _) = guarded(&to(&service, "modifiers.require = { roles = [\"admin\", \"owner\"] }"));
    let lacking = edge.get("/", ADA).await;
    assert!(lacking.status == 403 && lacking.body.contains("the role admin or owner"), "{lacking:?}");
}

#[tokio::test]
async fn what_can_t_be_told_lets_nobody_in() {
    let service = Service::named("inside").await;
    let away = "Authorization: Bearer away\r\n";
    let unsigned = to(&service, LOGIN).replace("\"p\"", "\"unsigned\"").replace("pools.p", "pools.unsigned");
    let without = super::support::routed(config(), &to(&service, LOGIN));

    for (edge, credential) in [(guarded(&to(&service, LOGIN)).0, away), (guarded(&unsigned).0, ADA), (without, ADA)] {
        let answer = edge.get("/", credential).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")), "{answer:?}");
        assert!(answer.body.contains("edge.identity_unavailable"), "{answer:?}");
    }
    assert_eq!(service.calls(), 0);
}

#[tokio::test]
async fn a_browser_is_sent_to_the_sign_in_where_the_route_says_so() {
    let service = Service::named("inside").await;
    let (edge, _) = guarded(&to(&service, "modifiers.require = { login = true, sign_in = true }"));

    let page = edge.get("/x//y?z=1&w=2", "Accept: text/html\r\n").await;
    assert_eq!((page.status, page.header("cache-control")), (303, Some("no-store")));
    assert_eq!(page.header("location"), Some("/console/sign-in?to=/x/y%3Fz%3D1%26w%3D2"));
    assert_eq!(edge.get("/x", "Accept: application/json\r\n").await.status, 401);
    let posted = "POST /x HTTP/1.1\r\nHost: a.test\r\nAccept: text/html\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(edge.ask(posted).await.status, 401);
}

#[tokio::test]
async fn no_client_tells_a_service_who_it_is() {
    let service = Service::start(|request: Request<Incoming>| async move {
        let trailers = request.into_body().collect().await.unwrap().trailers().cloned().unwrap_or_default();
        plain(format!("{trailers:?}"))
    })
    .await;
    let forged = "Holdfast-Identity: eve\r\nholdfast_identity: eve\r\nHoldfast-Identity-Roles: owner\r\n\
                  HOLDFAST_IDENTITY: eve\r\nConnection: Holdfast-Identity\r\n";
    let names = ["holdfast-identity", "holdfast_identity", "holdfast-identity-roles"];

    let (open, _) = guarded(&to(&service, ""));
    assert_eq!(open.get("/", forged).await.status, 200);
    assert!(names.iter().all(|name| seen(&service, name).is_none()), "{:?}", service.seen);
    let (closed, _) = guarded(&to(&service, LOGIN));
    assert_eq!(closed.get("/", forged).await.status, 401);
    assert_eq!(closed.get("/", &format!("{forged}{ADA}")).await.status, 200);
    assert_eq!(names.map(|name| seen(&service, name)), [Some("usr_ada at p".to_owned()), None, None]);

    let chunked = "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n\
                   1\r\nx\r\n0\r\nHoldfast-Identity: eve\r\nholdfast_identity: eve\r\nX-Other: 1\r\n\r\n";
    let answer = open.ask(chunked).await;
    assert!(answer.status == 200 && !answer.body.contains("eve"), "{answer:?}");
}

/// Answers an upgrade by sending back what comes.
async fn echo() -> Service {
    Service::start(|mut request: Request<Incoming>| async move {
        let upgrade = request.extensions_mut().remove::<OnUpgrade>().unwrap();
        tokio::spawn(async move {
            let mut stream = TokioIo::new(upgrade.await.unwrap());
            let mut buffer = [0; 1024];
            while let Ok(length @ 1..) = stream.read(&mut buffer).await {
                stream.write_all(&buffer[..length]).await.unwrap();
            }
        });
        let mut answer = plain("");
        *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        answer.headers_mut().insert("connection", "upgrade".parse().unwrap());
        answer.headers_mut().insert("upgrade", "websocket".parse().unwrap());
        answer
    })
    .await
}

#[tokio::test]
async fn a_tunnel_ends_with_the_credential_and_not_before() {
    let service = echo().await;
    let (edge, keeper) = guarded(&to(&service, "modifiers.require = { scopes = [\"a.read\"] }"));
    let mut client = edge.connect().await;
    client.send(format!("GET / HTTP/1.1\r\nHost: a\r\n{ADA}Connection: upgrade\r\nUpgrade: websocket\r\n\r\n")).await;
    assert_eq!(client.answer().await.status, 101);
    client.send("one").await;
    assert_eq!(client.exactly(3).await, b"one");

    keeper.ada.send_replace(Some(vec!["a.read", "more"]));
    client.send("two").await;
    assert_eq!(client.exactly(3).await, b"two");
    keeper.ada.send_replace(Some(vec!["more"]));

    assert_eq!(client.rest().await, "");
}

#[tokio::test]
async fn a_stream_breaks_off_with_the_credential() {
    let service = Service::start(|_| async {
        let events = stream::iter([Ok(Frame::data(Bytes::from_static(b"data: one\n\n")))]).chain(stream::pending());
        let body = BodyExt::boxed(StreamBody::new(sync_wrapper(events)));
        Response::builder().header("content-type", "text/event-stream").body(body).unwrap()
    })
    .await;
    let (edge, keeper) = guarded(&to(&service, &format!("{LOGIN}\nmodifiers.compression = {{}}")));
    let mut client = edge.connect().await;
    client.send(format!("GET / HTTP/1.1\r\nHost: a\r\n{ADA}\r\n")).await;
    assert_eq!(client.answer().await.status, 200);
    assert_eq!(client.exactly(16).await, b"B\r\ndata: one\n\n\r\n");

    keeper.ada.send_replace(None);

    assert_eq!(timeout(PATIENCE, client.rest()).await.unwrap(), "", "no last chunk");
}

#[tokio::test]
async fn what_one_person_got_is_kept_for_the_next_only_if_the_service_says_so() {
    let say = Arc::new(Mutex::new("max-age=60"));
    let control = Arc::clone(&say);
    let service = Service::start(move |_| {
        let mut answer = plain("for you");
        answer.headers_mut().insert("cache-control", control.lock().unwrap().parse().unwrap());
        async move { answer }
    })
    .await;
    let (edge, _) = guarded(&to(&service, &format!("{LOGIN}\nmodifiers.cache = {{ default_ttl = 60 }}")));
    let ask = async |target: &str| edge.get(target, "Cookie: session=ada\r\n").await.status;

    for _ in 0..2 {
        assert_eq!(ask("/mine").await, 200);
    }
    assert_eq!(service.calls(), 2);
    *say.lock().unwrap() = "public, max-age=60";
    for _ in 0..2 {
        assert_eq!(ask("/ours").await, 200);
    }
    assert_eq!(service.calls(), 3);
    assert_eq!(edge.get("/ours", "").await.status, 401, "what is kept is for those who get in");
}
