//! Every operation of the OpenAPI document, from the outside: without a token, without a permission, from another tenant.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, Client, Engine, Front, on_both_engines};

use crate::contracts::contract;

const BIN: &str = env!("CARGO_BIN_EXE_holdfast");
/// What anybody may call.
const PUBLIC: &[&str] = &[
    "get_jwks",
    "get_server_metadata",
    "accept_invitation",
    "create_session",
    "get_setup",
    "complete_setup",
    "refresh_token",
];
/// What everybody may do to their own account, whatever their role.
/// (A key never holds more than its maker does.)
const OWN: &[&str] = &[
    "get_me",
    "update_me",
    "change_password",
    "list_sessions",
    "get_session",
    "revoke_session",
    "revoke_other_sessions",
    "sign_out",
    "list_permissions",
    "list_api_keys",
    "get_api_key",
    "create_api_key",
    "revoke_api_key",
];

struct Operation {
    name: String,
    method: Method,
    path: String,
    body: Option<Value>,
}

/// All operations, with ids that name nothing and a body that fits.
fn operations() -> Vec<Operation> {
    let document: Value = serde_json::from_str(&contract("openapi.json")).unwrap();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap().to_owned();
            let mut path = path.clone();
            for parameter in operation["parameters"].as_array().unwrap().iter().filter(|it| it["in"] == "path") {
                let place = format!("{{{}}}", parameter["name"].as_str().unwrap());
                let prefix = parameter["schema"]["pattern"].as_str().unwrap_or_default().trim_start_matches('^');
                let prefix = prefix.split('[').next().unwrap();
                path = path.replace(&place, &format!("{prefix}01900000000070008000000000000009"));
            }
            let body = operation.get("requestBody").map(|_| body(&name));
            let method = method.to_uppercase().parse().unwrap();
            found.push(Operation { name, method, path, body });
        }
    }
    found
}

fn body(operation: &str) -> Value {
    let role = "rol_01900000000070008000000000000009";
    match operation {
        "create_invitation" => json!({ "email": "new@example.org", "role_id": role }),
        "update_member" => json!({ "role_id": role }),
        "create_role" => json!({ "name": "new", "permissions": [] }),
        "create_tenant" => json!({ "slug": "new-tenant", "name": "New" }),
        "claim_domain" => json!({ "name": "app.example.org" }),
        "update_account" => json!({ "display_name": "New" }),
        "suspend_tenant" => json!({}),
        "create_collection" => json!({ "name": "new", "searchable": false }),
        "create_record" => json!({ "collection_id": "col_01900000000070008000000000000009", "data": {} }),
        "update_record" => json!({ "data": {} }),
        "create_grant" => json!({
            "collection_id": "col_01900000000070008000000000000009", "subject": "everyone", "access": "read",
        }),
        "search" => json!({ "query": "new" }),
        "create_route" => json!({ "name": "new", "action": { "kind": "module" } }),
        "create_pool" => json!({ "name": "new", "settings": {} }),
        "purge_answers" => json!({ "everything": true }),
        "simulate_edge_limit" => json!({ "by": ["address"], "per_minute": 60, "burst": 20 }),
        "explain_route" => json!({ "host": "a.example", "target": "/" }),
        "create_conversation" | "update_conversation" => json!({ "title": "New" }),
        "send_message" => json!({ "content": "New" }),
        "create_model_provider" => json!({ "name": "New", "base_url": "https://example.com", "models": ["m"] }),
        "change_password" => json!({ "current_password": "a", "new_password": "b" }),
        "refresh_token" => json!({ "refresh_token": "a" }),
        "create_session" => json!({ "email": "a@example.org", "password": "a" }),
        "accept_invitation" | "complete_setup" => json!({ "token": "a", "email": "a@example.org", "password": "a" }),
        _ => json!({ "name": "New" }),
    }
}

async fn call(client: &Client, operation: &Operation) -> Answer {
    let request = client.request(operation.method.clone(), &operation.path);
    match &operation.body {
        Some(body) => request.json(body).send().await,
        None => request.send().await,
    }
}

async fn without_a_token_only_what_is_public_answers(engine: Engine) {
    let front = Front::shared(BIN, engine).await;
    let tenant = front.new_tenant("faces").await;
    let anonymous = tenant.owner.anonymous();

    for operation in operations().iter().filter(|operation| !PUBLIC.contains(&operation.name.as_str())) {
        let answer = call(&anonymous, operation).await;
        assert_eq!(answer.status, 401, "{}\n{}", operation.name, answer.describe());
    }
}

async fn a_role_without_permissions_reaches_its_own_account_only(engine: Engine) {
    let front = Front::shared(BIN, engine).await;
    let tenant = front.new_tenant("faces").await;
    let role = json!({ "name": "nothing", "permissions": [] });
    tenant.owner.post("/api/v1/tenancy/roles", role).await.expect(201);
    let nobody = tenant.member("nothing").await;

    let mut answered = Vec::new();
    for operation in operations() {
        let name = operation.name.as_str();
        if PUBLIC.contains(&name) || OWN.contains(&name) {
            continue;
        }
        let answer = call(&nobody, &operation).await;
        if answer.status != 403 {
            answered.push((operation.name, answer.status));
        }
    }
    assert_eq!(answered, []);
}

async fn an_owner_is_nobody_in_another_tenant(engine: Engine) {
    let front = Front::shared(BIN, engine).await;
    let (one, other) = (front.new_tenant("faces").await, front.new_tenant("faces").await);
    let key = one.owner.api_key("faces").await;

    for stranger in [one.owner.tenant(&other.slug), key.tenant(&other.slug)] {
        for operation in operations().iter().filter(|operation| !PUBLIC.contains(&operation.name.as_str())) {
            let answer = call(&stranger, operation).await;
            assert_eq!(answer.status, 401, "{}\n{}", operation.name, answer.describe());
        }
    }
}

on_both_engines!(
    without_a_token_only_what_is_public_answers,
    a_role_without_permissions_reaches_its_own_account_only,
    an_owner_is_nobody_in_another_tenant,
);
