//! Answers for scripts of other origins (the Fetch standard, "CORS protocol").

use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};

use crate::{modifiers::Cors, problem::Faults};

/// CORS, ready.
#[derive(Clone, Debug)]
pub struct CorsRules {
    any: bool,
    /// In lower case; `https://*.x` kept as it is.
    origins: Vec<String>,
    methods: Option<HeaderValue>,
    headers: Option<HeaderValue>,
    exposed: Option<HeaderValue>,
    credentials: bool,
    max_age: u64,
}

impl CorsRules {
    pub(crate) fn new(cors: &Cors, faults: &mut Faults<'_>) -> Self {
        let any = cors.origins == ["*"];
        for (at, origin) in cors.origins.iter().enumerate().filter(|_| !any) {
            let sentence = "Give an origin such as https://app.example or https://*.example, or * alone.";
            let field = format!("modifiers.cors.origins[{at}]");
            faults.expect(is_origin(origin), &field, "routes.origin_invalid", sentence);
        }
        let sentence = "With credentials every origin must be named; * would let any site act for the visitor.";
        faults.expect(!(any && cors.credentials), "modifiers.cors.origins", "routes.cors_too_open", sentence);
        let mut list = |names: &[String], field: &str| {
            let valid = names.iter().all(|name| HeaderName::try_from(name.as_str()).is_ok());
            faults.expect(valid, field, "routes.header_invalid", "Give plain names.");
            (valid && !names.is_empty()).then(|| HeaderValue::try_from(names.join(", ")).ok()).flatten()
        };
        Self {
            any,
            origins: cors.origins.iter().map(|origin| origin.to_ascii_lowercase()).collect(),
            methods: list(&cors.methods, "modifiers.cors.methods"),
            headers: list(&cors.headers, "modifiers.cors.headers"),
            exposed: list(&cors.exposed, "modifiers.cors.exposed"),
            credentials: cors.credentials,
            max_age: cors.max_age,
        }
    }

    /// The answer to a preflight; `None` if the request is none. From another origin it says nothing, which forbids.
    pub fn preflight(&self, method: &Method, request: &HeaderMap) -> Option<Response<()>> {
        let asks = request.contains_key(header::ORIGIN) && request.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if *method != Method::OPTIONS || !asks {
            return None;
        }
        let mut answer = Response::new(());
        *answer.status_mut() = StatusCode::NO_CONTENT;
        let headers = answer.headers_mut();
        if self.allow_origin(request, headers) {
            let lists = [
                (header::ACCESS_CONTROL_ALLOW_METHODS, &self.methods),
                (header::ACCESS_CONTROL_ALLOW_HEADERS, &self.headers),
            ];
            for (name, list) in lists {
                list.iter().for_each(|list| drop(headers.insert(name.clone(), list.clone())));
            }
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from(self.max_age));
        }
        Some(answer)
    }

    /// Adds to an answer what lets the asking origin read it; what the application said itself is replaced.
    pub fn decorate(&self, request: &HeaderMap, answer: &mut HeaderMap) {
        if self.allow_origin(request, answer)
            && let Some(exposed) = &self.exposed
        {
            answer.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed.clone());
        }
    }

    fn allow_origin(&self, request: &HeaderMap, answer: &mut HeaderMap) -> bool {
        answer.remove(header::ACCESS_CONTROL_ALLOW_ORIGIN);
        answer.remove(header::ACCESS_CONTROL_ALLOW_CREDENTIALS);
        if self.any {
            answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            return true;
        }
        answer.append(header::VARY, HeaderValue::from_static("Origin"));
        let Some(origin) = request.get(header::ORIGIN).filter(|origin| self.admits(origin)) else { return false };
        answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        if self.credentials {
            answer.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        true
    }

    fn admits(&self, origin: &HeaderValue) -> bool {
        let Ok(origin) = origin.to_str().map(str::to_ascii_lowercase) else { return false };
        self.origins.iter().any(|own| match own.split_once("*.") {
            Some((scheme, domain)) => origin
                .strip_prefix(scheme)
                .and_then(|host| host.strip_suffix(domain))
                .is_some_and(|below| below.len() > 1 && below.ends_with('.') && !below.contains(['/', ':', '@'])),
            None => *own == origin,
        })
    }
}

fn is_origin(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let host = rest.strip_prefix("*.").unwrap_or(rest);
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
    matches!(scheme, "http" | "https") && !host.is_empty() && host.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_named_origins_are_let_in() {
        let cors = Cors {
            origins: vec!["https://app.test".to_owned(), "https://*.shop.test".to_owned()],
            methods: vec!["PUT".to_owned()],
            credentials: true,
            ..Cors::default()
        };
        let mut problems = Vec::new();
        let rules = CorsRules::new(&cors, &mut Faults { place: String::new(), all: &mut problems });
        let of = |origin: &str| {
            let mut request = HeaderMap::new();
            request.insert(header::ORIGIN, HeaderValue::from_str(origin).unwrap());
            request.insert(header::ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::from_static("PUT"));
            let answer = rules.preflight(&Method::OPTIONS, &request).unwrap();
            assert_eq!(answer.headers()[header::VARY], "Origin");
            answer.headers().contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN)
        };

        assert!(of("https://app.test") && of("https://a.b.shop.test"));
        for foreign in [
            "http://app.test",
            "https://app.test.evil",
            "https://shop.test",
            "https://.shop.test",
            "https://e/.shop.test",
            "null",
        ] {
            assert!(!of(foreign), "{foreign}");
        }
        let open = Cors { origins: vec!["*".to_owned()], credentials: true, ..Cors::default() };
        CorsRules::new(&open, &mut Faults { place: String::new(), all: &mut problems });
        assert_eq!(problems[0].code, "routes.cors_too_open");
    }
}
