//! Answers: one object, a list, something made, something accepted, nothing.

use poem::http::{HeaderValue, StatusCode, header};
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{
    MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry,
};
use poem_openapi::types::{ParseFromJSON, ToJSON, Type};
use serde_json::Value;

use crate::list::{FieldMask, Page};
use crate::version::etag;

const JSON: &str = "application/json";

/// Something with a version, shown as its entity tag.
pub trait Etag {
    /// The row's version; `None` for what has none.
    fn version(&self) -> Option<i64>;
}

/// 200 with one object.
#[derive(Clone, Debug)]
pub struct Reply<T>(T, Option<FieldMask>);

impl<T> Reply<T> {
    /// The whole object.
    pub const fn new(value: T) -> Self {
        Self(value, None)
    }

    /// Only the fields that the client asked for.
    pub const fn masked(value: T, mask: Option<FieldMask>) -> Self {
        Self(value, mask)
    }
}

/// 201 with what was made.
#[derive(Clone, Debug)]
pub struct Created<T>(pub T);

/// 202 with the operation that goes on.
#[derive(Clone, Debug)]
pub struct Accepted<T>(pub T);

/// 204.
#[derive(Clone, Copy, Debug)]
pub struct NoContent;

/// 200 with a page of a list.
#[derive(Clone, Debug)]
pub struct Listed<T: ParseFromJSON + ToJSON>(pub Page<T>, pub Option<FieldMask>);

fn json(status: StatusCode, value: Option<Value>, version: Option<i64>) -> Response {
    let body = serde_json::to_vec(&value.unwrap_or_default()).unwrap_or_default();
    let mut response = Response::builder().status(status).content_type(JSON).body(body);
    if let Some(value) = version.and_then(|version| HeaderValue::from_str(&etag(version)).ok()) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}

fn meta(status: u16, description: &'static str, schema: MetaSchemaRef, with_etag: bool) -> MetaResponse {
    let etag = MetaHeader {
        name: "ETag".to_owned(),
        description: Some("The version, for If-Match and If-None-Match.".to_owned()),
        required: false,
        deprecated: false,
        schema: MetaSchemaRef::Inline(Box::new(MetaSchema::new("string"))),
    };
    MetaResponse {
        description,
        status: Some(status),
        status_range: None,
        content: vec![MetaMediaType { content_type: JSON, schema }],
        headers: if with_etag { vec![etag] } else { Vec::new() },
    }
}

fn empty(status: u16, description: &'static str) -> MetaResponse {
    MetaResponse { description, status: Some(status), status_range: None, content: Vec::new(), headers: Vec::new() }
}

impl<T: ToJSON + Etag> IntoResponse for Reply<T> {
    fn into_response(self) -> Response {
        let version = self.0.version();
        let mut value = self.0.to_json();
        if let (Some(mask), Some(value)) = (&self.1, &mut value) {
            mask.prune(value);
        }
        json(StatusCode::OK, value, version)
    }
}

impl<T: ToJSON> ApiResponse for Reply<T> {
    fn meta() -> MetaResponses {
        let ok = meta(200, "Here it is.", T::schema_ref(), true);
        MetaResponses { responses: vec![ok, empty(304, "Not changed since the version in If-None-Match.")] }
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<T: ToJSON + Etag> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        json(StatusCode::CREATED, self.0.to_json(), self.0.version())
    }
}

impl<T: ToJSON> ApiResponse for Created<T> {
    fn meta() -> MetaResponses {
        MetaResponses { responses: vec![meta(201, "Made.", T::schema_ref(), true)] }
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<T: ToJSON + Etag> IntoResponse for Accepted<T> {
    fn into_response(self) -> Response {
        json(StatusCode::ACCEPTED, self.0.to_json(), self.0.version())
    }
}

impl<T: ToJSON> ApiResponse for Accepted<T> {
    fn meta() -> MetaResponses {
        MetaResponses { responses: vec![meta(202, "Accepted; it goes on in the background.", T::schema_ref(), false)] }
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

impl ApiResponse for NoContent {
    fn meta() -> MetaResponses {
        MetaResponses { responses: vec![empty(204, "Done.")] }
    }

    fn register(_registry: &mut Registry) {}
}

impl<T: ParseFromJSON + ToJSON> IntoResponse for Listed<T> {
    fn into_response(self) -> Response {
        let mut value = self.0.to_json();
        if let (Some(mask), Some(items)) = (&self.1, value.as_mut().and_then(|value| value["items"].as_array_mut())) {
            items.iter_mut().for_each(|item| mask.prune(item));
        }
        json(StatusCode::OK, value, None)
    }
}

impl<T: ParseFromJSON + ToJSON> ApiResponse for Listed<T> {
    fn meta() -> MetaResponses {
        MetaResponses { responses: vec![meta(200, "A page of the list.", Page::<T>::schema_ref(), false)] }
    }

    fn register(registry: &mut Registry) {
        Page::<T>::register(registry);
    }
}
