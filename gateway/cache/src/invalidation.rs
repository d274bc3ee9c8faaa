//! What the answer to an unsafe request makes invalid (RFC 9111, section 4.4; RFC 9875, section 3).

use std::sync::Arc;

use http::{HeaderMap, StatusCode, Uri, header};
use url::Url;

use crate::{
    cache::Inner,
    key::Key,
    policy::Policy,
    purge::{Purge, PurgeMode},
    scope::Scope,
    tags,
};

/// Forgets what a successful change of `target` may have changed.
pub(crate) async fn invalidate(
    inner: &Inner,
    scope: &Scope,
    policy: &Policy,
    target: &Uri,
    (status, answer): (StatusCode, &HeaderMap),
) {
    if !status.is_success() && !status.is_redirection() {
        return;
    }
    let mut keys = vec![Key::new(scope, policy, target)];
    for name in [header::LOCATION, header::CONTENT_LOCATION] {
        let location = answer.get(&name).and_then(|value| value.to_str().ok());
        keys.extend(location.and_then(|location| same_origin(scope, policy, target, location)));
    }
    for key in keys {
        inner.purge(Purge::Key(Arc::new(key)), PurgeMode::Hard).await;
    }
    let tags = tags::invalidated(scope, answer);
    if !tags.is_empty() {
        inner.purge(Purge::Tags { tenant: scope.tenant(), tags }, PurgeMode::Hard).await;
    }
}

/// The key of a location, if it is of the same origin: nobody may make another's answers invalid.
fn same_origin(scope: &Scope, policy: &Policy, target: &Uri, location: &str) -> Option<Key> {
    let base = format!("{}://{}", scope.scheme().as_str(), scope.host());
    let base = Url::parse(&base).ok()?.join(target.path_and_query()?.as_str()).ok()?;
    let location = base.join(location).ok()?;
    (location.origin() == base.origin()).then(|| Key::of(scope, policy, location.path(), location.query()))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::scope::Scheme;

    #[test]
    fn only_locations_of_the_same_origin_count() {
        let scope = Scope::new(Uuid::nil(), Scheme::Https, "a.test:8443");
        let target = Uri::from_static("/x/y?z");
        let key = |location| same_origin(&scope, &Policy::default(), &target, location).map(|key| key.target);

        assert_eq!(key("/b?c").as_deref(), Some("/b?c"));
        assert_eq!(key("b").as_deref(), Some("/x/b"));
        assert_eq!(key("https://A.test:8443/b#d").as_deref(), Some("/b"));
        for foreign in ["https://a.test/b", "http://a.test:8443/b", "//b.test:8443/b", "https://[", "data:x"] {
            assert_eq!(key(foreign), None, "{foreign}");
        }
    }
}
