//! The console, the API reference and the GraphQL explorer, out of the binary.

use http::{HeaderMap, HeaderValue, StatusCode, header};
use kernel::Problem;
use poem::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

/// What `npm run build` made; empty when the binary was built without it.
#[derive(RustEmbed)]
#[folder = "web-admin/dist/"]
#[allow_missing = true]
struct Dist;

/// Nothing but what this host serves.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-src blob:; frame-ancestors 'none'";
/// File names carry a hash of their content.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// Answers a request for a page or a file; `None` when the path is none of theirs.
pub fn answer(path: &str, asked: &HeaderMap) -> Option<Response> {
    match path {
        "/" | "/console" => Some(redirect("/console/")),
        "/docs" | "/docs/" => Some(page("docs.html", asked)),
        "/graphiql" | "/graphiql/" => Some(page("graphiql.html", asked)),
        _ => {
            let rest = path.strip_prefix("/console/")?;
            Some(match Dist::get(rest) {
                Some(file) if rest.starts_with("assets/") => answer_file(&file, asked, FOREVER),
                Some(file) => answer_file(&file, asked, "no-cache"),
                // Every screen is a URL: the page finds its way by itself. A missing file is missing.
                None if rest.starts_with("assets/") => Problem::not_found().into_response(),
                None => page("index.html", asked),
            })
        }
    }
}

fn redirect(to: &'static str) -> Response {
    Response::builder().status(StatusCode::TEMPORARY_REDIRECT).header(header::LOCATION, to).finish()
}

fn page(name: &str, asked: &HeaderMap) -> Response {
    match Dist::get(name) {
        Some(file) => {
            let mut response = answer_file(&file, asked, "no-cache");
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
            headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
            headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
            response
        }
        None => Response::builder()
            .status(StatusCode::NOT_FOUND)
            .content_type("text/plain; charset=utf-8")
            .body("This binary was built without the console. Run `make console` and build it again.\n"),
    }
}

fn answer_file(file: &EmbeddedFile, asked: &HeaderMap, cache: &'static str) -> Response {
    let etag = format!("\"{}\"", hex::encode(&file.metadata.sha256_hash()[..12]));
    let known = asked.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let response = Response::builder().header(header::ETAG, &etag).header(header::CACHE_CONTROL, cache);
    if known == Some(etag.as_str()) {
        return response.status(StatusCode::NOT_MODIFIED).finish();
    }
    let body = match &file.data {
        std::borrow::Cow::Borrowed(bytes) => poem::Body::from_bytes(bytes::Bytes::from_static(bytes)),
        std::borrow::Cow::Owned(bytes) => poem::Body::from(bytes.clone()),
    };
    response.content_type(file.metadata.mimetype()).body(body)
}
