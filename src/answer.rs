//! What every answer gets on its way out: the request's id in problems, the trace, the mark of a replay, 304, and the
//! headers that keep browsers safe.

use gateway::TraceContext;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use poem::Response;

/// Finishes the answer of an API.
pub fn finish_api(
    mut response: Response,
    method: &Method,
    asked: &HeaderMap,
    request_id: &str,
    replayed: bool,
) -> Response {
    kernel::rest::stamp(&mut response, request_id);
    if replayed {
        response.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
    }
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
    headers.entry(header::VARY).or_insert(HeaderValue::from_static("Authorization, Cookie, Holdfast-Tenant"));
    if *method == Method::GET && response.status() == StatusCode::OK && unchanged(&response, asked) {
        response.set_status(StatusCode::NOT_MODIFIED);
        response.headers_mut().remove(header::CONTENT_TYPE);
        response.set_body(());
    }
    response
}

/// The headers of every answer.
pub fn finish(response: &mut Response, trace: &TraceContext) {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert("traceparent", trace.field());
}

fn unchanged(response: &Response, asked: &HeaderMap) -> bool {
    let tag = response.headers().get(header::ETAG).and_then(|value| value.to_str().ok());
    let known = asked.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let (Some(tag), Some(known)) = (tag, known) else { return false };
    known.split(',').map(str::trim).any(|candidate| candidate == "*" || candidate.trim_start_matches("W/") == tag)
}
