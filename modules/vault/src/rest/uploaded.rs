//! A body that is a document: raw, or the one file of a form.

use kernel::Problem;
use poem::http::HeaderName;
use poem::{Request, RequestBody, Result};
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaSchema, MetaSchemaRef};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::Incoming;

/// The body and what its headers say. Nothing of it is read yet.
pub(super) struct Uploaded(pub(super) Incoming);

impl<'a> ApiExtractor<'a> for Uploaded {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn request_meta() -> Option<MetaRequest> {
        let binary = || MetaSchema { format: Some("binary"), ..MetaSchema::new("string") };
        let mut form = MetaSchema::new("object");
        form.properties.push(("file", MetaSchemaRef::Inline(Box::new(binary()))));
        form.required.push("file");
        let content = vec![
            MetaMediaType {
                content_type: "application/octet-stream",
                schema: MetaSchemaRef::Inline(Box::new(binary())),
            },
            MetaMediaType { content_type: "multipart/form-data", schema: MetaSchemaRef::Inline(Box::new(form)) },
        ];
        let description = "The document's bytes, with its media type as Content-Type; or a form with one file.";
        Some(MetaRequest { description: Some(description), content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> Result<Self> {
        let field = |name: &HeaderName| {
            let value = request.headers().get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let body = body.take().map_err(|error| Problem::internal(error.to_string()))?;
        Ok(Self(Incoming {
            name: None,
            content_type: field(&poem::http::header::CONTENT_TYPE),
            content_disposition: field(&poem::http::header::CONTENT_DISPOSITION),
            content_digest: field(&HeaderName::from_static("content-digest")),
            body: Box::pin(body.into_bytes_stream()),
        }))
    }
}
