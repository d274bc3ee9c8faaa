//! GraphQL over HTTP: one document a POST, bounded, with the code and the request's id in every error.

use async_graphql::{Request, Response as GraphResponse, ServerError, Value};
use kernel::{Caller, Kind, Problem};
use poem::{Body, IntoResponse, Response};

use crate::schema::Graph;

/// The largest document with its variables, in bytes.
const MAX_BYTES: usize = 256 * 1024;

/// Answers one GraphQL request of an identified caller.
pub async fn answer(graph: &Graph, caller: Caller, content_type: Option<&str>, body: Body) -> Response {
    match read(content_type, body).await {
        Ok(request) => {
            let id = caller.request.id.clone();
            let answer = graph.execute(request.data(caller)).await;
            render(answer, &id)
        }
        Err(problem) => problem.into_response(),
    }
}

async fn read(content_type: Option<&str>, body: Body) -> Result<Request, Problem> {
    let json = content_type.and_then(|kind| kind.split(';').next()).map(str::trim);
    if json != Some("application/json") {
        return Err(Problem::new(
            Kind::Invalid,
            "graphql.content_type",
            "Send the document as JSON with Content-Type: application/json: {\"query\": …, \"variables\": …}.",
        ));
    }
    let bytes = body.into_bytes_limit(MAX_BYTES).await.map_err(|error| match error {
        poem::error::ReadBodyError::PayloadTooLarge => {
            Problem::new(Kind::TooLarge, "kernel.too_large", format!("A document has at most {MAX_BYTES} bytes."))
        }
        other => Problem::new(Kind::Invalid, "graphql.body_invalid", format!("The body can't be read: {other}.")),
    })?;
    let read = kernel::rest::strict_json(&bytes);
    read.and_then(|value| serde_json::from_value(value).map_err(|error| error.to_string())).map_err(|reason| {
        Problem::new(Kind::Invalid, "graphql.body_invalid", format!("The body is no GraphQL request: {reason}."))
    })
}

/// Writes the request's id into the errors, and a code into those that the framework found.
fn render(mut answer: GraphResponse, request_id: &str) -> Response {
    answer.errors.iter_mut().for_each(|error| complete(error, request_id));
    let body = serde_json::to_vec(&answer).unwrap_or_default();
    let mut response = Response::builder().content_type("application/graphql-response+json").body(body);
    // Such as the session's cookie.
    response.headers_mut().extend(answer.http_headers);
    response
}

fn complete(error: &mut ServerError, request_id: &str) {
    let extensions = error.extensions.get_or_insert_default();
    if extensions.get("code").is_none() {
        extensions.set("code", "graphql.document_invalid");
        extensions.set("status", Kind::Invalid.status());
        extensions.set("retryable", false);
        extensions.set("errors", Value::List(Vec::new()));
    }
    extensions.set("request_id", request_id);
}
