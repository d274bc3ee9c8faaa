//! REST and GraphQL: the same operations, the same answers.

use async_graphql::{EmptySubscription, Schema};
use kernel::Caller;
use kernel::rest::Identified;
use poem::http::Method;
use poem::{Endpoint, EndpointExt, Request, Route};
use poem_openapi::OpenApiService;
use serde_json::{Value, json};
use testkit::{Engine, on_both_engines};

use super::{House, house};
use crate::{graphql, rest};

type GraphQl = Schema<graphql::Query, graphql::Mutation, EmptySubscription>;

fn schema(house: &House) -> GraphQl {
    let tenancy = house.tenancy.clone();
    Schema::build(graphql::Query::new(tenancy.clone()), graphql::Mutation::new(tenancy), EmptySubscription)
        .data(graphql::role_loader(&house.tenancy))
        .finish()
}

pub(super) async fn query(house: &House, caller: &Caller, text: &str) -> Value {
    let request = async_graphql::Request::new(text).data(caller.clone());
    serde_json::to_value(schema(house).execute(request).await).unwrap()
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) etag: Option<String>,
    pub(super) body: Value,
}

/// One request through the REST face, with a caller who was identified before.
pub(super) async fn call(
    house: &House,
    caller: &Caller,
    request: (Method, &str),
    if_match: Option<&str>,
    body: Value,
) -> Answer {
    let service = OpenApiService::new(rest::Api::new(house.tenancy.clone()), "test", "1");
    let app = Route::new().nest("/", service).catch_all_error(kernel::rest::on_error);
    let (method, path) = request;
    let mut request = Request::builder().method(method).uri(path.parse().unwrap()).content_type("application/json");
    if let Some(version) = if_match {
        request = request.header("If-Match", version);
    }
    let request = request.extension(Identified(Ok(caller.clone()))).body(body.to_string());
    let response = app.get_response(request).await;
    let etag = response.headers().get("etag").map(|value| value.to_str().unwrap().to_owned());
    let status = response.status().as_u16();
    let bytes = response.into_body().into_bytes().await.unwrap();
    Answer { status, etag, body: serde_json::from_slice(&bytes).unwrap_or_default() }
}

async fn a_role_lives_its_life_over_rest(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let owner = house.member(acme.id, "owner").await;
    let roles = "/api/v1/tenancy/roles";
    let new = json!({ "name": "Clerk", "permissions": ["vault.read"] });

    let made = call(&house, &owner, (Method::POST, roles), None, new).await;
    assert_eq!((made.status, made.etag.as_deref()), (201, Some("\"1\"")), "{}", made.body);
    let one = format!("{roles}/{}", made.body["id"].as_str().unwrap());
    let patch = async |if_match, body| call(&house, &owner, (Method::PATCH, &one), if_match, body).await;

    assert_eq!(patch(None, json!({ "name": "Scribe" })).await.status, 428);
    assert_eq!(patch(Some("\"7\""), json!({ "name": "Scribe" })).await.status, 412);
    assert_eq!(patch(Some("\"1\""), json!({ "nome": "Scribe" })).await.status, 400);
    assert_eq!(patch(Some("\"1\""), json!({ "name": null })).await.status, 400);
    let changed = patch(Some("\"1\""), json!({ "name": "Scribe", "description": "Writes." })).await;
    assert_eq!((changed.status, changed.etag.as_deref()), (200, Some("\"2\"")));
    let cleared = patch(Some("\"2\""), json!({ "description": null })).await;
    assert_eq!((&cleared.body["name"], &cleared.body["description"]), (&json!("Scribe"), &json!("")));
    let masked = call(&house, &owner, (Method::GET, &format!("{one}?fields=id,name")), None, Value::Null).await;
    assert_eq!(masked.body, json!({ "id": made.body["id"], "name": "Scribe" }));
    assert_eq!(call(&house, &owner, (Method::DELETE, &one), Some("*"), Value::Null).await.status, 204);
    let gone = call(&house, &owner, (Method::GET, &one), None, Value::Null).await;
    assert_eq!((gone.status, &gone.body["code"]), (404, &json!("kernel.not_found")));
}

async fn hostile_input_is_a_400_and_writes_nothing(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let owner = house.member(acme.id, "owner").await;
    let before = house.events(acme.id).await;
    let long = "x".repeat(5000);

    for (path, body) in [
        ("roles", json!({ "name": long, "permissions": [] })),
        ("roles", json!({ "name": "a", "permissions": "vault.read" })),
        ("roles", json!({ "name": "a\u{0}b", "permissions": [] })),
        ("roles", json!({ "name": "a", "permissions": [], "built_in": true })),
        ("roles", json!({ "name": "a", "permissions": [long] })),
        ("roles", json!({ "name": "a", "permissions": [], "description": long })),
        ("roles", json!([])),
        ("invitations", json!({ "email": "a@b.c", "role_id": "usr_00000000000070008000000000000001" })),
        ("invitations", json!({ "email": "a@b.c" })),
    ] {
        let path = format!("/api/v1/tenancy/{path}");
        let answer = call(&house, &owner, (Method::POST, &path), None, body.clone()).await;
        assert_eq!(answer.status, 400, "{body} {}", answer.body);
    }
    for path in ["roles/rol_x", "roles?limit=0", "roles?sort=level", "members?cursor=x", "tenants?filter=(((("] {
        let answer = call(&house, &owner, (Method::GET, &format!("/api/v1/tenancy/{path}")), None, Value::Null).await;
        assert_eq!(answer.status, 400, "{path} {}", answer.body);
    }
    assert_eq!(house.events(acme.id).await, before);
}

async fn members_bring_their_roles_in_one_batch_over_graphql(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let viewer = house.member(acme.id, "viewer").await;
    house.member(acme.id, "owner").await;
    house.member(acme.id, "viewer").await;

    let answer =
        query(&house, &viewer, "{ members(sort: \"created_at\") { nodes { email role { name builtIn } } } }").await;

    let nodes = answer["data"]["members"]["nodes"].as_array().unwrap();
    let roles: Vec<_> = nodes.iter().map(|node| node["role"]["name"].as_str().unwrap()).collect();
    assert_eq!(roles, ["viewer", "owner", "viewer"], "{answer}");
}

async fn graphql_keeps_the_rules_and_the_codes(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let owner = house.member(acme.id, "owner").await;
    let viewer = house.member(acme.id, "viewer").await;
    let create = "mutation { createRole(new: { name: \"Clerk\", permissions: [\"vault.read\"] }) { id version } }";

    let refused = query(&house, &viewer, create).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "kernel.forbidden", "{refused}");
    let made = query(&house, &owner, create).await;
    let id = made["data"]["createRole"]["id"].as_str().unwrap();
    let update = |version: &str| {
        format!("mutation {{ updateRole(id: \"{id}\"{version}, update: {{ name: \"Scribe\" }}) {{ name version }} }}")
    };
    let unnamed = query(&house, &owner, &update("")).await;
    assert_eq!(unnamed["errors"][0]["extensions"]["status"], 428, "{unnamed}");
    let changed = query(&house, &owner, &update(", version: 1")).await;
    assert_eq!(changed["data"]["updateRole"], json!({ "name": "Scribe", "version": 2 }));
    let taken =
        query(&house, &owner, "mutation { createRole(new: { name: \"scribe\", permissions: [] }) { id } }").await;
    assert_eq!(taken["errors"][0]["extensions"]["code"], "tenancy.role_name_taken");
    let nobody = Caller::anonymous(acme.id, super::request());
    let nobody = query(&house, &nobody, "{ roles { nodes { id } } }").await;
    assert_eq!(nobody["errors"][0]["extensions"]["status"], 401);
}

/// `list_tenants` and `get_tenant` are the queries `tenants` and `tenant`; all else keeps its name.
async fn what_stands_on_one_face_stands_on_the_other(engine: Engine) {
    let house = house(engine).await;
    let sdl = schema(&house).sdl();
    let service = OpenApiService::new(rest::Api::new(house.tenancy.clone()), "test", "1");
    let document: Value = serde_json::from_str(&service.spec()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.values().flat_map(|path| path.as_object().unwrap().values());

    let names: Vec<_> = operations.map(|it| it["operationId"].as_str().unwrap().to_owned()).collect();

    assert_eq!(names.len(), 28);
    for name in &names {
        let bare = name.strip_prefix("list_").or_else(|| name.strip_prefix("get_")).unwrap_or(name);
        let mut words = bare.split('_');
        let first = words.next().unwrap().to_owned();
        let twin = words.fold(first, |twin, word| format!("{twin}{}{}", word[..1].to_uppercase(), &word[1..]));
        assert!(sdl.contains(&format!("\t{twin}(")), "{name} has no twin {twin} in\n{sdl}");
    }
}

on_both_engines!(
    a_role_lives_its_life_over_rest,
    hostile_input_is_a_400_and_writes_nothing,
    members_bring_their_roles_in_one_batch_over_graphql,
    graphql_keeps_the_rules_and_the_codes,
    what_stands_on_one_face_stands_on_the_other,
);
