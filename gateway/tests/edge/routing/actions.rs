//! What routes can do.

use std::fs;

use super::support::{Service, routed};
use crate::support::config;

#[tokio::test]
async fn each_action_answers_and_what_no_route_takes_goes_to_the_application() {
    let service = Service::named("service").await;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("page.html"), "a page").unwrap();
    let routes = format!(
        r#"
        [[routes]]
        id = "service"
        match.path = {{ prefix = "/service" }}
        action = {{ kind = "upstream", pool = "service" }}
        modifiers.rewrite = {{ strip_prefix = "/service" }}
        modifiers.response_headers = [{{ do = "set", name = "X-Route", value = "yes" }}]
        [[routes]]
        id = "files"
        match.path = {{ prefix = "/files" }}
        action = {{ kind = "files", folder = "{folder}" }}
        modifiers.rewrite = {{ strip_prefix = "/files" }}
        [[routes]]
        id = "away"
        match.path = {{ exact = "/away" }}
        action = {{ kind = "redirect", to = "https://{{host}}/there", status = 308 }}
        [[routes]]
        id = "fixed"
        match.path = {{ exact = "/fixed" }}
        action = {{ kind = "respond", status = 410, body = "gone" }}
        modifiers.security_headers = {{}}
        [[routes]]
        id = "renamed"
        match.path = {{ exact = "/renamed" }}
        action = {{ kind = "module" }}
        modifiers.rewrite = {{ replace = "/x" }}
        {pool}"#,
        folder = folder.path().display(),
        pool = service.pool("service"),
    );
    let edge = routed(config(), &routes);

    let answer = edge.get("/service/a?b=c", "").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "service /a?b=c"));
    assert_eq!(answer.header("x-route"), Some("yes"));
    assert_eq!(edge.get("/files/page.html", "").await.body, "a page");
    assert_eq!(edge.get("/files/../secret", "").await.status, 400);
    let away = edge.get("/away", "").await;
    assert_eq!((away.status, away.header("location")), (308, Some("https://a.test/there")));
    let fixed = edge.get("/fixed", "").await;
    assert_eq!((fixed.status, fixed.body.as_str()), (410, "gone"));
    assert_eq!(fixed.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(edge.running.calls(), 0);
    assert_eq!(edge.get("/renamed", "").await.body, "/x");
    assert_eq!(edge.get("/elsewhere", "").await.body, "/elsewhere");
    assert_eq!(edge.running.calls(), 2);
}

#[tokio::test]
async fn another_spelling_of_a_path_does_not_slip_past_its_route() {
    let routes = r#"
        [[routes]]
        id = "closed"
        match.path = { prefix = "/closed" }
        action = { kind = "respond", status = 403 }
    "#;
    let edge = routed(config(), routes);

    for path in ["/closed", "/closed/x", "//closed", "/%63losed", "/closed//x", "/closed%2F.%2E"] {
        let status = edge.get(path, "").await.status;
        assert!([400, 403].contains(&status), "{path} {status}");
    }
    for path in ["/x/../closed", "/x/%2e%2e/closed", "/%", "/%zz", "/a%00b", "/a\\b", "/%ff", "/x/..%2fclosed"] {
        let answer = edge.get(path, "").await;
        assert_eq!(answer.status, 400, "{path} {answer:?}");
    }
    let answer = edge.get("/./closed", "").await;
    assert!(answer.body.contains("\"code\":\"edge.path\""), "{answer:?}");
    assert_eq!(edge.running.calls(), 0);
}

#[tokio::test]
async fn answers_are_compressed_and_scripts_of_named_origins_may_read_them() {
    let body = "word ".repeat(1000);
    let routes = format!(
        r#"
        [[routes]]
        id = "fixed"
        action = {{ kind = "respond", status = 200, body = "{body}" }}
        modifiers.compression = {{}}
        modifiers.cors = {{ origins = ["https://app.test"], methods = ["PUT"], max_age = 60 }}
    "#
    );
    let edge = routed(config(), &routes);

    let mut client = edge.connect().await;
    client.send("GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nOrigin: https://app.test\r\n\r\n").await;
    let answer = client.answer().await;
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.test"));

    let asked =
        "OPTIONS / HTTP/1.1\r\nHost: a\r\nOrigin: https://app.test\r\nAccess-Control-Request-Method: PUT\r\n\r\n";
    let preflight = edge.ask(asked).await;
    assert_eq!((preflight.status, preflight.header("access-control-allow-methods")), (204, Some("PUT")));
}
