//! Answers made of what is stored (RFC 9111, section 4; RFC 9110, section 15.3.7).

use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header, request};

use crate::{
    body::CacheBody,
    cache_status::Status,
    fields,
    policy::Policy,
    precondition,
    range::{self, Wanted},
    spool::Reader,
    stored::{Head, Stored},
};

/// Answers from what is stored whole: all of it, a part, or that the client has it already.
pub(crate) fn from_stored<D>(
    request: &request::Parts,
    policy: &Policy,
    stored: &Stored,
    now: SystemTime,
    status: &Status,
) -> Response<CacheBody<D>> {
    let mut headers = aged(&stored.head, policy, now);
    status.append_to(&mut headers);
    if precondition::is_not_modified(&request.headers, stored.head.status, &stored.head.headers) {
        return not_modified(headers);
    }
    if request.method == Method::HEAD {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(stored.body.len()));
        return build(stored.head.status, headers, CacheBody::empty());
    }
    if stored.head.status != StatusCode::OK || !precondition::if_range_holds(&request.headers, &stored.head.headers) {
        return whole(stored, headers);
    }
    match range::wanted(&request.headers, stored.body.len()) {
        Wanted::Whole => whole(stored, headers),
        Wanted::Part(part) => {
            let described = format!("bytes {}-{}/{}", part.start, part.end - 1, stored.body.len());
            describe(&mut headers, &described, part.len());
            build(StatusCode::PARTIAL_CONTENT, headers, CacheBody::stored(stored.body.slice(part)))
        }
        Wanted::Unsatisfiable => {
            describe(&mut headers, &format!("bytes */{}", stored.body.len()), 0);
            headers.remove(header::CONTENT_TYPE);
            build(StatusCode::RANGE_NOT_SATISFIABLE, headers, CacheBody::empty())
        }
    }
}

/// Answers with what comes in for another request. `None`: it is too late to read it from the start.
pub(crate) fn from_coming<D>(
    request: &request::Parts,
    policy: &Policy,
    head: &Head,
    reader: Reader,
    now: Option<SystemTime>,
    status: &Status,
) -> Response<CacheBody<D>> {
    let mut headers = match now {
        Some(now) => aged(head, policy, now),
        None => ours_off(&head.headers, policy),
    };
    status.append_to(&mut headers);
    if precondition::is_not_modified(&request.headers, head.status, &head.headers) {
        return not_modified(headers);
    }
    let length = length_of(&head.headers);
    build(head.status, headers, CacheBody::shared(reader, length))
}

/// The client wants only what is stored, and nothing is (RFC 9111, section 5.2.1.7).
pub(crate) fn nothing_stored<D>() -> Response<CacheBody<D>> {
    let mut headers = HeaderMap::new();
    Status { detail: Some("only-if-cached"), ..Status::default() }.append_to(&mut headers);
    build(StatusCode::GATEWAY_TIMEOUT, headers, CacheBody::empty())
}

/// `Content-Length`, if it is one number.
pub(crate) fn length_of(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn whole<D>(stored: &Stored, headers: HeaderMap) -> Response<CacheBody<D>> {
    build(stored.head.status, headers, CacheBody::stored(Bytes::clone(&stored.body)))
}

fn not_modified<D>(mut headers: HeaderMap) -> Response<CacheBody<D>> {
    precondition::reduce_to_304(&mut headers);
    build(StatusCode::NOT_MODIFIED, headers, CacheBody::empty())
}

fn ours_off(headers: &HeaderMap, policy: &Policy) -> HeaderMap {
    let mut headers = headers.clone();
    fields::strip_ours(&mut headers, policy.shows_keys);
    headers
}

fn aged(head: &Head, policy: &Policy, now: SystemTime) -> HeaderMap {
    let mut headers = ours_off(&head.headers, policy);
    headers.insert(header::AGE, HeaderValue::from(head.freshness.age(now).as_secs()));
    headers
}

fn describe(headers: &mut HeaderMap, range: &str, length: usize) {
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    if let Ok(range) = HeaderValue::from_str(range) {
        headers.insert(header::CONTENT_RANGE, range);
    }
}

fn build<D>(status: StatusCode, headers: HeaderMap, body: CacheBody<D>) -> Response<CacheBody<D>> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
