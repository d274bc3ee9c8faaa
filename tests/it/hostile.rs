//! Whatever comes in, the answer is a 4xx of the dialect, and nothing is written.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, Client, Engine, Front, Tenant, on_both_engines};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const BIN: &str = env!("CARGO_BIN_EXE_holdfast");
const JSON: &str = "application/json";

/// What is there in the tenant: how many of each, and the newest event.
async fn inventory(owner: &Client) -> Vec<(String, usize)> {
    let lists = [
        "tenancy/roles",
        "tenancy/members",
        "tenancy/invitations",
        "identity/api_keys",
        "identity/accounts",
        "identity/sessions",
        "jobs",
        "events",
    ];
    let mut found = Vec::new();
    for list in lists {
        let page = owner.get(&format!("/api/v1/{list}?limit=200")).await.expect(200);
        assert_eq!(page["next"], Value::Null, "{list} has more than a page");
        found.push((list.to_owned(), page["items"].as_array().unwrap().len()));
    }
    found
}

#[track_caller]
fn assert_refused(answer: &Answer, what: &str) {
    assert!((400..500).contains(&answer.status), "{what}\n{}", answer.describe());
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{what}\n{}", answer.describe());
    assert_problem(&answer.json(), answer.status, what);
}

#[track_caller]
fn assert_problem(problem: &Value, status: u16, what: &str) {
    assert_eq!(problem["status"], status, "{what}: {problem}");
    for field in ["type", "title", "detail", "code", "request_id"] {
        assert!(problem[field].as_str().is_some_and(|text| !text.is_empty()), "{what}: no {field} in {problem}");
    }
    assert!(problem["errors"].is_array() && problem["retryable"].is_boolean(), "{what}: {problem}");
    let code = problem["code"].as_str().unwrap();
    assert!(code.contains('.') && code != "kernel.internal", "{what}: {problem}");
}

fn nested(depth: usize) -> Vec<u8> {
    let open = "{\"name\":".repeat(depth);
    format!("{open}1{}", "}".repeat(depth)).into_bytes()
}

/// Bodies that are no role, whatever the reader makes of them.
fn bodies() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let text = |text: &str| text.as_bytes().to_vec();
    let good = "{\"name\":\"x\",\"permissions\":[]}";
    vec![
        ("nothing", JSON, text("")),
        ("half an object", JSON, text("{\"name\":\"x\"")),
        ("two objects", JSON, text("{}{}")),
        ("a comma too many", JSON, text("{\"name\":\"x\",\"permissions\":[],}")),
        ("no JSON", JSON, text("name=x")),
        ("an array", JSON, text("[]")),
        ("null", JSON, text("null")),
        ("a number", JSON, text("1e999")),
        ("an unknown field", JSON, text("{\"name\":\"x\",\"permissions\":[],\"admin\":true}")),
        ("a document twice", JSON, text(r#"{"query":"{ __typename }","query":"{ roles { next } }"}"#)),
        ("a field twice", JSON, text("{\"name\":\"x\",\"permissions\":[],\"name\":\"y\"}")),
        ("a prototype", JSON, text("{\"name\":\"x\",\"permissions\":[],\"__proto__\":{}}")),
        ("a field left out", JSON, text("{\"permissions\":[]}")),
        ("an object for a text", JSON, text("{\"name\":{},\"permissions\":[]}")),
        ("a text for a list", JSON, text("{\"name\":\"x\",\"permissions\":\"tenancy.roles.read\"}")),
        ("null for a text", JSON, text("{\"name\":null,\"permissions\":[]}")),
        ("an object in a list", JSON, text("{\"name\":\"x\",\"permissions\":[{}]}")),
        ("an unknown permission", JSON, text("{\"name\":\"x\",\"permissions\":[\"tenancy.everything\"]}")),
        ("a permission of operators", JSON, text("{\"name\":\"x\",\"permissions\":[\"tenancy.tenants.write\"]}")),
        ("an empty name", JSON, text("{\"name\":\"\",\"permissions\":[]}")),
        ("a name of blanks", JSON, text("{\"name\":\"   \",\"permissions\":[]}")),
        ("a NUL in the name", JSON, text("{\"name\":\"a\\u0000b\",\"permissions\":[]}")),
        ("half a surrogate pair", JSON, text("{\"name\":\"\\ud800\",\"permissions\":[]}")),
        (
            "a name far too long",
            JSON,
            format!("{{\"name\":\"{}\",\"permissions\":[]}}", "x".repeat(100_000)).into_bytes(),
        ),
        (
            "too many permissions",
            JSON,
            json!({ "name": "x", "permissions": vec!["tenancy.roles.read"; 5000] }).to_string().into_bytes(),
        ),
        ("bytes that are no UTF-8", JSON, b"{\"name\":\"\xff\xfe\",\"permissions\":[]}".to_vec()),
        ("an overlong encoding", JSON, b"{\"name\":\"\xc0\xaf\",\"permissions\":[]}".to_vec()),
        ("too deep", JSON, nested(100)),
        ("far too deep", JSON, nested(100_000)),
        ("too large", JSON, vec![b' '; 11 * 1024 * 1024]),
        ("another type", "text/plain", text(good)),
        ("a form", "application/x-www-form-urlencoded", text("name=x")),
        ("XML", "application/xml", text("<name>x</name>")),
        ("a type that is none", "/", text(good)),
        ("another alphabet", "application/json; charset=utf-16", text("\u{feff}{")),
    ]
}

async fn a_body_that_does_not_fit_is_refused(engine: Engine) {
    let front = Front::shared(BIN, engine).await;
    let tenant = front.new_tenant("hostile").await;
    let before = inventory(&tenant.owner).await;

    for (what, content_type, body) in bodies() {
        let path = "/api/v1/tenancy/roles";
        let answer = tenant.owner.request(Method::POST, path).body(content_type, body.clone()).send().await;
        assert_refused(&answer, what);
        let answer = tenant.owner.request(Method::POST, "/graphql").body(content_type, body).send().await;
        assert!((200..500).contains(&answer.status), "{what} to /graphql\n{}", answer.describe());
        assert!(answer.status >= 400 || answer.json()["errors"].is_array(), "{what}\n{}", answer.describe());
    }

    assert_eq!(inventory(&tenant.owner).await, before);
}

async fn a_parameter_that_does_not_fit_is_refused(engine: Engine) {
    let front = Front::shared(BIN, engine).await;
    let tenant = front.new_tenant("hostile").await;
    let other = tenant.owner.get("/api/v1/events?limit=1").await.expect(200)["next"].as_str().unwrap().to_owned();
    let deep = format!("filter={}name%20eq%20%22a%22{}", "(".repeat(1000), ")".repeat(1000));
    let queries = [
        "limit=0",
        "limit=201",
        "limit=-1",
        "limit=99999999999999999999",
        "limit=ten",
        "limit=1&limit=2",
        "cursor=",
        "cursor=abc",
        "cursor=%00",
        "cursor=%ff%fe",
        "cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "sort=nothing",
        "sort=--name",
        "sort=name,id",
        "fields=nothing",
        "fields=,",
        "filter=name",
        "filter=name%20eq",
        "filter=nothing%20eq%201",
        "filter=name%20eq%20%22a%22%20or",
        "filter=name%20eq%20%22a",
        "filter=name%20eq%20%22%00%22",
        "filter=id%20eq%20%22usr_1%22",
        "filter=created_at%20gt%20yesterday",
        "filter=1%3D1;%20DROP%20TABLE%20tenancy_role",
        "filter=%27%20OR%20%271%27=%271",
        "filter=%ff",
        "unknown=1",
        "Limit=1",
        &format!("filter={}", "a".repeat(3000)),
        &format!("cursor={other}"),
        &deep,
    ];
    for query in queries {
        let answer = tenant.owner.get(&format!("/api/v1/tenancy/roles?{query}")).await;
        assert_refused(&answer, query);
    }
}

/// One of each thing of a tenant.
async fn things(tenant: &Tenant) -> Vec<(&'static str, String)> {
    let first = async |list: &str| {
        let page = tenant.owner.get(&format!("/api/v1/{list}?limit=1")).await.expect(200);
        page["items"][0]["id"].as_str().unwrap().to_owned()
    };
    let role = json!({ "name": "x", "permissions": ["tenancy.roles.read"] });
    let role = tenant.owner.post("/api/v1/tenancy/roles", role).await.expect(201);
    let invitation = json!({ "email": "guest@example.test", "role_id": role["id"] });
    tenant.owner.post("/api/v1/tenancy/invitations", invitation).await.expect(201);
    tenant.owner.post("/api/v1/identity/api_keys", json!({ "name": "x" })).await.expect(201);
    tenant.owner.post("/api/v1/audit/verify", json!({})).await.expect(202);
    let mut found = vec![("tenancy/roles", role["id"].as_str().unwrap().to_owned())];
    for list in [
        "tenancy/members",
        "tenancy/invitations",
        "identity/api_keys",
        "identity/accounts",
        "identity/sessions",
        "audit/entries",
        "events",
        "jobs",
    ] {
        found.push((list, first(list).await));
    }
    found
}

async fn ids_of_others_and_ids_that_are_none_look_alike_and_change_nothing(engine: Engine) {
    let front = Front::shared(BIN, engine).await;
    let victim = front.new_tenant("victim").await;
    let thief = front.new_tenant("thief").await.owner.with("If-Match", "*");
    let things = things(&victim).await;
    let before = inventory(&victim.owner).await;

    for (list, id) in &things {
        let unused = format!("{}_{}", id.split_once('_').unwrap().0, "0".repeat(32));
        for method in [Method::GET, Method::PATCH, Method::DELETE] {
            let ask = async |id: &str| {
                let request = thief.request(method.clone(), &format!("/api/v1/{list}/{id}"));
                if method == Method::PATCH { request.json(&json!({})) } else { request }.send().await
            };
            let (foreign, missing) = (ask(id).await, ask(&unused).await);
            assert_refused(&foreign, &format!("{method} {list}/{id}"));
            assert_eq!(alike(&foreign), alike(&missing), "{method} {list}");
        }
        for wrong in ["x", "usr_1", "%00", "..%2f..%2fetc%2fpasswd", "%ff%fe", &id.to_uppercase(), &format!("{id}0")] {
            let answer = thief.get(&format!("/api/v1/{list}/{wrong}")).await;
            assert_refused(&answer, &format!("{list}/{wrong}"));
        }
    }

    assert_eq!(inventory(&victim.owner).await, before);
}

/// The answer but for the request's id.
fn alike(answer: &Answer) -> (u16, Value) {
    let mut problem = answer.json();
    problem["request_id"] = Value::Null;
    (answer.status, problem)
}

async fn a_token_that_does_not_hold_is_a_401_everywhere(engine: Engine) {
    let front = Front::shared(BIN, engine).await;
    let here = front.new_tenant("here").await;
    let there = front.new_tenant("there").await;
    let sign_in = json!({ "email": here.owner_email, "password": testkit::PASSWORD });
    let signed = here.owner.anonymous().post("/api/v1/identity/sessions", sign_in).await.expect(201);
    let token = signed["access_token"].as_str().unwrap();
    let key = here.owner.post("/api/v1/identity/api_keys", json!({ "name": "x" })).await.expect(201);
    let key = key["secret"].as_str().unwrap();
    let before = inventory(&here.owner).await;

    let mut parts = token.split('.');
    let (head, claims, signature) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    let unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0";
    let symmetric = "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9";
    let wrong = [
        "x".to_owned(),
        "..".to_owned(),
        "hf_".to_owned(),
        "x".repeat(10_000),
        format!("{unsigned}.{claims}."),
        format!("{symmetric}.{claims}.{signature}"),
        format!("{head}.{claims}.{}", signature.chars().rev().collect::<String>()),
        format!("{head}.{claims}"),
        format!("{token}."),
        format!("{}{}", &key[..key.len() - 1], if key.ends_with('0') { '1' } else { '0' }),
        key[..key.len() - 1].to_owned(),
        signed["refresh_token"].as_str().unwrap().to_owned(),
    ];
    for token in &wrong {
        let nobody = here.owner.bearer(token);
        let shown: String = token.chars().take(40).collect();
        nobody.get("/api/v1/identity/me").await.expect(401);
        assert_refused(&nobody.post("/api/v1/tenancy/roles", json!({ "name": "x", "permissions": [] })).await, &shown);
    }
    for credential in [token, key] {
        let foreign = there.owner.bearer(credential);
        assert_eq!(foreign.get("/api/v1/identity/me").await.status, 401);
        let operators = front.client().bearer(credential);
        assert_eq!(operators.get("/api/v1/tenancy/tenants").await.status, 401);
    }
    for scheme in ["Basic dTpw", "Bearer", "bearer  ", "Digest x"] {
        let answer = here.owner.with("authorization", scheme).get("/api/v1/identity/me").await;
        assert_refused(&answer, scheme);
        assert_eq!(answer.status, 401);
    }

    assert_eq!(inventory(&here.owner).await, before);
}

async fn an_expired_key_is_a_401(engine: Engine) {
    let front = Front::shared(BIN, engine).await;
    let tenant = front.new_tenant("expiry").await;
    let soon = chrono_soon(&tenant.owner).await;
    let key =
        tenant.owner.post("/api/v1/identity/api_keys", json!({ "name": "x", "expires_at": soon })).await.expect(201);
    let holder = tenant.owner.bearer(key["secret"].as_str().unwrap());
    holder.get("/api/v1/identity/me").await.expect(200);

    let deadline = Instant::now() + Duration::from_secs(30);
    while holder.get("/api/v1/identity/me").await.status != 401 {
        assert!(Instant::now() < deadline, "the key still holds 30 s after its making");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let role = json!({ "name": "x", "permissions": [] });
    assert_refused(&holder.post("/api/v1/tenancy/roles", role).await, "an expired key");
}

/// A few seconds after the server's own time.
async fn chrono_soon(client: &Client) -> String {
    let made = client.post("/api/v1/identity/api_keys", json!({ "name": "clock" })).await.expect(201);
    let now = made["api_key"]["created_at"].as_str().unwrap();
    let now: chrono::DateTime<chrono::Utc> = now.parse().unwrap();
    (now + chrono::TimeDelta::seconds(4)).to_rfc3339()
}

/// Requests that no well-behaved client sends, as bytes; `HOST` stands for the listener's address.
const RAW: &[(&str, &str)] = &[
    ("two Hosts", "GET /api/v1/identity/me HTTP/1.1\r\nHost: HOST\r\nHost: acme.localhost\r\n\r\n"),
    ("no Host", "GET /api/v1/identity/me HTTP/1.1\r\n\r\n"),
    ("a Host that is none", "GET /api/v1/identity/me HTTP/1.1\r\nHost: a b\r\n\r\n"),
    ("a Host unlike the target", "GET http://acme.localhost/api/v1/identity/me HTTP/1.1\r\nHost: HOST\r\n\r\n"),
    (
        "a length and a coding",
        "POST /api/v1/identity/sessions HTTP/1.1\r\nHost: HOST\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    ("two lengths", "POST /graphql HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}"),
    ("a folded field", "GET /api/v1/identity/me HTTP/1.1\r\nHost: HOST\r\nX-A: 1\r\n  2\r\n\r\n"),
    ("a blank before the colon", "GET /api/v1/identity/me HTTP/1.1\r\nHost: HOST\r\nX-A : 1\r\n\r\n"),
    ("a bare line feed", "GET /api/v1/identity/me HTTP/1.1\nHost: HOST\n\n"),
    ("a NUL in a field", "GET /api/v1/identity/me HTTP/1.1\r\nHost: HOST\r\nX-A: a\0b\r\n\r\n"),
    ("a NUL in the path", "GET /api/v1/\0 HTTP/1.1\r\nHost: HOST\r\n\r\n"),
    ("no request at all", "hello\r\n\r\n"),
];

async fn ambiguous_requests_are_refused_at_the_edge(engine: Engine) {
    let front = Front::shared(BIN, engine).await;
    for (what, request) in RAW {
        let request = request.replace("HOST", &front.http.to_string());
        let mut connection = TcpStream::connect(front.http).await.unwrap();
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(20), connection.read_to_end(&mut answer)).await;
        assert!(read.is_ok(), "{what}: the connection stays open");
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status: u16 = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
        assert!((400..500).contains(&status), "{what}: {answer}");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.to_lowercase().contains("content-type: application/problem+json"), "{what}: {answer}");
        assert_problem(&serde_json::from_str(body).unwrap(), status, what);
    }
}

async fn a_path_that_is_none_is_a_404_and_a_method_that_is_none_a_405(engine: Engine) {
    let front = Front::shared(BIN, engine).await;
    let tenant = front.new_tenant("paths").await;
    let client = &tenant.owner;

    for path in ["/api/v1", "/api/v2/tenancy/roles", "/api/v1/tenancy/nothing", "/api/v1/tenancy/roles/x/y", "/nothing"]
    {
        let answer = client.get(path).await;
        assert_refused(&answer, path);
        assert_eq!(answer.status, 404, "{path}");
    }
    for (method, path) in [(Method::PUT, "/api/v1/tenancy/roles"), (Method::DELETE, "/api/v1/tenancy/permissions")] {
        let answer = client.request(method.clone(), path).send().await;
        assert_refused(&answer, path);
        assert_eq!(answer.status, 405, "{method} {path}");
    }
    let nowhere = client.tenant("no-such-tenant").get("/api/v1/identity/me").await;
    assert_refused(&nowhere, "a tenant that is none");
    for (name, value) in
        [("request-timeout", "soon"), ("request-timeout", "-1"), ("if-match", "\"x"), ("idempotency-key", "")]
    {
        let role = json!({ "name": "x", "permissions": [] });
        let id = "rol_00000000000000000000000000000000";
        let client = client.with(name, value);
        let answer = if name == "if-match" {
            client.patch(&format!("/api/v1/tenancy/roles/{id}"), json!({})).await
        } else {
            client.post("/api/v1/tenancy/roles", role).await
        };
        assert_refused(&answer, &format!("{name}: {value}"));
    }
}

on_both_engines!(
    a_body_that_does_not_fit_is_refused,
    a_parameter_that_does_not_fit_is_refused,
    ids_of_others_and_ids_that_are_none_look_alike_and_change_nothing,
    a_token_that_does_not_hold_is_a_401_everywhere,
    an_expired_key_is_a_401,
    ambiguous_requests_are_refused_at_the_edge,
    a_path_that_is_none_is_a_404_and_a_method_that_is_none_a_405,
);
