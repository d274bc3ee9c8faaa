//! What goes on for long ends when what its caller came by does: streams of every kind, and a download.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Builder, Client, Engine, Server, Tenant, on_both_engines};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;

use crate::chat::{provider, server, with_provider};
use crate::sockets::{Socket, connect, say};

const BIN: &str = env!("CARGO_BIN_EXE_holdfast");
/// What every wait ends after, in vain.
const PATIENCE: Duration = Duration::from_secs(30);
/// More than the buffers between the server and a client hold.
const SIZE: usize = 32 << 20;

/// The ways in which a credential ends.
#[derive(Clone, Copy, Debug)]
enum End {
    SignOut,
    RevokedKey,
    DisabledAccount,
    RemovedMember,
    SuspendedTenant,
}

/// An answer under way, of which something came already.
struct Under {
    answer: reqwest::Response,
    so_far: String,
}

async fn begin(client: &Client, method: Method, path: &str, body: Option<Value>, until: &str) -> Under {
    let credential = client.credential().unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut ask = http.request(method, format!("{}{path}", client.base())).bearer_auth(credential);
    ask = ask.header("holdfast-tenant", client.tenant_name().unwrap());
    if let Some(body) = body {
        ask = ask.header("content-type", "application/json").body(body.to_string());
    }
    let mut answer = ask.send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    let mut so_far = String::new();
    while !so_far.contains(until) {
        let piece = tokio::time::timeout(PATIENCE, answer.chunk()).await.expect(path).unwrap();
        so_far.push_str(&String::from_utf8_lossy(&piece.unwrap_or_else(|| panic!("{path} ended: {so_far}"))));
    }
    Under { answer, so_far }
}

impl Under {
    /// All that it was, once it has ended; a cut connection is an end, too.
    async fn ended(mut self) -> String {
        let rest = async {
            while let Ok(Some(piece)) = self.answer.chunk().await {
                self.so_far.push_str(&String::from_utf8_lossy(&piece));
            }
        };
        tokio::time::timeout(PATIENCE, rest).await.expect("it ends");
        self.so_far
    }

    /// How many bytes came until it ended.
    async fn bytes(mut self, so_far: usize) -> usize {
        let mut count = so_far;
        let rest = async {
            while let Ok(Some(piece)) = self.answer.chunk().await {
                count += piece.len();
            }
        };
        tokio::time::timeout(PATIENCE, rest).await.expect("it ends");
        count
    }
}

async fn closed_with(mut socket: Socket) -> (u16, String) {
    let closing = async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Close(Some(frame)))) => return (frame.code.into(), frame.reason.to_string()),
                Some(Ok(_)) => {}
                other => panic!("no word at the end: {other:?}"),
            }
        }
    };
    tokio::time::timeout(PATIENCE, closing).await.expect("the connection is closed")
}

/// All that goes on for one caller.
struct Running {
    events: Under,
    wire: Under,
    progress: Under,
    download: Under,
    chat: Socket,
    graph: Socket,
}

async fn run(server: &Server, client: &Client, document: &str) -> Running {
    let conversation = client.post("/api/v1/chat/conversations", json!({})).await.expect(201);
    let path = format!("/api/v1/chat/conversations/{}/messages", conversation["id"].as_str().unwrap());
    let question = json!({ "content": "Go on for ever.", "collections": [] });
    let answer = client.post(&path, question).await.expect(202);
    let id = answer["id"].as_str().unwrap();
    let token = format!("Bearer {}", client.credential().unwrap());
    let mut headers = vec![("authorization", token.as_str()), ("holdfast-tenant", client.tenant_name().unwrap())];

    let mut chat = connect(server, "/api/v1/chat/socket", &headers).await.unwrap();
    say(&mut chat, &json!({ "type": "follow", "answer": id })).await;
    headers.push(("sec-websocket-protocol", "graphql-transport-ws"));
    let mut graph = connect(server, "/graphql", &headers).await.unwrap();
    say(&mut graph, &json!({ "type": "connection_init" })).await;
    let query = format!("subscription {{ answerEvents(id: \"{id}\") {{ seq kind data }} }}");
    say(&mut graph, &json!({ "type": "subscribe", "id": "1", "payload": { "query": query } })).await;
    heard(&mut chat, "three").await;
    heard(&mut graph, "three").await;

    let completion = json!({ "model": "m", "stream": true, "messages": [{ "role": "user", "content": "On." }] });
    let get = async |path: &str, until| begin(client, Method::GET, path, None, until).await;
    Running {
        events: get(&format!("/api/v1/chat/answers/{id}/events"), "three").await,
        wire: begin(client, Method::POST, "/v1/chat/completions", Some(completion), "three").await,
        progress: get("/api/v1/knowledge/progress", "from here on").await,
        download: get(&format!("/api/v1/vault/documents/{document}/content"), "x").await,
        chat,
        graph,
    }
}

async fn heard(socket: &mut Socket, word: &str) {
    let hearing = async {
        while let Some(message) = socket.next().await {
            if message.unwrap().to_text().is_ok_and(|text| text.contains(word)) {
                return;
            }
        }
        panic!("it was closed");
    };
    tokio::time::timeout(PATIENCE, hearing).await.expect(word);
}

async fn end(server: &Server, tenant: &Tenant, client: &Client, how: End) {
    let me = client.get("/api/v1/identity/me").await.expect(200);
    let account = me["account"]["id"].as_str().unwrap();
    let owner = tenant.owner.with("if-match", "*");
    match how {
        End::SignOut => drop(client.delete("/api/v1/identity/sessions/current").await.expect(204)),
        End::RevokedKey => {
            let path = format!("/api/v1/identity/api_keys/{}", me["api_key_id"].as_str().unwrap());
            drop(owner.delete(&path).await.expect(204));
        }
        End::DisabledAccount => {
            let path = format!("/api/v1/identity/accounts/{account}");
            drop(owner.patch(&path, json!({ "disabled": true })).await.expect(200));
        }
        End::RemovedMember => {
            let members = owner.get("/api/v1/tenancy/members?limit=200").await.expect(200);
            let mut members = members["items"].as_array().unwrap().iter();
            let member = members.find(|member| member["account_id"] == account).unwrap();
            let path = format!("/api/v1/tenancy/members/{}", member["id"].as_str().unwrap());
            drop(owner.delete(&path).await.expect(204));
        }
        End::SuspendedTenant => {
            let operator = server.operator().await.with("if-match", "*");
            let path = format!("/api/v1/tenancy/tenants/{}/suspend", tenant.id);
            drop(operator.post(&path, json!({})).await.expect(200));
        }
    }
}

async fn whatever_goes_on_ends_with_what_its_caller_came_by(engine: Engine) {
    let mut tasks = JoinSet::new();
    let url = provider(&mut tasks).await;
    let server = server(engine).await;
    let tenant = server.new_tenant("end").await;
    with_provider(&tenant.owner, &url).await;
    let collection = json!({ "name": "Papers", "searchable": false });
    let collection = tenant.owner.post("/api/v1/vault/collections", collection).await.expect(201);
    let path = format!("/api/v1/vault/documents?collection={}&name=a.bin", collection["id"].as_str().unwrap());
    let upload = tenant.owner.request(Method::POST, &path).body("application/octet-stream", vec![b'x'; SIZE]);
    let document = upload.send().await.expect(201);
    let document = document["id"].as_str().unwrap();
    let bystander = tenant.member("owner").await;

    for how in [End::SignOut, End::RevokedKey, End::DisabledAccount, End::RemovedMember, End::SuspendedTenant] {
        let member = tenant.member("owner").await;
        let client = if matches!(how, End::RevokedKey) { member.api_key("bot").await } else { member };
        let running = run(&server, &client, document).await;
        let other = begin(&bystander, Method::GET, "/api/v1/knowledge/progress", None, "from here on").await;

        end(&server, &tenant, &client, how).await;

        let events = running.events.ended().await;
        // A removed member's conversations go with them, sometimes before the answer's own end is written.
        let gone = matches!(how, End::RemovedMember) && events.contains("event: interrupted");
        let told = events.contains("event: revoked") && events.contains("chat.right_lost");
        assert!(told || gone, "{how:?}: {events}");
        let wire = running.wire.ended().await;
        assert!(wire.contains("chat.right_lost") && !wire.contains("[DONE]"), "{how:?}: {wire}");
        running.progress.ended().await;
        let so_far = running.download.so_far.len();
        let came = running.download.bytes(so_far).await;
        assert!(came < SIZE, "{how:?}: all of it came");
        let code = if matches!(how, End::SuspendedTenant) { "tenancy.suspended" } else { "identity.token_invalid" };
        assert_eq!(closed_with(running.chat).await, (1008, code.to_owned()), "{how:?}");
        assert_eq!(closed_with(running.graph).await, (1008, code.to_owned()), "{how:?}");
        if !matches!(how, End::SuspendedTenant) {
            let quiet = tokio::time::timeout(Duration::ZERO, other.ended()).await;
            assert!(quiet.is_err(), "{how:?}: somebody else's stream ended, too");
        }
    }
}

on_both_engines!(whatever_goes_on_ends_with_what_its_caller_came_by);

/// With memories that would last for an hour: only being told can make the second process forget.
#[tokio::test]
async fn another_process_is_told() {
    let key = "07".repeat(32);
    let process = |builder: Builder| {
        let builder = builder.env("HOLDFAST_ROOT_KEY", &key).env("HOLDFAST__IDENTITY__AUTH_CACHE_TTL", "1h");
        builder.env("HOLDFAST__TENANCY__DIRECTORY_TTL_MS", "3600000")
    };
    let first = process(Server::builder(BIN, Engine::Postgres)).start().await;
    let second = process(Server::builder(BIN, Engine::Sqlite).database(first.database_url())).without_operator();
    let second = second.start().await;
    let tenant = first.new_tenant("end").await;

    for how in [End::RevokedKey, End::DisabledAccount, End::RemovedMember, End::SuspendedTenant] {
        let client = tenant.member("owner").await.api_key("bot").await;
        let there = second.client().bearer(client.credential().unwrap()).tenant(client.tenant_name().unwrap());
        there.get("/api/v1/identity/me").await.expect(200);

        end(&first, &tenant, &client, how).await;

        let begun = Instant::now();
        while there.get("/api/v1/identity/me").await.status == 200 {
            assert!(begun.elapsed() < PATIENCE, "{how:?}: the second process still lets them in");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
