//! What an answer gets on its way back to the client.

use http::{Response, StatusCode};

use super::passage::Passage;
use crate::app::{ResponseBody, Scheme};

/// Headers by the route's rules, CORS, security headers, compression. A 101 stays as it is.
pub(crate) fn finish(passage: &Passage, mut answer: Response<ResponseBody>) -> Response<ResponseBody> {
    if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
        return answer;
    }
    let (steps, modifiers) = (passage.steps(), passage.modifiers());
    steps.response_headers.apply(answer.headers_mut());
    if let Some(cors) = &steps.cors {
        cors.decorate(&passage.origin, answer.headers_mut());
    }
    if let Some(security) = &modifiers.security_headers {
        security.apply(answer.headers_mut(), passage.edge.scheme == Scheme::Https);
    }
    match &modifiers.compression {
        Some(compression) => compression.apply(&passage.origin, answer),
        None => answer,
    }
}
