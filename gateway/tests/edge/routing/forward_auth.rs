//! Another service decides who may pass.

use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::support::{Body, Service, plain, routed};
use crate::support::{PATIENCE, config};

/// Says by its path what it thinks of everybody, and names the caller.
async fn judge() -> Service {
    Service::start(|request: Request<Incoming>| async move {
        let path = request.uri().path().to_owned();
        assert!(request.into_body().collect().await.unwrap().to_bytes().is_empty(), "it is asked without a body");
        decision(&path).await
    })
    .await
}

async fn decision(path: &str) -> Response<Body> {
    let builder = Response::builder();
    let answer = match path {
        "/yes" => builder.header("x-user", "ali").header("x-group", "staff").header("x-other", "1"),
        "/login" => builder.status(302).header("location", "https://login.test/").header("set-cookie", "state=1"),
        "/no" => builder.status(403).header("x-reason", "because"),
        "/broken" => builder.status(500),
        "/endless" => return std::future::pending().await,
        "/huge" => return Response::builder().status(403).body(plain(vec![b'x'; 1 << 20]).into_body()).unwrap(),
        other => panic!("{other}"),
    };
    answer.body(plain("decided").into_body()).unwrap()
}

fn guarded(service: &Service, judge: &str, more: &str) -> String {
    format!(
        r#"
        [[routes]]
        id = "r"
        action = {{ kind = "upstream", pool = "p" }}
        [routes.modifiers]
        forward_auth = {{ url = "http://{judge}", copy_headers = ["X-User", "X-Group", "X-None"], timeout_seconds = 1 }}
        {more}
        {}"#,
        service.pool("p")
    )
}

#[tokio::test]
async fn a_yes_lets_pass_and_what_it_says_of_the_caller_goes_on() {
    let (service, judge) = (Service::named("inside").await, judge().await);
    let edge = routed(config(), &guarded(&service, &format!("{}/yes?x=1", judge.address), ""));
    let request = "POST /a//b?c=d HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\nCookie: session=1\r\nIf-None-Match: \"1\"\r\n\
                   X-User: eve\r\nX_User: eve\r\nx_group: eve\r\nX-None: eve\r\nX_None: eve\r\nX-Forwarded-Uri: /evil\r\n\
                   Connection: X-User, X-Group\r\n\r\nbody";

    for _ in 0..2 {
        assert_eq!(edge.ask(request).await.body, "inside /a/b?c=d");
    }

    let seen = |of: &Service, name: &str| of.seen.lock().unwrap().get(name).map(|it| it.to_str().unwrap().to_owned());
    let told =
        ["x-user", "x-group", "x-other", "x-none", "x_user", "x_group", "x_none"].map(|name| seen(&service, name));
    let is = |text: &str| Some(text.to_owned());
    assert_eq!(told, [is("ali"), is("staff"), None, None, None, None, None]);
    let asked = ["x-forwarded-method", "x-forwarded-uri", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-for"];
    let expected = ["POST", "/a//b?c=d", "a.test", "http", "127.0.0.1"].map(is);
    assert_eq!(asked.map(|name| seen(&judge, name)), expected);
    let left = ["cookie", "if-none-match", "content-length", "x-user"].map(|name| seen(&judge, name));
    assert_eq!(left, [is("session=1"), None, None, None]);
    assert_eq!((judge.calls(), service.calls()), (2, 2));
}

#[tokio::test]
async fn a_no_is_the_answer_as_it_is() {
    let (service, judge) = (Service::named("inside").await, judge().await);

    let edge = routed(config(), &guarded(&service, &format!("{}/login", judge.address), "cache = {}"));
    let answer = edge.get("/", "").await;
    assert_eq!((answer.status, answer.body.as_str()), (302, "decided"));
    assert_eq!(answer.header("location"), Some("https://login.test/"));
    assert_eq!(answer.header("set-cookie"), Some("state=1"));

    let edge = routed(config(), &guarded(&service, &format!("{}/no", judge.address), ""));
    let answer = edge.get("/", "").await;
    assert_eq!((answer.status, answer.header("x-reason")), (403, Some("because")));
    assert_eq!(service.calls(), 0);
}

#[tokio::test]
async fn who_can_t_be_asked_lets_nobody_pass() {
    let (service, judge) = (Service::named("inside").await, judge().await);
    let gone = { Service::named("gone").await.address };

    for place in ["/endless", "/broken", "/huge"]
        .map(|path| format!("{}{path}", judge.address))
        .into_iter()
        .chain([gone.to_string()])
    {
        let edge = routed(config(), &guarded(&service, &place, ""));
        let begun = std::time::Instant::now();
        let answer = edge.get("/", "").await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")), "{place}: {answer:?}");
        assert!(answer.body.contains("edge.forward_auth_unavailable"), "{place}: {answer:?}");
        assert!(begun.elapsed() < PATIENCE / 2, "{place}");
    }
    assert_eq!(service.calls(), 0);
}
