//! Why the edge turns a request away, and the answer that it gives then (RFC 9457).

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use serde::Serialize;

use crate::app::{RequestId, ResponseBody};

/// Everything for which the edge itself answers; a closed set, so that it can label a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Refusal {
    RequestLine,
    Target,
    TargetTooLong,
    HeadTooLarge,
    TooManyHeaders,
    HeaderField,
    LineEnding,
    Version,
    UnknownMethod,
    MethodNotAllowed,
    HostMissing,
    HostTwice,
    HostInvalid,
    HostMismatch,
    LengthWithCoding,
    LengthTwice,
    LengthInvalid,
    CodingUnknown,
    CodingOnHttp10,
    Expectation,
    ConnectionField,
    HeadTooSlow,
    Misdirected,
    BodyTooLarge,
    TooManyRequests,
    Panicked,
}

impl Refusal {
    /// Status, code and a sentence that helps.
    const fn words(self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Self::RequestLine => (S::BAD_REQUEST, "edge.request_line", "The request line is not valid."),
            Self::Target => (S::BAD_REQUEST, "edge.target", "The request target is not valid for this method."),
            Self::TargetTooLong => (S::URI_TOO_LONG, "edge.target_too_long", "The request target is too long."),
            Self::HeadTooLarge => head_too_large("edge.head_too_large", "The header section is too large."),
            Self::TooManyHeaders => head_too_large("edge.too_many_headers", "There are too many header fields."),
            Self::HeaderField => (S::BAD_REQUEST, "edge.header_field", "A header field is not valid."),
            Self::LineEnding => (S::BAD_REQUEST, "edge.line_ending", "Lines of a request end with CR LF."),
            Self::Version => {
                (S::HTTP_VERSION_NOT_SUPPORTED, "edge.version", "Only HTTP/1.0, HTTP/1.1 and HTTP/2 are spoken here.")
            }
            Self::UnknownMethod => (S::NOT_IMPLEMENTED, "edge.method_unknown", "This method is not known here."),
            Self::MethodNotAllowed => {
                (S::METHOD_NOT_ALLOWED, "edge.method_not_allowed", "This method is not allowed here.")
            }
            Self::HostMissing => (S::BAD_REQUEST, "edge.host_missing", "The Host header is missing."),
            Self::HostTwice => (S::BAD_REQUEST, "edge.host_twice", "There is more than one Host."),
            Self::HostInvalid => (S::BAD_REQUEST, "edge.host_invalid", "The Host is not valid."),
            Self::HostMismatch => (S::BAD_REQUEST, "edge.host_mismatch", "The target and the Host header differ."),
            Self::LengthWithCoding => {
                (S::BAD_REQUEST, "edge.length_with_coding", "Content-Length and Transfer-Encoding exclude each other.")
            }
            Self::LengthTwice => (S::BAD_REQUEST, "edge.length_twice", "There is more than one Content-Length."),
            Self::LengthInvalid => (S::BAD_REQUEST, "edge.length_invalid", "Content-Length is not a plain number."),
            Self::CodingUnknown => {
                (S::NOT_IMPLEMENTED, "edge.coding_unknown", "The only transfer coding known here is chunked.")
            }
            Self::CodingOnHttp10 => (S::BAD_REQUEST, "edge.coding_on_http_1_0", "HTTP/1.0 has no Transfer-Encoding."),
            Self::Expectation => {
                (S::EXPECTATION_FAILED, "edge.expectation", "The only expectation known here is 100-continue.")
            }
            Self::ConnectionField => (
                S::BAD_REQUEST,
                "edge.connection_field",
                "HTTP/2 and HTTP/3 have no connection-specific header fields.",
            ),
            Self::HeadTooSlow => (S::REQUEST_TIMEOUT, "edge.head_too_slow", "The request took too long to arrive."),
            Self::Misdirected => {
                (S::MISDIRECTED_REQUEST, "edge.misdirected", "The Host is not the name this TLS connection is for.")
            }
            Self::BodyTooLarge => (S::PAYLOAD_TOO_LARGE, "edge.body_too_large", "The request body is too large."),
            Self::TooManyRequests => {
                (S::TOO_MANY_REQUESTS, "edge.rate_limited", "Too many requests; try again after a while.")
            }
            Self::Panicked => {
                (S::INTERNAL_SERVER_ERROR, "edge.internal", "Something went wrong on our side; quote the request id.")
            }
        }
    }

    /// Whether what follows on the same HTTP/1 connection can still be trusted.
    pub(crate) const fn keeps_connection(self) -> bool {
        matches!(self, Self::TooManyRequests | Self::Misdirected | Self::Panicked)
    }

    /// The answer: `application/problem+json`, never stored.
    pub(crate) fn response(self, request_id: &RequestId) -> Response<ResponseBody> {
        let (status, code, detail) = self.words();
        metrics::counter!("holdfast_edge_requests_refused_total", "reason" => code).increment(1);
        tracing::debug!(code, request_id = request_id.as_str(), "request refused");
        let retryable = matches!(self, Self::TooManyRequests | Self::HeadTooSlow);
        let mut response = problem((status, code, detail), request_id, retryable);
        if matches!(self, Self::MethodNotAllowed) {
            let allowed = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
            response.headers_mut().insert(header::ALLOW, allowed);
        }
        response
    }
}

/// A refusal as `application/problem+json` (RFC 9457), never stored: status, code and a sentence that helps.
pub(crate) fn problem(
    (status, code, detail): (StatusCode, &str, &str),
    request_id: &RequestId,
    retryable: bool,
) -> Response<ResponseBody> {
    let problem = Problem {
        r#type: "about:blank",
        title: status.canonical_reason().unwrap_or("Error"),
        status: status.as_u16(),
        detail,
        code,
        errors: [],
        request_id: request_id.as_str(),
        retryable,
    };
    let json = serde_json::to_vec(&problem).unwrap_or_default();
    let body = Full::new(Bytes::from(json)).map_err(|never| match never {}).boxed();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

const fn head_too_large(code: &'static str, detail: &'static str) -> (StatusCode, &'static str, &'static str) {
    (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, code, detail)
}

#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    errors: [(); 0],
    request_id: &'a str,
    retryable: bool,
}
