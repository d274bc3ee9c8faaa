//! Whom a route lets in, by who they are.

use edge_routes::Require;
use futures_util::{Stream, StreamExt};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};

use super::passage::{Passage, empty};
use crate::{
    app::ResponseBody,
    authenticator::{Authenticator, Denial, Identity, Verdict},
};

/// Where browsers sign in.
const SIGN_IN: &str = "/console/sign-in";
/// Asks for an access token or an API key (RFC 6750, section 3).
const CHALLENGE: &str = "Bearer realm=\"holdfast\"";

/// What somebody lacks.
#[derive(Debug, PartialEq, Eq)]
enum Lack<'a> {
    Scopes(Vec<&'a str>),
    /// All of these; one would do.
    Roles(&'a [String]),
}

/// Asks who it is, and whether the route is for them.
///
/// # Errors
/// The answer, if it is not.
pub(crate) async fn judge(
    by: Option<&dyn Authenticator>,
    require: &Require,
    passage: &Passage,
    (method, headers): (&Method, &HeaderMap),
) -> Result<Identity, Box<Response<ResponseBody>>> {
    let verdict = match by {
        Some(by) => by.identify(method, headers, &passage.edge).await,
        None => Verdict::Unavailable,
    };
    let answer = match verdict {
        Verdict::Known(identity) => match lack(require, &identity) {
            None => return Ok(identity),
            Some(lack) => lacking(passage, &lack),
        },
        Verdict::Anonymous if require.sign_in && is_visit(method, headers) => to_sign_in(passage),
        Verdict::Anonymous => {
            let sentence = "Sign in, or send a valid access token or API key as a bearer token.";
            let words = (StatusCode::UNAUTHORIZED, "edge.login_required", sentence);
            challenged(passage.problem(words), CHALLENGE)
        }
        Verdict::Refused(denial) => refused(passage, &denial),
        Verdict::Unavailable => unavailable(passage),
    };
    Err(Box::new(answer))
}

/// Completes once whoever is followed is gone, or lacks something.
pub(crate) async fn lost(require: Require, mut followed: impl Stream<Item = Identity> + Unpin) {
    while let Some(identity) = followed.next().await {
        if lack(&require, &identity).is_some() {
            return;
        }
    }
}

/// Nobody can tell who asks, so nobody gets in.
pub(crate) fn unavailable(passage: &Passage) -> Response<ResponseBody> {
    let sentence = "Who asks can't be told at this moment; try again.";
    passage.problem_later((StatusCode::SERVICE_UNAVAILABLE, "edge.identity_unavailable", sentence), 1)
}

fn lack<'a>(require: &'a Require, identity: &Identity) -> Option<Lack<'a>> {
    let held = |scope: &str| identity.scopes.binary_search_by(|held| held.as_ref().cmp(scope)).is_ok();
    let missing: Vec<&str> = require.scopes.iter().map(String::as_str).filter(|scope| !held(scope)).collect();
    if !missing.is_empty() {
        return Some(Lack::Scopes(missing));
    }
    let fits = require.roles.is_empty() || require.roles.iter().any(|role| identity.roles.contains(role));
    (!fits).then_some(Lack::Roles(&require.roles))
}

fn lacking(passage: &Passage, lack: &Lack<'_>) -> Response<ResponseBody> {
    match lack {
        Lack::Scopes(missing) => {
            let sentence = format!("This needs the permission {}.", missing.join(" and "));
            let answer = passage.problem((StatusCode::FORBIDDEN, "edge.scope_required", &sentence));
            let scope = missing.join(" ");
            challenged(answer, &format!("{CHALLENGE}, error=\"insufficient_scope\", scope=\"{scope}\""))
        }
        Lack::Roles(roles) => {
            let sentence = format!("This needs the role {}.", roles.join(" or "));
            passage.problem((StatusCode::FORBIDDEN, "edge.role_required", &sentence))
        }
    }
}

fn refused(passage: &Passage, denial: &Denial) -> Response<ResponseBody> {
    let answer = passage.problem((denial.status, &denial.code, &denial.detail));
    if denial.status == StatusCode::UNAUTHORIZED {
        return challenged(answer, &format!("{CHALLENGE}, error=\"invalid_token\""));
    }
    answer
}

fn challenged(mut answer: Response<ResponseBody>, challenge: &str) -> Response<ResponseBody> {
    if let Ok(value) = HeaderValue::from_str(challenge) {
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    answer
}

/// Whether a person looks at the answer: a page is asked for, not a part of one and not data.
fn is_visit(method: &Method, headers: &HeaderMap) -> bool {
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mode = headers.get("sec-fetch-mode").is_none_or(|mode| mode == "navigate");
    let bearer = headers.contains_key(header::AUTHORIZATION);
    matches!(*method, Method::GET | Method::HEAD) && accepts.contains("text/html") && mode && !bearer
}

fn to_sign_in(passage: &Passage) -> Response<ResponseBody> {
    let back = passage.normal().map_or_else(|| "/".to_owned(), |target| target.to_string());
    let back: String = url_form(&back);
    let mut answer = Response::new(empty());
    *answer.status_mut() = StatusCode::SEE_OTHER;
    let headers = answer.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(location) = HeaderValue::from_str(&format!("{SIGN_IN}?to={back}")) {
        headers.insert(header::LOCATION, location);
    }
    answer
}

/// As a value in a query.
fn url_form(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let spelled = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(spelled).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::stream;

    use super::*;

    fn identity(scopes: &[&str], roles: &[&str]) -> Identity {
        Identity {
            subject: "usr_1".into(),
            kind: "account",
            credential: None,
            tenant: "ten_1".into(),
            scopes: scopes.iter().map(|scope| (*scope).into()).collect(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            inside: Arc::new(()),
        }
    }

    fn require(scopes: &[&str], roles: &[&str]) -> Require {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Require { login: true, scopes: owned(scopes), roles: owned(roles), sign_in: false }
    }

    #[test]
    fn all_scopes_and_one_role_are_needed() {
        let ada = identity(&["a.read", "b.read"], &["editor"]);

        assert_eq!(lack(&require(&[], &[]), &ada), None);
        assert_eq!(lack(&require(&["a.read", "b.read"], &["admin", "editor"]), &ada), None);
        assert_eq!(lack(&require(&["a.read", "c.read"], &["editor"]), &ada), Some(Lack::Scopes(vec!["c.read"])));
        assert_eq!(lack(&require(&[], &["admin"]), &ada), Some(Lack::Roles(&["admin".to_owned()])));
    }

    #[tokio::test]
    async fn who_loses_what_the_route_needs_is_lost() {
        let before = [identity(&["a"], &[]), identity(&["a", "b"], &[])];

        lost(require(&["a"], &[]), stream::iter(before.clone())).await;
        let followed = stream::iter(before.into_iter().chain([identity(&["b"], &[])])).chain(stream::pending());
        lost(require(&["a"], &[]), followed.boxed()).await;
    }

    #[test]
    fn only_a_visit_is_sent_to_the_sign_in() {
        let visit = |lines: &[(&'static str, &str)]| {
            let headers = lines.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
            is_visit(&Method::GET, &headers)
        };

        assert!(visit(&[("accept", "text/html,*/*;q=0.8")]));
        assert!(visit(&[("accept", "text/html"), ("sec-fetch-mode", "navigate")]));
        assert!(!visit(&[("accept", "text/html"), ("sec-fetch-mode", "cors")]));
        assert!(!visit(&[("accept", "text/html"), ("authorization", "Bearer x")]));
        assert!(!visit(&[("accept", "application/json")]));
        assert_eq!(url_form("/shop/a b?x=1&y=ü"), "/shop/a%20b%3Fx%3D1%26y%3D%C3%BC");
    }
}
