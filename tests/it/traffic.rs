//! The operators' eyes on traffic: recent requests, the live tail, limits and their simulation, the line in the log.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{Client, Engine, Server, on_both_engines};

use crate::sockets::{connect, hear, say};

const BIN: &str = env!("CARGO_BIN_EXE_holdfast");
const REQUESTS: &str = "/api/v1/edge/requests";
const LIVE: &str = "/api/v1/edge/requests/live";
const LIMITS: &str = "/api/v1/edge/limits";
const SIMULATE: &str = "/api/v1/edge/limits/simulate";
const PATIENCE: Duration = Duration::from_secs(30);
const NAMED: &str = r#"[{name="few",by=["address"],per_minute=1,burst=2},{name="newcomers",by=["address"],per_minute=1,burst=1,dry_run=true}]"#;

fn query(path: &str, filter: &str) -> String {
    let filter: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
    format!("{path}?filter={filter}")
}

async fn listed(client: &Client, filter: &str) -> Vec<Value> {
    client.get(&query(REQUESTS, filter)).await.expect(200)["items"].as_array().unwrap().clone()
}

/// Another operator, with a role of these permissions.
async fn operator_with(operator: &Client, name: &str, permissions: &[&str]) -> Client {
    let made = json!({ "name": name, "permissions": permissions });
    let role = operator.post("/api/v1/tenancy/roles", made).await.expect(201);
    let email = format!("{name}@example.org");
    let invitation = json!({ "email": email, "role_id": role["id"] });
    let invitation = operator.post("/api/v1/tenancy/invitations", invitation).await.expect(201);
    let password = "tidal anchors keep the kelp";
    let body = json!({ "token": invitation["token"], "email": email, "password": password });
    let anonymous = operator.anonymous();
    let accepted = anonymous.post("/api/v1/identity/invitations/accept", body).await;
    assert!(accepted.status < 300, "{}", accepted.describe());
    anonymous.sign_in(&email, password).await
}

/// A stream of events as it comes.
struct Tail {
    answer: reqwest::Response,
    heard: String,
}

impl Tail {
    async fn open(client: &Client, filter: &str, after: Option<&str>) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut ask = http.get(format!("{}{}", client.base(), query(LIVE, filter)));
        ask = ask.bearer_auth(client.credential().unwrap()).header("accept", "text/event-stream");
        if let Some(after) = after {
            ask = ask.header("last-event-id", after);
        }
        let answer = ask.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let mut tail = Self { answer, heard: String::new() };
        tail.until("from here on").await;
        tail
    }

    async fn until(&mut self, word: &str) {
        while !self.heard.contains(word) {
            let piece = tokio::time::timeout(PATIENCE, self.answer.chunk()).await.expect(word).unwrap();
            let piece = piece.unwrap_or_else(|| panic!("it ended without {word}: {}", self.heard));
            self.heard.push_str(&String::from_utf8_lossy(&piece));
        }
    }

    async fn ended(mut self) -> String {
        let rest = async {
            while let Ok(Some(piece)) = self.answer.chunk().await {
                self.heard.push_str(&String::from_utf8_lossy(&piece));
            }
        };
        tokio::time::timeout(PATIENCE, rest).await.expect("it ends");
        self.heard
    }

    fn requests(&self) -> Vec<Value> {
        let data = self.heard.split("\n\n").filter(|event| event.contains("event: request"));
        data.filter_map(|event| serde_json::from_str(event.split_once("data: ")?.1).ok()).collect()
    }
}

async fn recent_requests_are_listed_filtered_and_paged(engine: Engine) {
    let server = Server::start(BIN, engine).await;
    let operator = server.operator().await;
    let tenant = server.new_tenant("acme").await;
    tenant.owner.with("x-request-id", "mine-1").get("/api/v1/identity/me?token=hush").await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let traced = operator.with("traceparent", &format!("00-{trace}-00f067aa0ba902b7-01"));
    traced.get("/nobody/here?password=hush").await;

    let mine = listed(&operator, "request_id eq \"mine-1\"").await;
    assert_eq!(mine.len(), 1);
    let one = &mine[0];
    assert_eq!((&one["method"], &one["path"]), (&json!("GET"), &json!("/api/v1/identity/me")));
    assert_eq!((&one["status"], &one["operation"]), (&json!(400), &json!("/api/v1/identity/me")));
    assert_eq!((&one["tenant"], &one["actor"]), (&json!(tenant.owner.tenant_name()), &json!("account")));
    assert!(one["tenant_id"].as_str().unwrap().starts_with("ten_"));
    assert!(one["account_id"].as_str().unwrap().starts_with("usr_"));
    assert_eq!((&one["address"], &one["protocol"]), (&json!("127.0.0.1"), &json!("HTTP/1.1")));
    assert_eq!(one["credential"].as_str().unwrap().len(), 16);
    assert!(one["bytes"].as_i64().unwrap() > 0 && one["duration_us"].as_i64().unwrap() > 0);
    let lost = listed(&operator, &format!("trace_id eq \"{trace}\"")).await;
    assert_eq!((&lost[0]["status"], &lost[0]["path"]), (&json!(404), &json!("/nobody/here")));
    let all = operator.get(&format!("{REQUESTS}?limit=200")).await.expect(200).to_string();
    assert!(!all.contains("hush"), "no query, wherever: {all}");

    let filter = "path sw \"/nobody\" and status ge 400 and status lt 500 and method in (\"GET\", \"PUT\")";
    assert_eq!(listed(&operator, filter).await.len(), 1);
    assert_eq!(listed(&operator, "duration_us gt 3600000000").await.len(), 0);
    let first = operator.get(&format!("{REQUESTS}?limit=2&fields=number,path")).await.expect(200);
    let second = format!("{REQUESTS}?limit=2&cursor={}", first["next"].as_str().unwrap());
    let second = operator.get(&second).await.expect(200);
    let number = |page: &Value, at: usize| page["items"][at]["number"].as_i64().unwrap();
    assert!(number(&first, 0) > number(&first, 1) && number(&first, 1) > number(&second, 0));
    assert_eq!(first["items"][0].as_object().unwrap().len(), 2);
    let answer =
        operator.graphql("{ edgeRequests(first: 1, filter: \"status eq 404\") { nodes { path } } }", json!({}));
    assert_eq!(answer.await.data()["edgeRequests"]["nodes"][0]["path"], "/nobody/here");
}

async fn hostile_filters_and_cursors_are_refused(engine: Engine) {
    let server = Server::start(BIN, engine).await;
    let operator = server.operator().await;
    let deep = "not ".repeat(400);
    let long = format!("path eq \"{}\"", "x".repeat(5000));
    for bad in [
        "path",
        "nothing eq 1",
        "status eq \"x\"",
        "refused_by eq \"x\"",
        "cache eq \"maybe\"",
        "status sw \"4\"",
        &deep,
        &long,
    ] {
        operator.get(&query(REQUESTS, bad)).await.problem(400, "kernel.filter_invalid");
        operator.get(&query(LIVE, bad)).await.problem(400, "kernel.filter_invalid");
        let limit = json!({ "by": ["address"], "per_minute": 1, "burst": 1, "filter": bad });
        operator.post(SIMULATE, limit).await.problem(400, "kernel.filter_invalid");
    }
    operator.get(&format!("{REQUESTS}?cursor=AAAA")).await.problem(400, "kernel.cursor_invalid");
    operator.get(&format!("{REQUESTS}?sort=path")).await.problem(400, "kernel.sort_invalid");
    operator.get(&format!("{REQUESTS}?limit=0")).await.problem(400, "kernel.limit_invalid");
    let first = operator.get(&format!("{REQUESTS}?limit=1")).await.expect(200);
    let moved = format!("{}&cursor={}", query(REQUESTS, "status eq 200"), first["next"].as_str().unwrap());
    operator.get(&moved).await.problem(400, "kernel.cursor_invalid");
    for id in ["x", "-1", "99999999999999999999"] {
        operator.with("last-event-id", id).get(LIVE).await.problem(400, "edge.event_id_invalid");
    }
    for (field, value) in [
        ("by", json!([])),
        ("by", json!(["address", "address"])),
        ("per_minute", json!(0)),
        ("per_minute", json!(-1)),
        ("burst", json!(4_294_967_296_u64)),
        ("cost", json!(6)),
    ] {
        let mut limit = json!({ "by": ["address"], "per_minute": 5, "burst": 5 });
        limit[field] = value;
        let problem = operator.post(SIMULATE, limit).await.problem(400, "edge.limit_invalid");
        assert_eq!(problem["errors"][0]["path"], field);
    }
}

async fn only_operators_with_the_permission_look(engine: Engine) {
    let server = Server::start(BIN, engine).await;
    let operator = server.operator().await;
    let owner = server.new_tenant("acme").await.owner;
    let few = operator_with(&operator, "router", &["edge.routes.read"]).await;
    let limit = || json!({ "by": ["address"], "per_minute": 1, "burst": 1 });

    for path in [REQUESTS, LIVE] {
        owner.get(path).await.problem(403, "kernel.forbidden");
        few.get(path).await.problem(403, "kernel.forbidden");
        server.client().get(path).await.problem(401, "kernel.unauthenticated");
    }
    owner.get(LIMITS).await.problem(403, "kernel.forbidden");
    owner.post(SIMULATE, limit()).await.problem(403, "kernel.forbidden");
    few.post(SIMULATE, limit()).await.problem(403, "kernel.forbidden");
    few.get(LIMITS).await.expect(200);
    for query in ["{ edgeRequests { nodes { path } } }", "{ edgeLimits { limits { name } } }"] {
        owner.graphql(query, json!({})).await.error("kernel.forbidden");
    }
}

async fn the_tail_tells_what_comes_resumes_and_ends_with_the_credential(engine: Engine) {
    let server = Server::start(BIN, engine).await;
    let operator = server.operator().await;
    let key = operator.post("/api/v1/identity/api_keys", json!({ "name": "tail" })).await.expect(201);
    let keyed = operator.bearer(key["secret"].as_str().unwrap());
    let mut tail = Tail::open(&keyed, "path sw \"/seen\"", None).await;

    server.client().get("/unseen").await;
    server.client().get("/seen/1").await;
    server.client().get("/seen/2").await;
    tail.until("/seen/2").await;

    let told = tail.requests();
    let paths: Vec<_> = told.iter().map(|request| request["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/seen/1", "/seen/2"]);
    let mut resumed = Tail::open(&operator, "path sw \"/seen\"", Some(&told[0]["number"].to_string())).await;
    resumed.until("/seen/2").await;
    assert!(!resumed.heard.contains("/seen/1"));

    let path = format!("/api/v1/identity/api_keys/{}", key["api_key"]["id"].as_str().unwrap());
    operator.with("if-match", "*").delete(&path).await;
    tail.ended().await;
    server.client().get("/seen/3").await;
    resumed.until("/seen/3").await;
}

async fn the_subscription_tells_the_same(engine: Engine) {
    let server = Server::start(BIN, engine).await;
    let operator = server.operator().await;
    let token = format!("Bearer {}", operator.credential().unwrap());
    let headers = [("authorization", token.as_str()), ("sec-websocket-protocol", "graphql-transport-ws")];
    let mut socket = connect(&server, "/graphql", &headers).await.unwrap();
    say(&mut socket, &json!({ "type": "connection_init" })).await;
    assert_eq!(hear(&mut socket).await["type"], "connection_ack");
    let after = listed(&operator, "").await[0]["number"].clone();
    let query = "subscription($after: Int) { edgeRequestEvents(filter: \"path eq \\\"/told\\\"\", after: $after) { \
        request { path status } missed } }";
    let payload = json!({ "query": query, "variables": { "after": after } });
    say(&mut socket, &json!({ "type": "subscribe", "id": "1", "payload": payload })).await;
    server.client().get("/told").await;

    let told = tokio::time::timeout(PATIENCE, hear(&mut socket)).await.unwrap();

    let event = &told["payload"]["data"]["edgeRequestEvents"];
    assert_eq!((&event["request"]["path"], &event["missed"]), (&json!("/told"), &Value::Null), "{told}");
}

async fn who_reads_too_slowly_is_told_how_many_were_missed(engine: Engine) {
    let server = Server::builder(BIN, engine).env("HOLDFAST__GATEWAY__RECENT_REQUESTS", "20").start().await;
    let operator = server.operator().await;
    server.client().get("/first").await;
    let before = listed(&operator, "path eq \"/first\"").await[0]["number"].to_string();

    for _ in 0..50 {
        server.client().get("/flood").await;
    }
    let mut tail = Tail::open(&operator, "", Some(&before)).await;
    tail.until("/flood").await;

    assert!(tail.heard.contains("event: missed\ndata: {\"missed\":"), "{}", tail.heard);
    assert_eq!(operator.get(&format!("{REQUESTS}?limit=200")).await.expect(200)["items"].as_array().unwrap().len(), 20);
}

async fn a_limit_is_tried_on_recent_requests_and_those_in_force_tell_their_figures(engine: Engine) {
    let server = Server::builder(BIN, engine)
        .env("HOLDFAST__GATEWAY__LIMITS", NAMED)
        .env("HOLDFAST__GATEWAY__RATE_LIMITS__ADDRESS__PER_MINUTE", "6000")
        .start()
        .await;
    let operator = server.operator().await;
    let route = json!({
        "name": "limited",
        "match": { "path": { "prefix": "/limited" } },
        "action": { "kind": "respond", "status": 200, "body": "here" },
        "modifiers": { "rate_limits": ["few", "newcomers"] },
    });
    operator.post("/api/v1/edge/routes", route).await.expect(201);
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(server.client().get("/limited?secret=hush").await.status);
    }
    assert_eq!(statuses, [200, 200, 429, 429, 429]);

    let seen = listed(&operator, "route eq \"limited\"").await;
    assert_eq!(seen.len(), 5);
    assert_eq!((&seen[0]["refused_by"], &seen[0]["limit_outcome"]), (&json!(["few"]), &json!("refused")));
    assert_eq!((&seen[3]["would_refuse"], &seen[3]["limit_outcome"]), (&json!(["newcomers"]), &json!("would_refuse")));
    let limits = operator.get(LIMITS).await.expect(200);
    let figures = |name: &str| {
        let limits = limits["limits"].as_array().unwrap();
        limits.iter().find(|limit| limit["name"] == name).unwrap_or_else(|| panic!("{name}")).clone()
    };
    assert_eq!((&figures("few")["refused"], &figures("few")["clients"]), (&json!(3), &json!(1)));
    assert_eq!((&figures("newcomers")["would_refuse"], &figures("newcomers")["dry_run"]), (&json!(4), &json!(true)));
    assert_eq!((&figures("address")["everywhere"], &figures("address")["by"]), (&json!(true), &json!(["address"])));

    let limit = json!({ "by": ["address", "route"], "per_minute": 1, "burst": 4, "filter": "route eq \"limited\"" });
    let told = operator.post(SIMULATE, limit).await.expect(200);
    assert_eq!((&told["requests"], &told["refused"]), (&json!(5), &json!(1)), "{told}");
    assert_eq!((&told["clients"], &told["clients_refused"]), (&json!(1), &json!(1)));
    let who = json!([{ "by": "address", "value": "127.0.0.1" }, { "by": "route", "value": "limited" }]);
    assert_eq!(told["top"][0], json!({ "who": who, "requests": 5, "refused": 1 }));
    assert!(told["from"].as_str() <= told["to"].as_str());
    let tolls = told["in_force"].as_array().unwrap();
    assert!(tolls.contains(&json!({ "name": "few", "refused": 3, "would_refuse": 0 })), "{told}");
    assert!(tolls.contains(&json!({ "name": "newcomers", "refused": 0, "would_refuse": 4 })), "{told}");
}

on_both_engines!(
    recent_requests_are_listed_filtered_and_paged,
    hostile_filters_and_cursors_are_refused,
    only_operators_with_the_permission_look,
    the_tail_tells_what_comes_resumes_and_ends_with_the_credential,
    the_subscription_tells_the_same,
    who_reads_too_slowly_is_told_how_many_were_missed,
    a_limit_is_tried_on_recent_requests_and_those_in_force_tell_their_figures,
);

/// The lines about requests, once this path is among them.
async fn lines(server: &Server, path: &str) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let log = server.log();
        let parsed = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let lines: Vec<Value> = parsed.filter(|line| line["target"] == "request").collect();
        if lines.iter().any(|line| line["path"] == path) {
            return lines;
        }
        assert!(begun.elapsed() < PATIENCE, "no line about {path}: {log}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn the_log_has_failures_and_recorded_traces_and_never_a_secret() {
    let settings = [("SAMPLE", "0.0"), ("SLOW", "0"), ("FAILURES_FROM", "404")];
    let mut builder = Server::builder(BIN, Engine::Sqlite).env("HOLDFAST__LOG__FORMAT", "json");
    for (key, value) in settings {
        builder = builder.env(&format!("HOLDFAST__GATEWAY__ACCESS_LOG__{key}"), value);
    }
    let server = builder.start().await;
    let client = server.client();
    client.get("/openapi.json?token=hush").await.expect(200);
    let traced = client.with("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    traced.get("/openapi.json").await.expect(200);
    client.with("cookie", "session=hush").bearer("hush").get("/gone?password=hush").await;

    let lines = lines(&server, "/gone").await;

    let told: Vec<_> = lines.iter().map(|line| (&line["path"], &line["status"], &line["sample"])).collect();
    let (ok, lost) = (json!("/openapi.json"), json!("/gone"));
    assert_eq!(told, [(&ok, &json!(200), &json!(1.0)), (&lost, &json!(404), &json!(1.0))]);
    assert_eq!(lines[0]["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert!(!server.log().contains("hush"), "{}", server.log());
}

#[test]
fn settings_that_can_t_work_are_named() {
    for (key, value, part) in [
        ("ACCESS_LOG__SAMPLE", "2.0", "gateway.access_log can't be used: sample"),
        ("ACCESS_LOG__FAILURES_FROM", "7", "failures_from"),
        ("RECENT_REQUESTS", "100001", "gateway.recent_requests is 100001"),
        ("ACCESS_LOG__SAMPEL", "1.0", "Did you mean \"sample\"?"),
    ] {
        let key = format!("HOLDFAST__GATEWAY__{key}");
        let (status, printed) = Server::builder(BIN, Engine::Sqlite).env(&key, value).run();

        assert!(!status.success() && printed.contains(part), "{part} in {printed}");
    }
}
