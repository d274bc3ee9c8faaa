//! The names by which answers are purged: `Surrogate-Key` and `Cache-Tag`, and the groups of RFC 9875.

use http::{HeaderMap, HeaderName};
use sfv::{BareItem, List, ListEntry, Parser};

use crate::{
    fields::{CACHE_TAG, SURROGATE_KEY},
    scope::Scope,
};

const GROUPS: HeaderName = HeaderName::from_static("cache-groups");
const GROUP_INVALIDATION: HeaderName = HeaderName::from_static("cache-group-invalidation");
/// The most names of one answer, and the longest.
const MOST: usize = 128;
const LONGEST: usize = 256;
/// The most groups that one answer may invalidate (RFC 9875, section 3 asks for 32 at least).
const MOST_GROUPS: usize = 128;

/// The names of an answer. `None` if they are more or longer than we keep: it must not be stored then, or a purge
/// would miss it.
pub(crate) fn of_answer(scope: &Scope, headers: &HeaderMap) -> Option<Vec<Box<str>>> {
    let mut tags: Vec<Box<str>> = Vec::new();
    for line in headers.get_all(SURROGATE_KEY) {
        tags.extend(line.to_str().ok()?.split_ascii_whitespace().map(|tag| surrogate(tag).into()));
    }
    for line in headers.get_all(CACHE_TAG) {
        let names = line.to_str().ok()?.split(',').map(str::trim).filter(|name| !name.is_empty());
        tags.extend(names.map(|tag| surrogate(tag).into()));
    }
    tags.extend(group_names(headers, &GROUPS).iter().map(|group| in_group(scope, group).into()));
    tags.sort_unstable();
    tags.dedup();
    let bounded = tags.len() <= MOST && tags.iter().all(|tag| tag.len() <= LONGEST + scope.host().len() + 16);
    bounded.then_some(tags)
}

/// The groups that the answer to an unsafe request invalidates (RFC 9875, section 3).
pub(crate) fn invalidated(scope: &Scope, headers: &HeaderMap) -> Vec<String> {
    let groups = group_names(headers, &GROUP_INVALIDATION);
    groups.iter().take(MOST_GROUPS).map(|group| in_group(scope, group)).collect()
}

/// A surrogate key as it is kept; it can't meet the name of a group.
pub(crate) fn surrogate(tag: &str) -> String {
    format!("key {tag}")
}

/// Groups belong to one origin (RFC 9875, section 2).
fn in_group(scope: &Scope, group: &str) -> String {
    format!("group {}://{} {group}", scope.scheme().as_str(), scope.host())
}

fn group_names(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let lines: Vec<&[u8]> = headers.get_all(name).iter().map(http::HeaderValue::as_bytes).collect();
    if lines.is_empty() {
        return Vec::new();
    }
    let list: List = Parser::new(&lines.join(&b", "[..])).parse().unwrap_or_default();
    let text = |entry: &ListEntry| match entry {
        ListEntry::Item(item) => match &item.bare_item {
            BareItem::String(text) => Some(text.as_str().to_owned()),
            _ => None,
        },
        ListEntry::InnerList(_) => None,
    };
    list.iter().filter_map(text).collect()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use uuid::Uuid;

    use super::*;
    use crate::scope::Scheme;

    fn tags(name: &'static str, value: &str) -> Option<Vec<Box<str>>> {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
        of_answer(&Scope::new(Uuid::nil(), Scheme::Https, "a"), &headers)
    }

    #[test]
    fn a_surrogate_key_is_never_a_group() {
        assert_eq!(tags("surrogate-key", "b  a\ta").unwrap(), ["key a".into(), "key b".into()]);
        assert_eq!(tags("cache-tag", "b, a,,b").unwrap(), ["key a".into(), "key b".into()]);
        assert_eq!(tags("cache-groups", "\"one\", two").unwrap(), ["group https://a one".into()]);
        assert_eq!(tags("surrogate-key", "group https://a one").unwrap()[0], "key group".into());
    }

    #[test]
    fn an_answer_with_more_names_than_we_keep_has_none() {
        let many: Vec<String> = (0..=MOST).map(|n| n.to_string()).collect();

        assert_eq!(tags("surrogate-key", &many.join(" ")), None);
        assert_eq!(tags("surrogate-key", &"x".repeat(1000)), None);
        assert_eq!(tags("cache-tag", &many.join(",")), None);
        assert_eq!(tags("surrogate-key", "\u{e9}"), None);
        assert_eq!(tags("cache-groups", "\"broken"), Some(vec![]));
    }
}
