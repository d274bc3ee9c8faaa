//! A domain of a tenant's own, from the claim to its end, with real questions to a name server of this machine.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Client, Dns, Engine, Server, on_both_engines};

const BIN: &str = env!("CARGO_BIN_EXE_holdfast");
const PATIENCE: Duration = Duration::from_secs(45);
const DOMAINS: &str = "/api/v1/tenancy/domains";
const NAME: &str = "app.customer.test";

async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < PATIENCE, "not within the test's patience: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn server(engine: Engine, dns: &Dns) -> Server {
    let resolvers = format!("[\"{}\"]", dns.address());
    let builder = Server::builder(BIN, engine).env("HOLDFAST__TENANCY__DOMAINS__RESOLVERS", &resolvers);
    builder.env("HOLDFAST__TENANCY__DOMAINS__TARGETS", "[\"192.0.2.1\", \"edge.holdfast.test\"]").start().await
}

async fn domain(client: &Client, id: &str) -> Value {
    client.get(&format!("{DOMAINS}/{id}")).await.expect(200)
}

/// Who a request to this host is for: the status of a look at one's own account there.
async fn asked_at(client: &Client, host: &str) -> u16 {
    client.host(host).get("/api/v1/identity/me").await.status
}

async fn a_domain_is_claimed_proved_served_and_released(engine: Engine) {
    let dns = Dns::start().await;
    dns.addresses("customer.test", &["198.51.100.1"]);
    let mut server = server(engine, &dns).await;
    let (acme, globex) = (server.new_tenant("acme").await, server.new_tenant("globex").await);

    let claimed = acme.owner.post(DOMAINS, json!({ "name": "App.Customer.test" })).await.expect(201);
    let id = claimed["id"].as_str().unwrap();
    assert_eq!((&claimed["name"], &claimed["status"]), (&json!(NAME), &json!("pending")));
    let record = |number: usize, field: &str| claimed["records"][number][field].as_str().unwrap().to_owned();
    assert_eq!((record(0, "type"), record(1, "type")), ("TXT".to_owned(), "CNAME".to_owned()));
    eventually("the first check", async || !domain(&acme.owner, id).await["checked_at"].is_null()).await;
    let checked = domain(&acme.owner, id).await;
    assert_eq!(checked["findings"][0]["code"], "dns.proof_missing", "{checked}");
    assert!(checked["findings"][0]["mend"].as_str().unwrap().contains(&record(0, "value")));
    assert_eq!(asked_at(&acme.owner, NAME).await, 404, "nobody's yet");

    dns.addresses("edge.holdfast.test", &["192.0.2.1"]);
    dns.alias(&record(1, "name"), &record(1, "value"));
    dns.texts(&record(0, "name"), &[&record(0, "value")]);
    eventually("the proof", async || domain(&acme.owner, id).await["status"] == "verified").await;
    let verified = domain(&acme.owner, id).await;
    assert_eq!((&verified["ready"], &verified["findings"]), (&json!(true), &json!([])), "{verified}");
    assert_eq!(asked_at(&acme.owner, NAME).await, 200);
    assert_eq!(asked_at(&globex.owner, NAME).await, 401, "another tenant's token is none here");
    let events = acme.owner.get("/api/v1/events?filter=type%20sw%20%22tenancy.domain.%22").await.expect(200);
    let kinds: Vec<_> = events["items"].as_array().unwrap().iter().map(|it| it["type"].clone()).collect();
    assert_eq!(kinds, ["tenancy.domain.verified", "tenancy.domain.claimed"]);
    assert_eq!(events["items"][0]["data"]["name"], NAME);

    server.kill9();
    server.restart().await;
    let home = server.client().tenant(&acme.slug);
    let owner = home.sign_in(&acme.owner_email, testkit::PASSWORD).await;
    assert_eq!(asked_at(&owner, NAME).await, 200, "after a crash, too");
    let there = home.host(NAME).sign_in(&acme.owner_email, testkit::PASSWORD).await;
    let there = home.bearer(there.credential().unwrap());
    assert_eq!(there.get("/api/v1/identity/me").await.status, 200);

    owner.delete(&format!("{DOMAINS}/{id}")).await.expect(204);
    assert_eq!(asked_at(&owner, NAME).await, 404, "at once");
    eventually("the end of the session", async || there.get("/api/v1/identity/me").await.status == 401).await;
    assert_eq!(owner.get("/api/v1/identity/me").await.status, 200);
    let again = owner.post(DOMAINS, json!({ "name": NAME })).await.expect(201);
    let again = again["id"].as_str().unwrap().to_owned();
    eventually("a check", async || !domain(&owner, &again).await["checked_at"].is_null()).await;
    assert_eq!(domain(&owner, &again).await["findings"][0]["code"], "dns.proof_wrong", "the old proof is none");
}

async fn a_second_claim_waits_and_says_so_over_graphql_too(engine: Engine) {
    let dns = Dns::start().await;
    let server = server(engine, &dns).await;
    let (acme, globex) = (server.new_tenant("acme").await, server.new_tenant("globex").await);
    let claim = async |owner: &Client| owner.post(DOMAINS, json!({ "name": NAME })).await.expect(201);
    let (one, two) = (claim(&acme.owner).await, claim(&globex.owner).await);
    let value = |domain: &Value| domain["records"][0]["value"].as_str().unwrap().to_owned();
    let proof = one["records"][0]["name"].as_str().unwrap().to_owned();
    dns.texts(&proof, &[&value(&one)]);
    let id = one["id"].as_str().unwrap();
    eventually("the proof", async || domain(&acme.owner, id).await["status"] == "verified").await;

    dns.texts(&proof, &[&value(&one), &value(&two)]);
    let id = two["id"].as_str().unwrap();
    let check = "mutation($id: ID!) { checkDomain(id: $id) { status findings { code sentence } } }";
    eventually("the other's check", async || {
        let answer = globex.owner.graphql(check, json!({ "id": id })).await.json();
        answer["data"]["checkDomain"]["findings"][0]["code"] == "tenancy.domain_held"
    })
    .await;
    let steps = globex.owner.get(&format!("{DOMAINS}/{id}/timeline")).await.expect(200);
    assert_eq!(steps["items"][0]["code"], "tenancy.domain_held", "{steps}");
    assert!(!steps.to_string().contains(&acme.id) && !steps.to_string().contains(&acme.slug));
    let soon = globex.owner.request(Method::POST, &format!("{DOMAINS}/{id}/check")).send().await;
    soon.problem(429, "tenancy.check_too_soon");
    assert!(soon.header("retry-after").is_some());
    assert_eq!(asked_at(&acme.owner, NAME).await, 200);
}

on_both_engines!(a_domain_is_claimed_proved_served_and_released, a_second_claim_waits_and_says_so_over_graphql_too,);
