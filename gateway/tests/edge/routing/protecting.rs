//! Whom routes let through, and what they let clients say.

use super::support::{Service, routed};
use crate::support::config;

/// The hash of `open sesame`.
fn user() -> String {
    use argon2::{Argon2, PasswordHasher, password_hash::SaltString};

    let salt = SaltString::from_b64("c29tZXNhbHRzb21lc2FsdA").unwrap();
    Argon2::default().hash_password(b"open sesame", &salt).unwrap().to_string()
}

#[tokio::test]
async fn a_password_opens_the_route_and_goes_no_further() {
    let service = Service::named("inside").await;
    let routes = format!(
        r#"
        [[routes]]
        id = "inside"
        action = {{ kind = "upstream", pool = "p" }}
        modifiers.basic_auth = {{ realm = "Staff", users = [{{ name = "ali", hash = "{}" }}] }}
        {}"#,
        user(),
        service.pool("p")
    );
    let edge = routed(config(), &routes);
    let (right, wrong) = ("YWxpOm9wZW4gc2VzYW1l", "YWxpOm9wZW4gd2hlYXQ=");

    let answer = edge.get("/", "").await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("www-authenticate"), Some("Basic realm=\"Staff\", charset=\"UTF-8\""));
    for _ in 0..2 {
        assert_eq!(edge.get("/", &format!("Authorization: Basic {wrong}\r\n")).await.status, 401);
        assert_eq!(edge.get("/", &format!("Authorization: Basic {right}\r\n")).await.body, "inside /");
    }
    assert_eq!(service.calls(), 2);
    assert!(!service.seen.lock().unwrap().contains_key("authorization"));
}

#[tokio::test]
async fn addresses_and_maintenance_refuse() {
    let routes = r#"
        [[routes]]
        id = "far"
        match.path = { prefix = "/far" }
        action = { kind = "module" }
        modifiers.addresses = { allow = ["192.0.2.0/24"] }
        [[routes]]
        id = "resting"
        match.path = { prefix = "/resting" }
        action = { kind = "module" }
        modifiers.maintenance = { retry_after_seconds = 90, message = "back soon" }
    "#;
    let edge = routed(config(), routes);

    let far = edge.get("/far", "").await;
    assert!(far.status == 403 && far.body.contains("edge.address_refused"), "{far:?}");
    let resting = edge.get("/resting", "").await;
    assert_eq!((resting.status, resting.header("retry-after")), (503, Some("90")));
    assert_eq!(resting.body, "back soon");
    assert_eq!(edge.running.calls(), 0);
}

#[tokio::test]
async fn what_clients_forge_does_not_reach_the_service() {
    let service = Service::named("s").await;
    let routes = format!(
        "[[routes]]\nid = \"s\"\naction = {{ kind = \"upstream\", pool = \"p\" }}\n\
         modifiers.request_headers = [{{ do = \"set\", name = \"X-From\", value = \"edge\" }}]\n{}",
        service.pool("p")
    );
    let edge = routed(config(), &routes);

    let forged = "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nForwarded: for=6.6.6.6\r\n\
                  X-Request-Id: mine\r\nX-From: client\r\nConnection: X-Request-Id, X-Forwarded-For, X-Secret\r\n\
                  X-Secret: 1\r\nKeep-Alive: 1\r\nProxy-Connection: x\r\nTE: gzip\r\n\
                  Client-Cert: :x:\r\nClient_Cert: :x:\r\nClient-Cert_Chain: :x:\r\n";
    assert_eq!(edge.get("/", forged).await.status, 200);

    let seen = service.seen.lock().unwrap();
    let text = |name: &str| seen.get(name).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(text("x-forwarded-for").as_deref(), Some("127.0.0.1"));
    assert_eq!(text("x-forwarded-proto").as_deref(), Some("http"));
    assert_eq!(text("x-forwarded-host").as_deref(), Some("a.test"));
    assert_eq!(text("x-request-id").as_deref(), Some("mine"));
    assert_eq!(text("x-from").as_deref(), Some("edge"));
    for gone in ["forwarded", "x-secret", "keep-alive", "proxy-connection", "te", "connection"] {
        assert_eq!(text(gone), None, "{gone}");
    }
    for gone in ["client-cert", "client_cert", "client-cert_chain"] {
        assert_eq!(text(gone), None, "{gone}");
    }
}
