//! Problems as `application/problem+json` (RFC 9457).

use poem::http::{HeaderValue, StatusCode, header};
use poem::{IntoResponse, Response};
use poem_openapi::error::ParseParamError;
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::{ToJSON, Type};
use poem_openapi::{ApiResponse, Object};

use crate::problem::{FieldError, Kind, Problem};

const MEDIA_TYPE: &str = "application/problem+json";

/// What a client gets when something fails (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Object)]
#[oai(rename = "Problem")]
pub struct ProblemBody {
    /// A URI for the kind of problem; `about:blank` and the code say it all.
    #[oai(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// A sentence that tells what to do.
    pub detail: String,
    /// A stable code for programs.
    pub code: String,
    /// The fields at fault.
    pub errors: Vec<ProblemField>,
    /// Under which this request stands in logs and the audit trail.
    pub request_id: Option<String>,
    /// Whether the same request may succeed later.
    pub retryable: bool,
}

/// A field at fault.
#[derive(Clone, Debug, PartialEq, Eq, Object)]
pub struct ProblemField {
    /// Where: a path into the body, or a parameter's name.
    pub path: String,
    /// A stable code for programs.
    pub code: String,
    /// A sentence that tells what to do.
    pub detail: String,
}

impl From<FieldError> for ProblemField {
    fn from(field: FieldError) -> Self {
        Self { path: field.path, code: field.code.into_owned(), detail: field.detail }
    }
}

impl ProblemBody {
    fn new(problem: &Problem) -> Self {
        Self {
            kind: "about:blank".to_owned(),
            title: problem.kind.title().to_owned(),
            status: problem.kind.status(),
            detail: problem.detail.clone(),
            code: problem.code.to_string(),
            errors: problem.fields.iter().cloned().map(ProblemField::from).collect(),
            request_id: None,
            retryable: problem.kind.retryable(),
        }
    }

    fn answer(self, status: StatusCode) -> Response {
        let text = self.to_json_string();
        Response::builder().status(status).content_type(MEDIA_TYPE).extension(self).body(text)
    }
}

impl IntoResponse for Problem {
    /// The answer without the request's id, which [`stamp`] writes into it.
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = ProblemBody::new(&self).answer(status);
        if let Some(wait) = self.retry_after {
            let seconds = wait.as_secs_f64().ceil().max(1.0);
            if let Ok(value) = HeaderValue::from_str(&format!("{seconds}")) {
                response.headers_mut().insert(header::RETRY_AFTER, value);
            }
        }
        if self.kind == Kind::Unauthenticated {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Writes the request's id into the answer if it is a problem. The composition root does it for every answer.
pub fn stamp(response: &mut Response, request_id: &str) {
    if let Some(mut body) = response.extensions_mut().remove::<ProblemBody>() {
        body.request_id = Some(request_id.to_owned());
        response.set_body(body.to_json_string());
    }
}

impl From<Problem> for poem::Error {
    fn from(problem: Problem) -> Self {
        let mut response = problem.into_response();
        let body = response.extensions_mut().remove::<ProblemBody>();
        let mut error = Self::from_response(response);
        // An error's own data replace the extensions of its response, so the document goes there for `stamp`.
        if let Some(body) = body {
            error.set_data(body);
        }
        error
    }
}

impl ApiResponse for Problem {
    fn meta() -> MetaResponses {
        let content = vec![MetaMediaType { content_type: MEDIA_TYPE, schema: ProblemBody::schema_ref() }];
        let response = MetaResponse {
            description: "What went wrong, with a stable code (RFC 9457).",
            status: None,
            status_range: None,
            content,
            headers: Vec::new(),
        };
        MetaResponses { responses: vec![response] }
    }

    fn register(registry: &mut Registry) {
        ProblemBody::register(registry);
    }
}

/// Turns what the framework itself refuses (bad parameter, unknown path, wrong method) into a problem.
pub async fn on_error(error: poem::Error) -> Response {
    if error.is_from_response() {
        return error.into_response();
    }
    if let Some(parameter) = error.downcast_ref::<ParseParamError>() {
        return wrong_parameter(parameter).into_response();
    }
    let detail = error.to_string();
    let problem = match error.status() {
        StatusCode::NOT_FOUND => Problem::not_found(),
        StatusCode::METHOD_NOT_ALLOWED => return method_not_allowed(&error.into_response()),
        StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new(Kind::TooLarge, "kernel.too_large", "The body is larger than this server takes.")
        }
        status if status.is_client_error() => {
            let detail: String = detail.chars().take(300).collect();
            Problem::new(Kind::Invalid, "kernel.request_invalid", format!("The request is malformed: {detail}"))
        }
        _ => Problem::internal(detail),
    };
    problem.into_response()
}

fn wrong_parameter(error: &ParseParamError) -> Problem {
    // Places in a path have no name of their own at this point.
    let name = if error.name.starts_with("param") { "path" } else { error.name };
    let reason: String = error.reason.chars().take(200).collect();
    Problem::field(name, "kernel.parameter_invalid", format!("{name} does not fit: {reason}"))
}

/// The closed set of kinds has no 405; a path that is known by another method is told apart for people only.
fn method_not_allowed(refusal: &Response) -> Response {
    let problem = Problem::new(
        Kind::Invalid,
        "kernel.method_not_allowed",
        "This path does not take this method; see the API reference at /docs.",
    );
    let mut body = ProblemBody::new(&problem);
    body.status = StatusCode::METHOD_NOT_ALLOWED.as_u16();
    "Method not allowed".clone_into(&mut body.title);
    let mut response = body.answer(StatusCode::METHOD_NOT_ALLOWED);
    if let Some(allow) = refusal.headers().get(header::ALLOW) {
        response.headers_mut().insert(header::ALLOW, allow.clone());
    }
    response
}
