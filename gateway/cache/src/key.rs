//! The name of a stored answer: its scope, path and query. The headers it varies by are told apart inside.

use http::Uri;
use serde::{Deserialize, Serialize};

use crate::{policy::Policy, scope::Scope};

/// Names what a GET of one target answers (RFC 9111, section 2). A HEAD is answered from the same entry; answers to
/// other methods are not stored, so the method is no part of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) scope: Scope,
    /// Path and query after [`normal_target`].
    pub(crate) target: Box<str>,
}

impl Key {
    pub(crate) fn new(scope: &Scope, policy: &Policy, uri: &Uri) -> Self {
        Self::of(scope, policy, uri.path(), uri.query())
    }

    pub(crate) fn of(scope: &Scope, policy: &Policy, path: &str, query: Option<&str>) -> Self {
        Self { scope: scope.clone(), target: normal_target(path, query, &policy.ignored_query).into() }
    }
}

/// One spelling of a target: percent-encoded octets in upper case, ignored parameters gone. Nothing is decoded and no
/// segment removed, since an origin may read the two spellings differently.
pub(crate) fn normal_target(path: &str, query: Option<&str>, ignored: &[String]) -> String {
    let mut target = upper_octets(if path.is_empty() { "/" } else { path });
    let Some(query) = query else { return target };
    let kept: Vec<&str> = query.split('&').filter(|pair| !is_ignored(pair, ignored)).collect();
    if !ignored.is_empty() && kept.iter().all(|pair| pair.is_empty()) {
        return target;
    }
    target.push('?');
    target.push_str(&upper_octets(&kept.join("&")));
    target
}

fn is_ignored(pair: &str, ignored: &[String]) -> bool {
    let name = pair.split('=').next().unwrap_or_default();
    ignored.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    })
}

fn upper_octets(text: &str) -> String {
    let mut upper = 0;
    let each = |c: char| {
        if c == '%' {
            upper = 2;
        } else if upper > 0 {
            upper -= 1;
            return c.to_ascii_uppercase();
        }
        c
    };
    text.chars().map(each).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_spelled_one_way_and_never_decoded() {
        let none: [String; 0] = [];
        let some = ["utm_*".to_owned(), "fbclid".to_owned()];

        assert_eq!(normal_target("/a%2fb", None, &none), "/a%2Fb");
        assert_eq!(normal_target("/a/%2e%2e/b", None, &none), "/a/%2E%2E/b");
        assert_eq!(normal_target("/", Some(""), &none), "/?");
        assert_eq!(normal_target("/p", Some("b=2&a=1"), &none), "/p?b=2&a=1");
        assert_eq!(normal_target("/p", Some("utm_source=x&a=1&fbclid=7"), &some), "/p?a=1");
        assert_eq!(normal_target("/p", Some("utm_source=x"), &some), "/p");
        assert_eq!(normal_target("/p", Some("fbclidx=1"), &some), "/p?fbclidx=1");
    }
}
