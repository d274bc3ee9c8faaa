//! Knowledge through the front door: crashes in the middle of reading, progress as it happens, chat over documents.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Client, Engine, Front, Server, on_both_engines};

const BIN: &str = env!("CARGO_BIN_EXE_holdfast");

pub(crate) async fn collection(client: &Client) -> String {
    let new = json!({ "name": "Papers", "searchable": true });
    let made = client.post("/api/v1/vault/collections", new).await.expect(201);
    made["id"].as_str().unwrap().to_owned()
}

pub(crate) async fn upload(client: &Client, collection: &str, name: &str, text: &str) -> Value {
    let path = format!("/api/v1/vault/documents?collection={collection}&name={name}");
    client.request(Method::POST, &path).body("text/plain", text).send().await.expect(201)
}

async fn search(client: &Client, query: &str) -> Vec<Value> {
    let search = json!({ "query": query, "limit": 100, "mode": "text" });
    let found = client.post("/api/v1/knowledge/search", search).await.expect(200);
    found["items"].as_array().unwrap().clone()
}

/// Waits until so many documents can be searched, and by this process's index.
pub(crate) async fn searchable(client: &Client, documents: i64) {
    let deadline = Instant::now() + Duration::from_secs(90);
    loop {
        let status = client.get("/api/v1/knowledge/status").await.expect(200);
        let number = |name: &str| status[name].as_i64().unwrap();
        if number("documents") == documents && number("in_progress") == 0 && number("text_seq") >= number("seq") {
            return;
        }
        assert!(Instant::now() < deadline, "{status}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn kill_9_while_200_documents_are_read_leaves_each_searchable_once(engine: Engine) {
    let mut server = Server::start(BIN, engine).await;
    let tenant = server.new_tenant("crash").await;
    let owner = tenant.owner.api_key("crash").await;
    let secret = owner.credential().unwrap().to_owned();
    let papers = collection(&owner).await;
    for number in 0..200 {
        let text = format!("Ledger page.\n\nEntry number{number} concerns the harbour at Skerry.");
        upload(&owner, &papers, &format!("{number}.txt"), &text).await;
    }

    let mut owner = owner;
    for _ in 0..3 {
        let before = owner.get("/api/v1/knowledge/status").await.expect(200)["documents"].as_i64().unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        while before < 180 && Instant::now() < deadline {
            let now = owner.get("/api/v1/knowledge/status").await.expect(200)["documents"].as_i64().unwrap();
            if now > before + 10 {
                break;
            }
        }
        server.kill9();
        server.restart().await;
        owner = server.client().tenant(&tenant.slug).bearer(&secret);
    }
    searchable(&owner, 200).await;

    let status = owner.get("/api/v1/knowledge/status").await.expect(200);
    assert_eq!((status["passages"].as_i64(), status["failed"].as_i64()), (Some(200), Some(0)));
    for number in (0..200).step_by(7) {
        let hits = search(&owner, &format!("number{number}")).await;
        let names: Vec<&str> = hits.iter().map(|hit| hit["name"].as_str().unwrap()).collect();
        assert_eq!(names, [format!("{number}.txt")]);
    }
}

async fn progress_is_told_as_it_happens_to_who_may_read(engine: Engine) {
    let front = Front::shared(BIN, engine).await;
    let tenant = front.new_tenant("progress").await;
    let papers = collection(&tenant.owner).await;
    let stream = format!("{}/api/v1/knowledge/progress", tenant.owner.base());
    let ask = reqwest::Client::builder().build().unwrap().get(stream).header("holdfast-tenant", &tenant.slug);
    let ask = ask.header("authorization", format!("Bearer {}", tenant.owner.credential().unwrap()));
    let mut answer = ask.send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    answer.chunk().await.unwrap();

    let document = upload(&tenant.owner, &papers, "a.txt", "The ferry leaves at dawn.").await;

    let mut seen = String::new();
    let until_ready = async {
        while !seen.contains("\"state\":\"ready\"") {
            seen.push_str(&String::from_utf8_lossy(&answer.chunk().await.unwrap().unwrap()));
        }
    };
    tokio::time::timeout(Duration::from_secs(60), until_ready).await.unwrap();
    assert!(seen.contains(document["id"].as_str().unwrap()), "{seen}");
}

async fn a_citation_of_a_chat_is_found_at_its_place(engine: Engine) {
    let front = Front::shared(BIN, engine).await;
    let tenant = front.new_tenant("cite").await;
    let papers = collection(&tenant.owner).await;
    let text = "Leave.\n\nEverybody has thirty days of leave a year.\n\nTravel.\n\nA hotel costs 140 euros at most.";
    upload(&tenant.owner, &papers, "handbook.txt", text).await;
    searchable(&tenant.owner, 1).await;
    let talk = tenant.owner.post("/api/v1/chat/conversations", json!({ "title": "Leave" })).await.expect(201);
    let path = format!("/api/v1/chat/conversations/{}/messages", talk["id"].as_str().unwrap());

    let question = json!({ "content": "How many days of leave are there?", "collections": [papers] });
    let ask = tenant.owner.request(Method::POST, &path).header("accept", "text/event-stream").json(&question);
    let answer = ask.send().await;

    let stream = String::from_utf8(answer.body).unwrap();
    let of = |kind: &str| -> Value {
        let after =
            stream.split(&format!("event: {kind}\ndata: ")).nth(1).unwrap_or_else(|| panic!("{kind}: {stream}"));
        serde_json::from_str(after.lines().next().unwrap()).unwrap()
    };
    let citation = &of("citations")["citations"][0];
    let place = format!(
        "/api/v1/knowledge/documents/{}/text?version={}&from={}&to={}",
        citation["document"].as_str().unwrap(),
        citation["version"].as_str().unwrap(),
        citation["start"],
        citation["end"]
    );
    let cited = tenant.owner.get(&place).await.expect(200);
    let passages = of("passages");
    assert!(passages["passages"].as_array().unwrap().iter().any(|passage| passage["text"] == cited["text"]));
    assert!(text.contains(cited["text"].as_str().unwrap()));
}

on_both_engines!(
    kill_9_while_200_documents_are_read_leaves_each_searchable_once,
    progress_is_told_as_it_happens_to_who_may_read,
    a_citation_of_a_chat_is_found_at_its_place,
);
