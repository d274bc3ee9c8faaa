//! Domains over REST and GraphQL.

use poem::http::Method;
use serde_json::{Value, json};
use testkit::{Engine, on_both_engines};

use super::estate::Estate;
use super::faces::{call, query};
use super::with_key;

const DOMAINS: &str = "/api/v1/tenancy/domains";

async fn a_domain_lives_its_life_over_rest(engine: Engine) {
    let estate = Estate::new(engine).await;
    let house = &estate.house;
    let acme = house.tenant("acme").await;
    let owner = house.member(acme.id, "owner").await;
    let new = json!({ "name": "app.customer.com" });

    let made = call(house, &with_key(&owner, "k"), (Method::POST, DOMAINS), None, new.clone()).await;
    assert_eq!((made.status, made.etag.as_deref()), (201, Some("\"1\"")), "{}", made.body);
    let replayed = call(house, &with_key(&owner, "k"), (Method::POST, DOMAINS), None, new.clone()).await;
    assert_eq!((replayed.status, &replayed.body["id"]), (201, &made.body["id"]));
    let record = &made.body["records"][0];
    assert_eq!((&record["type"], &record["name"]), (&json!("TXT"), &json!("_holdfast.app.customer.com")));
    assert!(record["value"].as_str().unwrap().starts_with("holdfast-verification="));
    assert_eq!(call(house, &owner, (Method::POST, DOMAINS), None, new).await.status, 409);

    let one = format!("{DOMAINS}/{}", made.body["id"].as_str().unwrap());
    let checked = call(house, &owner, (Method::POST, &format!("{one}/check")), None, Value::Null).await;
    assert_eq!((checked.status, &checked.body["status"]), (200, &json!("pending")), "{}", checked.body);
    assert_eq!(checked.body["findings"][0]["code"], "dns.proof_missing");
    assert_eq!(call(house, &owner, (Method::POST, &format!("{one}/check")), None, Value::Null).await.status, 429);
    let steps = call(house, &owner, (Method::GET, &format!("{one}/timeline")), None, Value::Null).await;
    assert_eq!(steps.body["items"][0]["code"], "dns.proof_missing", "{}", steps.body);
    let filtered = format!("{DOMAINS}?filter=status%20eq%20%22pending%22&fields=id,name");
    let listed = call(house, &owner, (Method::GET, &filtered), None, Value::Null).await;
    assert_eq!(listed.body["items"], json!([{ "id": made.body["id"], "name": "app.customer.com" }]));
    let none = format!("{DOMAINS}?filter=ready%20eq%20true");
    assert_eq!(call(house, &owner, (Method::GET, &none), None, Value::Null).await.body["items"], json!([]));
    assert_eq!(call(house, &owner, (Method::DELETE, &one), Some("\"1\""), Value::Null).await.status, 412);
    assert_eq!(call(house, &owner, (Method::DELETE, &one), None, Value::Null).await.status, 204);
    assert_eq!(call(house, &owner, (Method::GET, &one), None, Value::Null).await.status, 404);
}

async fn hostile_names_and_parameters_are_a_400(engine: Engine) {
    let estate = Estate::new(engine).await;
    let house = &estate.house;
    let acme = house.tenant("acme").await;
    let owner = house.member(acme.id, "owner").await;

    let long = "x".repeat(501);
    for body in [
        json!({}),
        json!({ "name": 7 }),
        json!({ "name": "a.b", "token": "mine" }),
        json!({ "name": long }),
        json!({ "name": "a.customer.com\r\nX: y" }),
        json!({ "name": "'; DROP TABLE tenancy_domain; --" }),
        json!({ "name": "../../etc" }),
    ] {
        let answer = call(house, &owner, (Method::POST, DOMAINS), None, body.clone()).await;
        assert_eq!(answer.status, 400, "{body} {}", answer.body);
    }
    for path in ["?sort=status", "?filter=name", "?limit=0", "/dom_x", "/mem_01900000000070008000000000000009/timeline"]
    {
        let answer = call(house, &owner, (Method::GET, &format!("{DOMAINS}{path}")), None, Value::Null).await;
        assert_eq!(answer.status, 400, "{path} {}", answer.body);
    }
}

async fn a_domain_lives_its_life_over_graphql(engine: Engine) {
    let estate = Estate::new(engine).await;
    let house = &estate.house;
    let acme = house.tenant("acme").await;
    let owner = house.member(acme.id, "owner").await;
    let viewer = house.member(acme.id, "viewer").await;
    let claim = "mutation { claimDomain(new: { name: \"*.customer.com\" }) { id status records { type value } } }";

    let refused = query(house, &viewer, claim).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "kernel.forbidden", "{refused}");
    let made = query(house, &owner, claim).await;
    assert_eq!(made["data"]["claimDomain"]["status"], "PENDING", "{made}");
    let id = made["data"]["claimDomain"]["id"].as_str().unwrap();
    let checked = query(
        house,
        &owner,
        &format!("mutation {{ checkDomain(id: \"{id}\") {{ proof address findings {{ code mend }} }} }}"),
    )
    .await;
    assert_eq!(checked["data"]["checkDomain"]["proof"], "WRONG", "{checked}");
    let read = format!(
        "{{ domains {{ nodes {{ name certificate {{ status }} }} }} domain(id: \"{id}\") {{ displayName }} \
         domainTimeline(id: \"{id}\") {{ nodes {{ sentence times }} }} }}"
    );
    let read = query(house, &viewer, &read).await;
    assert_eq!(read["data"]["domains"]["nodes"][0], json!({ "name": "*.customer.com", "certificate": null }));
    assert_eq!(read["data"]["domainTimeline"]["nodes"][0]["times"], 1, "{read}");
    let soon = query(house, &owner, &format!("mutation {{ checkDomain(id: \"{id}\") {{ id }} }}")).await;
    assert_eq!(soon["errors"][0]["extensions"]["status"], 429);
    let released = query(house, &owner, &format!("mutation {{ releaseDomain(id: \"{id}\") }}")).await;
    assert_eq!(released["data"]["releaseDomain"], true, "{released}");
}

on_both_engines!(
    a_domain_lives_its_life_over_rest,
    hostile_names_and_parameters_are_a_400,
    a_domain_lives_its_life_over_graphql,
);
