//! The REST API: all modules' operations in one OpenAPI document.

use poem_openapi::{OpenApi, OpenApiService};
use serde_json::{Value, json};

use crate::house::House;
use crate::overview;

/// What the document says about all operations.
const DESCRIPTION: &str = include_str!("api.md");

/// The service, with every module in it.
pub fn service(house: &House) -> OpenApiService<impl OpenApi + use<>, ()> {
    let modules = (
        identity::rest::Api::new(house.identity.clone()),
        identity::rest::WellKnown::new(house.identity.clone()),
        tenancy::rest::Api::new(house.tenancy.clone()),
        edge::rest::Api::new(house.edge.clone()),
        vault::rest::api(&house.vault),
        knowledge::rest::Api::new(house.knowledge.clone()),
        audit::rest::Api(house.audit.clone()),
        events::rest::Api::new(house.events.clone()),
        jobs::rest::Api::new(house.jobs.clone()),
        chat::rest::Api::new(house.chat.clone()),
        overview::rest::Api(house.overview.clone()),
    );
    OpenApiService::new(modules, "Holdfast", env!("CARGO_PKG_VERSION")).description(DESCRIPTION)
}

/// The OpenAPI document: what poem-openapi derives, the headers that every operation takes, and where null is allowed.
pub fn document<T: OpenApi>(service: &OpenApiService<T, ()>) -> Value {
    let mut document: Value = serde_json::from_str(&service.spec()).unwrap_or_default();
    for item in document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut()) {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            if let Some(operation) = operation.as_object_mut() {
                let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
                if let Some(parameters) = parameters.as_array_mut() {
                    parameters.extend(common(method));
                }
                if method != "get"
                    && let Some(responses) = operation["responses"].as_object_mut()
                {
                    responses.remove("304"); // One type answers reads and writes; only a read can be unchanged.
                }
            }
        }
    }
    let schemas = document["components"]["schemas"].as_object_mut();
    schemas.into_iter().flat_map(|schemas| schemas.values_mut()).for_each(admit_null);
    document
}

/// A member that may be left out may also be null, in what is sent and in what is answered; poem-openapi says only
/// the first.
fn admit_null(schema: &mut Value) {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let members = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (name, member) in members.into_iter().flatten() {
        if required.iter().any(|required| required == name) {
            continue;
        }
        if member.get("$ref").is_some() {
            // Beside a reference nothing else counts (OpenAPI 3.0.3, Reference Object).
            *member = json!({ "allOf": [member.take()] });
        }
        member["nullable"] = true.into();
        if let Some(values) = member.get_mut("enum").and_then(Value::as_array_mut) {
            values.push(Value::Null);
        }
    }
}

fn common(method: &str) -> Vec<Value> {
    let tenant = json!({
        "name": "Holdfast-Tenant", "in": "header", "required": false,
        "description": "On the shared host: the slug or id of the tenant that is asked. Without it, the system tenant answers.",
        "schema": { "type": "string", "maxLength": 64 }
    });
    let key = json!({
        "name": "Idempotency-Key", "in": "header", "required": false,
        "description": "Makes a repetition of this write harmless for 24 hours.",
        "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x20-\\x7e]+$" }
    });
    if method == "get" { vec![tenant] } else { vec![tenant, key] }
}
