//! `kill -9` under writers: what was answered is kept once, with its audit entry and its event; the rest is whole or
//! absent, and can be repeated.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, Client, Engine, Server, on_both_engines};
use tokio::task::JoinSet;

const BIN: &str = env!("CARGO_BIN_EXE_holdfast");
/// How often the server is killed.
const KILLS: u32 = 50;
/// Writers at the moment of each kill.
const WRITERS: u32 = 64;
/// Kills that share one tenant, so that its lists stay short.
const KILLS_A_TENANT: u32 = 10;
/// The kill comes somewhere in this time after the writers began.
const MOMENTS: std::ops::Range<u64> = 20..350;
/// Writers of each round whose last answered write is repeated after the crash.
const REPEATED: usize = 8;

const ROLES: &str = "/api/v1/tenancy/roles";

/// A write, by its name: also its idempotency key.
type Name = String;

/// A tenant whose owner writes with an API key, which outlives the server.
struct Target {
    slug: String,
    secret: String,
    /// The id of the role that was made for each write that was answered.
    answered: BTreeMap<Name, String>,
}

impl Target {
    async fn new(server: &Server) -> Self {
        let tenant = server.new_tenant("crash").await;
        let made = tenant.owner.post("/api/v1/identity/api_keys", json!({ "name": "crash" })).await.expect(201);
        let secret = made["secret"].as_str().unwrap().to_owned();
        Self { slug: tenant.slug, secret, answered: BTreeMap::new() }
    }

    /// The owner at the server as it runs now.
    fn client(&self, server: &Server) -> Client {
        server.client().tenant(&self.slug).bearer(&self.secret)
    }
}

/// Makes the role of this name; `None` when no answer came.
async fn make(client: &Client, name: &str) -> Option<Answer> {
    let role = json!({ "name": name, "permissions": ["tenancy.roles.read"] });
    let request = client.request(Method::POST, ROLES).header("idempotency-key", name).json(&role);
    request.try_send().await.ok()
}

fn id(role: &Value) -> String {
    role["id"].as_str().unwrap().to_owned()
}

/// What one writer did until the server was gone: ids of its answered writes, and the one without an answer.
async fn write_until_gone(client: Client, prefix: String) -> (Vec<(Name, String)>, Name) {
    let mut answered = Vec::new();
    for number in 0.. {
        let name = format!("{prefix}-{number}");
        match make(&client, &name).await {
            Some(answer) if answer.status == 503 => return (answered, name),
            Some(answer) => answered.push((name, id(&answer.expect(201)))),
            None => return (answered, name),
        }
    }
    unreachable!("the loop ends when the server does")
}

/// One round: writers, a kill at a random moment, a restart, and the repetition of what got no answer.
async fn round(server: &mut Server, target: &mut Target, number: u32, chance: &RandomState) {
    let client = target.client(server);
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        writers.spawn(write_until_gone(client.clone(), format!("r{number}-w{writer}")));
    }
    let moment = MOMENTS.start + chance.hash_one(number) % (MOMENTS.end - MOMENTS.start);
    tokio::time::sleep(Duration::from_millis(moment)).await;
    server.kill9();
    let done = writers.join_all().await;
    server.restart().await;

    let client = target.client(server);
    for (writer, (answered, unanswered)) in done.into_iter().enumerate() {
        if let Some((name, id)) = answered.last().filter(|_| writer < REPEATED) {
            assert_repeated(&client, name, id).await;
        }
        let again = make(&client, &unanswered).await.unwrap();
        target.answered.insert(unanswered, id(&again.expect(201)));
        target.answered.extend(answered);
    }
}

/// The repetition of an answered write gives the same answer, marked as a repetition.
async fn assert_repeated(client: &Client, name: &str, role: &str) {
    let again = make(client, name).await.unwrap();
    assert_eq!(id(&again.expect(201)), role);
    assert_eq!(again.header("idempotency-replayed"), Some("true"), "{}", again.describe());
}

/// All items of a list.
async fn all(client: &Client, path: &str, filter: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut cursor = String::new();
    loop {
        let query = [("limit", "200"), ("filter", filter), ("cursor", cursor.as_str())];
        let asked: Vec<_> = query.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let url = reqwest::Url::parse_with_params("http://x", asked).unwrap();
        let page = client.get(&format!("{path}?{}", url.query().unwrap())).await.expect(200);
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return items,
        }
    }
}

/// Every answered write is there exactly once: the role, its entry, its event; and nothing else.
async fn assert_kept(client: &Client, target: &Target) {
    let expected: BTreeMap<&str, u32> = target.answered.values().map(|id| (id.as_str(), 1)).collect();
    assert_eq!(expected.len(), target.answered.len(), "two writes got the same role");

    let roles = all(client, ROLES, "built_in eq false").await;
    let names: BTreeMap<Name, String> =
        roles.iter().map(|role| (role["name"].as_str().unwrap().to_owned(), id(role))).collect();
    assert_eq!(names.len(), roles.len(), "a name stands twice");
    assert_eq!(names, target.answered);

    let entries = all(client, "/api/v1/audit/entries", "action eq \"tenancy.role_created\"").await;
    assert_eq!(times(entries.iter().map(|entry| &entry["target"]["id"])), expected);
    let events = all(client, "/api/v1/events", "type eq \"tenancy.role_created\"").await;
    assert_eq!(times(events.iter().map(|event| &event["key"])), expected);
}

fn times<'a>(ids: impl Iterator<Item = &'a Value>) -> BTreeMap<&'a str, u32> {
    let mut times = BTreeMap::new();
    ids.for_each(|id| *times.entry(id.as_str().unwrap()).or_default() += 1);
    times
}

/// The trail is numbered to its end and in order.
async fn assert_trail_verifies(client: &Client) {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let found = client.get("/api/v1/audit/verify").await.expect(200);
        assert_eq!(found["ok"], true, "{found}");
        if found["unsequenced"] == 0 {
            return;
        }
        assert!(Instant::now() < deadline, "entries were not numbered within 30 s: {found}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn every_acknowledged_write_survives_kill_9_exactly_once(engine: Engine) {
    let chance = RandomState::new();
    let mut server = Server::start(BIN, engine).await;
    for first in (0..KILLS).step_by(KILLS_A_TENANT as usize) {
        let mut target = Target::new(&server).await;
        for number in first..KILLS.min(first + KILLS_A_TENANT) {
            round(&mut server, &mut target, number, &chance).await;
        }
        let client = target.client(&server);
        assert_kept(&client, &target).await;
        assert_trail_verifies(&client).await;
    }
}

on_both_engines!(every_acknowledged_write_survives_kill_9_exactly_once);
