//! The answer that holds a document's bytes: whole, a range of it, or that the client has it already.

use std::io;
use std::ops::Range;

use futures_util::TryStreamExt;
use kernel::Problem;
use kernel::rest::ProblemBody;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use poem::http::{HeaderValue, StatusCode, header};
use poem::{Body, IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{
    MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry,
};
use poem_openapi::types::ToJSON;

use crate::content::{Content, Reading};

/// What stands for itself in the extended form of a parameter (RFC 8187, section 3.2.1).
const ATTR_CHAR: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What the client asks about the bytes.
pub(super) struct Conditions {
    pub(super) range: Option<String>,
    pub(super) if_range: Option<String>,
    pub(super) if_none_match: Option<String>,
}

/// The answer.
pub(super) struct Download {
    about: About,
    outcome: Outcome,
}

struct About {
    tag: String,
    name: String,
    media_type: String,
    size: u64,
}

enum Outcome {
    Unchanged,
    Unsatisfiable,
    Bytes { reading: Box<Reading>, range: Range<u64>, partial: bool },
}

/// What a range asks for.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Whole,
    Part(Range<u64>),
    Nothing,
}

/// One range of bytes (RFC 9110, section 14.1.2). What is malformed, of another unit, or more than one range is
/// answered as a whole, as the RFC allows.
fn wanted(field: Option<&str>, size: u64) -> Wanted {
    let spec = field.and_then(|field| field.trim().split_once('=')).filter(|(unit, _)| unit.trim() == "bytes");
    let Some((first, last)) = spec.and_then(|(_, spec)| spec.trim().split_once('-')) else { return Wanted::Whole };
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    match (first, number(first), last, number(last)) {
        ("", _, _, Some(0)) => Wanted::Nothing,
        ("", _, _, Some(suffix)) if size > 0 => Wanted::Part(size.saturating_sub(suffix)..size),
        ("", _, _, Some(_)) => Wanted::Nothing,
        (_, Some(from), "", _) if from < size => Wanted::Part(from..size),
        (_, Some(from), _, Some(to)) if from > to => Wanted::Whole,
        (_, Some(from), _, Some(to)) if from < size => Wanted::Part(from..to.saturating_add(1).min(size)),
        (_, Some(_), "", _) | (_, Some(_), _, Some(_)) => Wanted::Nothing,
        _ => Wanted::Whole,
    }
}

fn names_tag(field: &str, tag: &str) -> bool {
    field.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == tag)
}

impl Download {
    /// Answers what the client asks for; bytes are read from here on.
    pub(super) async fn of(content: Content, conditions: &Conditions) -> Result<Self, Problem> {
        let about = About {
            tag: format!("\"{}\"", content.version.sha256),
            name: content.document.name.clone(),
            media_type: content.version.media_type.clone(),
            size: content.size(),
        };
        if conditions.if_none_match.as_deref().is_some_and(|field| names_tag(field, &about.tag)) {
            return Ok(Self { about, outcome: Outcome::Unchanged });
        }
        // A date never fits: what we give are entity tags, compared strongly (RFC 9110, section 13.1.5).
        let same = conditions.if_range.as_deref().is_none_or(|field| field.trim() == about.tag);
        let range = conditions.range.as_deref().filter(|_| same);
        let (range, partial) = match wanted(range, about.size) {
            Wanted::Nothing => return Ok(Self { about, outcome: Outcome::Unsatisfiable }),
            Wanted::Part(range) => (range, true),
            Wanted::Whole => (0..about.size, false),
        };
        let reading = Box::new(content.read(range.clone(), "download").await?);
        Ok(Self { about, outcome: Outcome::Bytes { reading, range, partial } })
    }
}

/// A name as an attachment's, in both forms (RFC 6266).
fn disposition(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_graphic() && !"\"\\%".contains(c) || c == ' ' { c } else { '_' };
    let ascii: String = name.chars().map(plain).collect();
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{}", utf8_percent_encode(name, ATTR_CHAR))
}

fn unsatisfiable(size: u64) -> Response {
    let status = StatusCode::RANGE_NOT_SATISFIABLE;
    let body = ProblemBody {
        kind: "about:blank".to_owned(),
        title: "Range not satisfiable".to_owned(),
        status: status.as_u16(),
        detail: format!("The document has {size} bytes; ask for a range within them."),
        code: "vault.range_unsatisfiable".to_owned(),
        errors: Vec::new(),
        request_id: None,
        retryable: false,
    };
    let text = body.to_json_string();
    let answer = Response::builder().status(status).content_type("application/problem+json");
    answer.header(header::CONTENT_RANGE, format!("bytes */{size}")).extension(body).body(text)
}

impl IntoResponse for Download {
    fn into_response(self) -> Response {
        let mut response = match self.outcome {
            Outcome::Unsatisfiable => return unsatisfiable(self.about.size),
            Outcome::Unchanged => StatusCode::NOT_MODIFIED.into_response(),
            Outcome::Bytes { reading, range, partial } => {
                let status = if partial { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
                let builder = Response::builder()
                    .status(status)
                    .header(header::CONTENT_LENGTH, range.end - range.start)
                    .header(header::CONTENT_DISPOSITION, disposition(&self.about.name));
                let builder = if partial {
                    let last = range.end.saturating_sub(1);
                    builder.header(header::CONTENT_RANGE, format!("bytes {}-{last}/{}", range.start, self.about.size))
                } else {
                    builder
                };
                let bytes = reading.into_stream().map_err(|error| io::Error::other(error.to_string()));
                builder.content_type(&self.about.media_type).body(Body::from_bytes_stream(bytes))
            }
        };
        let headers = response.headers_mut();
        if let Ok(tag) = HeaderValue::from_str(&self.about.tag) {
            headers.insert(header::ETAG, tag);
        }
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        // Whatever the bytes are, a browser that shows them runs nothing of them.
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
        headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
        response
    }
}

fn meta(status: u16, description: &'static str, with_bytes: bool) -> MetaResponse {
    let text = || MetaSchemaRef::Inline(Box::new(MetaSchema::new("string")));
    let header = |name: &str, description: &str| MetaHeader {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        required: false,
        deprecated: false,
        schema: text(),
    };
    let bytes = MetaSchema { format: Some("binary"), ..MetaSchema::new("string") };
    let content = MetaMediaType { content_type: "*/*", schema: MetaSchemaRef::Inline(Box::new(bytes)) };
    let mut headers = vec![header("ETag", "SHA-256 of the version.")];
    if status == 206 || status == 416 {
        headers.push(header("Content-Range", "Which bytes of how many."));
    }
    let content = if with_bytes { vec![content] } else { Vec::new() };
    MetaResponse { description, status: Some(status), status_range: None, content, headers }
}

impl ApiResponse for Download {
    fn meta() -> MetaResponses {
        let responses = vec![
            meta(200, "All of its bytes.", true),
            meta(206, "The range that was asked for.", true),
            meta(304, "You have it already.", false),
            MetaResponse {
                content: <Problem as ApiResponse>::meta().responses.swap_remove(0).content,
                ..meta(416, "No such range.", false)
            },
        ];
        MetaResponses { responses }
    }

    fn register(_registry: &mut Registry) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_of_bytes_is_read_as_its_rfc_says() {
        for (field, size, expected) in [
            ("bytes=0-0", 10, Wanted::Part(0..1)),
            ("bytes=2-5", 10, Wanted::Part(2..6)),
            ("bytes=2-", 10, Wanted::Part(2..10)),
            ("bytes=-3", 10, Wanted::Part(7..10)),
            ("bytes=-30", 10, Wanted::Part(0..10)),
            ("bytes=5-99999999999999999999999", 10, Wanted::Part(5..10)),
            ("bytes=10-", 10, Wanted::Nothing),
            ("bytes=99999999999999999999999-", 10, Wanted::Nothing),
            ("bytes=-0", 10, Wanted::Nothing),
            ("bytes=0-", 0, Wanted::Nothing),
            ("bytes=-1", 0, Wanted::Nothing),
            ("bytes=5-2", 10, Wanted::Whole),
            ("bytes=0-1,4-5", 10, Wanted::Whole),
            ("bytes=-", 10, Wanted::Whole),
            ("bytes=a-b", 10, Wanted::Whole),
            ("bytes=+1-2", 10, Wanted::Whole),
            ("items=0-1", 10, Wanted::Whole),
            ("bytes", 10, Wanted::Whole),
        ] {
            assert_eq!(wanted(Some(field), size), expected, "{field} of {size}");
        }
    }

    #[test]
    fn a_name_can_not_leave_its_quotes() {
        assert_eq!(
            disposition("a\"; x=\\é%.html"),
            "attachment; filename=\"a_; x=___.html\"; filename*=UTF-8''a%22%3B%20x%3D%5C%C3%A9%25.html"
        );
    }
}
