//! The documented operations as a table: which operation a request names, and which query parameters it takes.
//!
//! Read off the OpenAPI document, so that metrics get no label which a client could invent, and an unknown parameter
//! is an error without a line in any handler.

use std::collections::HashMap;

use http::Method;
use kernel::Problem;
use serde_json::Value;

/// One documented operation.
#[derive(Debug)]
pub struct Operation {
    /// The path's template, such as `/api/v1/jobs/{id}`.
    pub template: &'static str,
    /// Whether its body is a document: large, and as slow as the edge allows.
    pub uploads: bool,
    segments: Vec<Option<String>>,
    parameters: Vec<String>,
}

/// All documented operations.
#[derive(Debug, Default)]
pub struct Routes {
    by_shape: HashMap<(Method, usize), Vec<Operation>>,
}

impl Routes {
    /// Reads the table off an OpenAPI document. It lives as long as the process, so its few names are leaked once
    /// to serve as static labels.
    pub fn of(document: &Value) -> Self {
        let mut routes = Self::default();
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                let Ok(method) = method.to_ascii_uppercase().parse::<Method>() else { continue };
                let segments: Vec<_> = segments(path).map(literal).collect();
                let parameters = operation["parameters"].as_array().into_iter().flatten();
                let uploads = vault::rest::UPLOADS.contains(&(method.as_str(), path.as_str()));
                let operation = Operation {
                    template: path.clone().leak(),
                    uploads,
                    parameters: parameters
                        .filter(|parameter| parameter["in"] == "query")
                        .filter_map(|parameter| parameter["name"].as_str().map(str::to_owned))
                        .collect(),
                    segments,
                };
                routes.by_shape.entry((method, operation.segments.len())).or_default().push(operation);
            }
        }
        for operations in routes.by_shape.values_mut() {
            // What is spelled out goes before what is a placeholder.
            operations.sort_by_key(|operation| operation.segments.iter().filter(|part| part.is_none()).count());
        }
        routes
    }

    /// The operation that a request names.
    pub fn find(&self, method: &Method, path: &str) -> Option<&Operation> {
        let shape = (method.clone(), segments(path).count());
        self.by_shape.get(&shape)?.iter().find(|operation| {
            let fits = |(part, segment): (&Option<String>, &str)| part.as_deref().is_none_or(|part| part == segment);
            operation.segments.iter().zip(segments(path)).all(fits)
        })
    }
}

impl Operation {
    /// Refuses a query parameter that the operation does not have, or that comes twice.
    ///
    /// # Errors
    /// 400 that names it.
    pub fn check_query(&self, query: &str) -> Result<(), Problem> {
        let mut seen: Vec<String> = Vec::new();
        for (name, _) in url::form_urlencoded::parse(query.as_bytes()) {
            if !self.parameters.iter().any(|known| *known == name) {
                let name: String = name.chars().take(64).collect();
                let detail = match self.parameters.as_slice() {
                    [] => format!("{name:?} is no parameter here; this operation takes none."),
                    known => format!("{name:?} is no parameter here; there are {}.", known.join(", ")),
                };
                return Err(Problem::field(name, "kernel.parameter_unknown", detail));
            }
            if seen.iter().any(|before| *before == name) {
                return Err(Problem::field(name, "kernel.parameter_twice", "This parameter came twice; send it once."));
            }
            seen.push(name.into_owned());
        }
        Ok(())
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').skip(1)
}

fn literal(segment: &str) -> Option<String> {
    (!segment.starts_with('{')).then(|| segment.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn routes() -> Routes {
        let named = |id: &str| json!({ "operationId": id, "parameters": [{ "in": "query", "name": "limit" }] });
        Routes::of(&json!({ "paths": {
            "/a/{id}": { "get": named("get_a") },
            "/a/stats": { "get": named("stats") },
        }}))
    }

    #[test]
    fn a_spelled_out_path_goes_before_a_placeholder() {
        let routes = routes();

        assert_eq!(routes.find(&Method::GET, "/a/stats").unwrap().template, "/a/stats");
        assert_eq!(routes.find(&Method::GET, "/a/7").unwrap().template, "/a/{id}");
        assert!(routes.find(&Method::POST, "/a/7").is_none());
        assert!(routes.find(&Method::GET, "/a/7/b").is_none());
    }

    #[test]
    fn unknown_and_repeated_parameters_are_refused() {
        let routes = routes();
        let operation = routes.find(&Method::GET, "/a/7").unwrap();

        assert!(operation.check_query("limit=3").is_ok());
        assert_eq!(operation.check_query("limt=3").unwrap_err().code, "kernel.parameter_unknown");
        assert_eq!(operation.check_query("limit=3&limit=4").unwrap_err().code, "kernel.parameter_twice");
    }
}
