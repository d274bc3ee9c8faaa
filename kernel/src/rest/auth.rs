//! Who asks, as poem-openapi extractors. The composition root identifies the caller once, before routing, and leaves
//! the outcome in the request.

use poem::{Request, RequestBody, Result};
use poem_openapi::registry::{MetaSecurityScheme, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::caller::{Actor, Caller};
use crate::problem::Problem;

/// Names of the two security schemes in the OpenAPI document.
const BEARER: &str = "bearer";
const COOKIE: &str = "session";

/// What identification found out; lies in the request's extensions.
#[derive(Clone, Debug)]
pub struct Identified(pub Result<Caller, Problem>);

/// A caller who is signed in. Anybody else gets a 401.
#[derive(Clone, Debug)]
pub struct Auth(pub Caller);

/// Any caller, signed in or not. A credential that does not hold is still a 401.
#[derive(Clone, Debug)]
pub struct Anyone(pub Caller);

fn identified(request: &Request) -> Result<Caller, Problem> {
    match request.extensions().get::<Identified>() {
        Some(Identified(outcome)) => outcome.clone(),
        None => Err(Problem::internal("the request was not identified")),
    }
}

impl<'a> ApiExtractor<'a> for Auth {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        let scheme = |ty, description| MetaSecurityScheme {
            ty,
            description: Some(description),
            name: None,
            key_in: None,
            scheme: None,
            bearer_format: None,
            flows: None,
            openid_connect_url: None,
        };
        let bearer = MetaSecurityScheme {
            scheme: Some("bearer"),
            ..scheme("http", "An access token (ES256 JWT, RFC 9068) or an API key (hf_…).")
        };
        let cookie = MetaSecurityScheme {
            name: Some("__Host-holdfast_session"),
            key_in: Some("cookie"),
            ..scheme("apiKey", "The console's session cookie.")
        };
        registry.create_security_scheme(BEARER, bearer);
        registry.create_security_scheme(COOKIE, cookie);
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![BEARER, COOKIE]
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> Result<Self> {
        let caller = identified(request)?;
        match caller.actor {
            Actor::Anonymous => Err(Problem::unauthenticated().into()),
            _ => Ok(Self(caller)),
        }
    }
}

impl<'a> ApiExtractor<'a> for Anyone {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::PoemExtractor];

    type ParamType = ();
    type ParamRawType = ();

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> Result<Self> {
        Ok(Self(identified(request)?))
    }
}
