//! Redirects.

use http::{HeaderValue, Response, StatusCode, Uri, header};

use crate::{pattern::Parameters, problem::Faults, rewrite::value, template::Template};

/// A redirect, ready.
#[derive(Clone, Debug)]
pub struct Redirect {
    to: Template,
    keeps_query: bool,
    status: StatusCode,
}

impl Redirect {
    pub(crate) fn new(to: &str, status: u16, names: &[&str], faults: &mut Faults<'_>) -> Self {
        let known = StatusCode::from_u16(status).ok().filter(|_| [301, 302, 303, 307, 308].contains(&status));
        faults.expect(known.is_some(), "action.status", "routes.status_invalid", "Give 301, 302, 303, 307 or 308.");
        let local = to.starts_with('/') && !to.starts_with("//") && !to.starts_with("/\\");
        let absolute = to.strip_prefix("https://").or(to.strip_prefix("http://"));
        // `{path}` begins with a slash, so it ends the host.
        let host = absolute.and_then(|rest| rest.split('/').next()?.split("{path}").next());
        let is_fixed = host.is_some_and(|host| !host.is_empty() && !host.replacen("{host}", "h", 1).contains('{'));
        let sentence = "Give a path, or an address with http or https whose host is written out or {host}.";
        faults.expect(local || is_fixed, "action.to", "routes.redirect_invalid", sentence);
        let allowed: Vec<&str> = ["path", "query", "host"].iter().chain(names).copied().collect();
        let template = Template::parse(to, &allowed).unwrap_or_else(|reason| {
            faults.add("action.to", "routes.redirect_invalid", reason);
            Template::default()
        });
        let keeps_query = !to.contains(['?', '#']);
        Self { to: template, keeps_query, status: known.unwrap_or(StatusCode::FOUND) }
    }

    /// Where it leads: an absolute address or a path, never another host by what the client sent.
    pub fn location(&self, host: &str, path: &str, query: Option<&str>, parameters: &Parameters) -> String {
        let fill = |name: &str| match name {
            "path" => Some(path),
            "query" => query,
            "host" => Some(host),
            name => value(parameters, name),
        };
        let mut location = self.to.fill(fill);
        // A path out of `{path}` alone could begin with two slashes, which browsers read as a host.
        if location.starts_with('/') {
            location = format!("/{}", location.trim_start_matches(['/', '\\']));
        }
        if let Some(query) = query.filter(|query| self.keeps_query && !query.is_empty()) {
            location = format!("{location}?{query}");
        }
        location
    }

    /// The answer; `None` if the location is none (answer with 400).
    pub fn answer(&self, host: &str, path: &str, query: Option<&str>, parameters: &Parameters) -> Option<Response<()>> {
        let location = self.location(host, path, query, parameters);
        location.parse::<Uri>().ok()?;
        let mut answer = Response::new(());
        *answer.status_mut() = self.status;
        answer.headers_mut().insert(header::LOCATION, HeaderValue::try_from(location).ok()?);
        Some(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(to: &str, path: &str, query: Option<&str>) -> String {
        let mut problems = Vec::new();
        let mut faults = Faults { place: String::new(), all: &mut problems };
        let redirect = Redirect::new(to, 308, &["id"], &mut faults);
        assert_eq!(problems, []);
        redirect.location("a.test", path, query, &vec![("id".to_owned(), "7".to_owned())])
    }

    #[test]
    fn locations_are_filled_in_and_keep_the_query() {
        assert_eq!(location("https://{host}{path}", "/a", Some("b=1")), "https://a.test/a?b=1");
        assert_eq!(location("/user/{id}?from={path}", "/a", Some("b=1")), "/user/7?from=/a");
        assert_eq!(location("/{id}/", "/", None), "/7/");
    }

    #[test]
    fn no_path_of_a_client_becomes_another_host() {
        assert_eq!(location("/{id}", "/", None), "/7");
        let mut problems = Vec::new();
        let mut faults = Faults { place: String::new(), all: &mut problems };
        let redirect = Redirect::new("/{rest}", 302, &["rest"], &mut faults);
        let evil = vec![("rest".to_owned(), "/evil.test".to_owned())];
        assert_eq!(redirect.location("a.test", "/", None, &evil), "/evil.test");
        for wrong in ["//b.test", "javascript:x", "https://{id}.test/", "b.test", "/{unknown}"] {
            let mut problems = Vec::new();
            let mut faults = Faults { place: String::new(), all: &mut problems };
            Redirect::new(wrong, 302, &["id"], &mut faults);
            assert!(!problems.is_empty(), "{wrong}");
        }
    }
}
