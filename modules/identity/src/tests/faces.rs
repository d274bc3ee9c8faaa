use std::collections::BTreeSet;

use kernel::rest::Identified;
use kernel::{Caller, SYSTEM_TENANT};
use poem::http::{Method, StatusCode};
use poem::{Endpoint, EndpointExt, IntoEndpoint, Request, Response};
use poem_openapi::OpenApiService;
use testkit::{Engine, on_both_engines};

use super::*;
use crate::graphql::{Mutation, Query};
use crate::rest::{Api, WellKnown};

type Schema = async_graphql::Schema<Query, Mutation, async_graphql::EmptySubscription>;

fn schema(identity: &Identity) -> Schema {
    let (query, mutation) = (Query::new(identity.clone()), Mutation::new(identity.clone()));
    async_graphql::Schema::build(query, mutation, async_graphql::EmptySubscription).finish()
}

fn service(identity: &Identity) -> OpenApiService<(Api, WellKnown), ()> {
    OpenApiService::new((Api::new(identity.clone()), WellKnown::new(identity.clone())), "identity", "1")
}

async fn call(identity: &Identity, caller: Caller, method: Method, path: &str, body: &str) -> Response {
    let mut request = Request::builder().method(method).uri(path.parse().unwrap()).content_type("application/json");
    request = request.header("x", "y");
    let mut request = request.body(body.to_owned());
    request.extensions_mut().insert(Identified(Ok(caller)));
    service(identity).into_endpoint().catch_all_error(kernel::rest::on_error).get_response(request).await
}

/// `list_api_keys` is `apiKeys`, `get_account` is `account`, and all else keeps its name.
fn twin(operation: &str) -> String {
    let name = operation.strip_prefix("list_").or_else(|| operation.strip_prefix("get_")).unwrap_or(operation);
    let mut words = name.split('_');
    let first = words.next().unwrap().to_owned();
    words.fold(first, |name, word| name + &word[..1].to_uppercase() + &word[1..])
}

async fn every_operation_has_its_twin(engine: Engine) {
    let world = World::without_operator(engine, IdentityConfig::quick()).await;
    let spec: serde_json::Value = serde_json::from_str(&service(&world.identity).spec()).unwrap();
    let operations = spec["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
    let names = operations.map(|operation| operation["operationId"].as_str().unwrap().to_owned());
    let rest: BTreeSet<_> = names
        .filter(|name| !["get_jwks", "get_server_metadata"].contains(&name.as_str()))
        .map(|name| twin(&name))
        .collect();

    let asked = "{ __schema { queryType { fields { name } } mutationType { fields { name } } } }";
    let answer = schema(&world.identity).execute(asked).await.data.into_json().unwrap();
    let fields =
        ["queryType", "mutationType"].map(|kind| answer["__schema"][kind]["fields"].as_array().unwrap().clone());
    let graphql: BTreeSet<_> =
        fields.into_iter().flatten().map(|field| field["name"].as_str().unwrap().to_owned()).collect();

    assert_eq!(rest, graphql);
    assert_eq!(rest.len(), 22);
}

async fn a_browser_signs_in_and_out_over_both_faces(engine: Engine) {
    let world = World::new(engine).await;
    let body = format!(r#"{{"email":"{OPERATOR}","password":"{PASSWORD}","transport":"cookie"}}"#);

    let response =
        call(&world.identity, anonymous(SYSTEM_TENANT), Method::POST, "/api/v1/identity/sessions", &body).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    let cookie = response.header("set-cookie").unwrap().to_owned();
    assert!(cookie.starts_with("__Host-holdfast_session="), "{cookie}");
    let value = cookie.split(['=', ';']).nth(1).unwrap();
    let tenant = world.system().await;
    let caller = world.identity.authenticate(&tenant, Credential::Cookie(value), request()).await.unwrap();
    let response = call(&world.identity, caller, Method::DELETE, "/api/v1/identity/sessions/current", "").await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert!(response.header("set-cookie").unwrap().contains("Max-Age=0"));

    let mutation = format!(
        r#"mutation {{ createSession(input: {{ email: "{OPERATOR}", password: "{PASSWORD}", transport: COOKIE }}) {{ accessToken session {{ device }} }} }}"#
    );
    let asked = async_graphql::Request::new(mutation).data(anonymous(SYSTEM_TENANT));
    let answer = schema(&world.identity).execute(asked).await;
    assert!(answer.errors.is_empty(), "{:?}", answer.errors);
    assert!(answer.http_headers.get("set-cookie").unwrap().to_str().unwrap().starts_with("__Host-"));
}

async fn problems_keep_their_code_on_both_faces(engine: Engine) {
    let world = World::new(engine).await;
    let body = r#"{"email":"nobody@example.test","password":"wrong"}"#;

    let response =
        call(&world.identity, anonymous(SYSTEM_TENANT), Method::POST, "/api/v1/identity/sessions", body).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let problem: serde_json::Value = response.into_body().into_json().await.unwrap();
    assert_eq!(problem["code"], "identity.credentials_wrong");

    let mutation =
        r#"mutation { createSession(input: { email: "nobody@example.test", password: "wrong" }) { tokenType } }"#;
    let asked = async_graphql::Request::new(mutation).data(anonymous(SYSTEM_TENANT));
    let answer = schema(&world.identity).execute(asked).await;
    let extensions = serde_json::to_value(&answer.errors[0]).unwrap();
    assert_eq!(extensions["extensions"]["code"], "identity.credentials_wrong");
    assert_eq!(extensions["extensions"]["status"], 401);

    for (path, body) in [
        ("/api/v1/identity/sessions", r#"{"email":"a@b.c","password":"x","extra":1}"#),
        ("/api/v1/identity/sessions", r#"{"email":[5],"password":"x"}"#),
        ("/api/v1/identity/sessions", r#"{"email":"a@b.c"}"#),
        ("/api/v1/identity/sessions", "not json"),
        ("/api/v1/identity/tokens/refresh", r#"{"refresh_token":null}"#),
    ] {
        let response = call(&world.identity, anonymous(SYSTEM_TENANT), Method::POST, path, body).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{body}");
    }
    let response = call(&world.identity, anonymous(SYSTEM_TENANT), Method::GET, "/api/v1/identity/me", "").await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(response.header("www-authenticate").is_some());
}

async fn the_well_known_documents_name_the_tenant_and_its_keys(engine: Engine) {
    let world = World::new(engine).await;
    let (acme, _) = world.new_tenant("acme").await;
    let get = async |tenant, path: &str| {
        let response = call(&world.identity, anonymous(tenant), Method::GET, path, "").await;
        assert_eq!(response.status(), StatusCode::OK);
        assert!(response.header("cache-control").is_some());
        response.into_body().into_json::<serde_json::Value>().await.unwrap()
    };

    let metadata = get(acme, "/.well-known/oauth-authorization-server").await;
    assert_eq!(metadata["issuer"], "https://acme.localhost:8443");
    assert_eq!(metadata["jwks_uri"], "https://acme.localhost:8443/.well-known/jwks.json");
    let keys = get(acme, "/.well-known/jwks.json").await;
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2);
    assert_ne!(keys, get(SYSTEM_TENANT, "/.well-known/jwks.json").await);

    let token = world.sign_in(OPERATOR).await.access_token.unwrap();
    let keys: jsonwebtoken::jwk::JwkSet =
        serde_json::from_value(get(SYSTEM_TENANT, "/.well-known/jwks.json").await).unwrap();
    let kid = jsonwebtoken::decode_header(&token).unwrap().kid.unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(keys.find(&kid).unwrap()).unwrap();
    let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::ES256);
    rules.set_audience(&["https://localhost:8443"]);
    assert!(jsonwebtoken::decode::<serde_json::Value>(&token, &key, &rules).is_ok(), "as others would check it");
}

on_both_engines!(
    every_operation_has_its_twin,
    a_browser_signs_in_and_out_over_both_faces,
    problems_keep_their_code_on_both_faces,
    the_well_known_documents_name_the_tenant_and_its_keys,
);
