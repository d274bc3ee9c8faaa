//! Changes of the path before it goes on.

use http::uri::PathAndQuery;
use regex_lite::Regex;

use crate::{modifiers::Rewrite, path::NormalPath, pattern::Parameters, problem::Faults, template::Template};

/// A rewrite, ready.
#[derive(Clone, Debug, Default)]
pub struct Rewriting(Way);

#[derive(Clone, Debug, Default)]
enum Way {
    #[default]
    Nothing,
    Strip(String),
    Replace(Template),
    Regex(Regex, String),
}

impl Rewriting {
    pub(crate) fn new(rewrite: Option<&Rewrite>, names: &[&str], faults: &mut Faults<'_>) -> Self {
        let (field, code) = ("modifiers.rewrite", "routes.rewrite_invalid");
        let way = match rewrite {
            None => Ok(Way::Nothing),
            Some(Rewrite::StripPrefix(prefix)) => match NormalPath::parse(prefix) {
                Ok(path) => Ok(Way::Strip(path.as_str().trim_end_matches('/').to_owned())),
                Err(problem) => Err(problem.to_string()),
            },
            Some(Rewrite::Replace(text)) if !text.starts_with('/') => {
                Err("The path must begin with a slash.".to_owned())
            }
            Some(Rewrite::Replace(text)) => Template::parse(text, names).map(Way::Replace),
            Some(Rewrite::Regex { find, replace }) => {
                Regex::new(find).map(|regex| Way::Regex(regex, replace.clone())).map_err(|error| error.to_string())
            }
        };
        Self(way.unwrap_or_else(|reason| {
            faults.add(field, code, reason);
            Way::Nothing
        }))
    }

    /// Whether paths stay as they are.
    pub const fn is_nothing(&self) -> bool {
        matches!(self.0, Way::Nothing)
    }

    /// The path and query that go on. `None` if what comes out is no path; answer with 400.
    pub fn apply(&self, path: &str, query: Option<&str>, parameters: &Parameters) -> Option<PathAndQuery> {
        let changed = match &self.0 {
            Way::Nothing => path.to_owned(),
            Way::Strip(prefix) => match path.strip_prefix(prefix.as_str()) {
                Some("") => "/".to_owned(),
                Some(rest) if rest.starts_with('/') => rest.to_owned(),
                _ => path.to_owned(),
            },
            Way::Replace(template) => template.fill(|name| value(parameters, name)),
            Way::Regex(regex, replace) => regex.replace_all(path, replace.as_str()).into_owned(),
        };
        let safe = self.is_nothing() || NormalPath::parse(&changed).is_ok();
        let whole = match query {
            Some(query) => format!("{changed}?{query}"),
            None => changed,
        };
        whole.parse().ok().filter(|whole: &PathAndQuery| safe && whole.as_str().starts_with('/'))
    }
}

/// What a name of the pattern stands for.
pub(crate) fn value<'a>(parameters: &'a Parameters, name: &str) -> Option<&'a str> {
    parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(rewrite: &Rewrite, path: &str) -> Option<String> {
        let mut problems = Vec::new();
        let mut faults = Faults { place: String::new(), all: &mut problems };
        let ready = Rewriting::new(Some(rewrite), &["id"], &mut faults);
        assert_eq!(problems, []);
        let parameters = vec![("id".to_owned(), "7".to_owned())];
        ready.apply(path, Some("q=1"), &parameters).map(|path| path.to_string())
    }

    #[test]
    fn paths_change_and_queries_stay() {
        let strip = || Rewrite::StripPrefix("/api/".to_owned());
        let regex = |find: &str, replace: &str| Rewrite::Regex { find: find.to_owned(), replace: replace.to_owned() };

        assert_eq!(apply(&strip(), "/api/v1").as_deref(), Some("/v1?q=1"));
        assert_eq!(apply(&strip(), "/api").as_deref(), Some("/?q=1"));
        assert_eq!(apply(&strip(), "/apis").as_deref(), Some("/apis?q=1"));
        assert_eq!(apply(&Rewrite::Replace("/user/{id}".to_owned()), "/x").as_deref(), Some("/user/7?q=1"));
        assert_eq!(apply(&regex("^/v(\\d+)/", "/version-$1/"), "/v2/a").as_deref(), Some("/version-2/a?q=1"));
        assert_eq!(apply(&regex("x", ".."), "/a/x/b"), None);
        assert_eq!(apply(&regex("^/", ""), "/a"), None);
    }
}
