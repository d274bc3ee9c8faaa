//! A JSON body: read strictly, with the field that is wrong named in the problem.

use poem::{FromRequest, Request, RequestBody, Result};
use poem_openapi::payload::{Json, Payload};
use poem_openapi::registry::{MetaMediaType, MetaRequest, Registry};
use poem_openapi::types::{ParseFromJSON, ToJSON};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use serde_json::Value;

use crate::problem::{Kind, Problem};
use crate::rest::strict;

/// A JSON request body (`application/json` or any `+json` type, such as a merge patch).
#[derive(Clone, Debug)]
pub struct Body<T>(pub T);

impl<'a, T: ParseFromJSON + ToJSON> ApiExtractor<'a> for Body<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let content = vec![MetaMediaType { content_type: "application/json", schema: T::schema_ref() }];
        Some(MetaRequest { description: None, content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> Result<Self> {
        if !request.content_type().is_some_and(<Json<T> as Payload>::check_content_type) {
            return Err(Problem::new(
                Kind::Invalid,
                "kernel.content_type",
                "Send the body as JSON with Content-Type: application/json.",
            )
            .into());
        }
        let bytes = <Vec<u8> as FromRequest>::from_request(request, body).await?;
        let value = strict::parse(&bytes).map_err(|reason| invalid(&reason))?;
        let read = T::parse_from_json(Some(value.clone())).map_err(|error| invalid(&error.into_message()))?;
        match read.to_json().and_then(|read| coerced(&value, &read)) {
            Some(name) => {
                Err(Problem::field(name, "kernel.body_invalid", "A text is expected here; put it in quotes.").into())
            }
            None => Ok(Self(read)),
        }
    }
}

/// The name of a number or truth value that was read as a text: poem-openapi takes them for texts, which would hide a
/// client's mistake.
fn coerced(sent: &Value, read: &Value) -> Option<String> {
    match (sent, read) {
        (Value::Object(sent), Value::Object(read)) => {
            sent.iter().find_map(|(name, sent)| match (sent, read.get(name)?) {
                (Value::Number(_) | Value::Bool(_), Value::String(_)) => Some(name.clone()),
                (sent, read) => coerced(sent, read),
            })
        }
        (Value::Array(sent), Value::Array(read)) => sent.iter().zip(read).find_map(|pair| match pair {
            (Value::Number(_) | Value::Bool(_), Value::String(_)) => Some("items".to_owned()),
            (sent, read) => coerced(sent, read),
        }),
        _ => None,
    }
}

fn invalid(reason: &str) -> Problem {
    let reason: String = reason.trim_end_matches('.').chars().take(300).collect();
    Problem::new(Kind::Invalid, "kernel.body_invalid", format!("The body is not what is expected here: {reason}."))
}
