//! Targeted cache control (RFC 9213): fields meant for this cache go before `Cache-Control` and `Expires`.

use http::{HeaderMap, HeaderName};
use sfv::{BareItem, Dictionary, ListEntry, Parser};

use crate::directives::{MOST_SECONDS, ResponseDirectives};

/// For Holdfast alone; taken off before the answer goes on.
pub(crate) const OWN: HeaderName = HeaderName::from_static("holdfast-cache-control");
/// For every cache that serves the origin, those before us too.
const CDN: HeaderName = HeaderName::from_static("cdn-cache-control");

/// The directives of the first targeted field that is there, valid and not empty.
pub(crate) fn targeted(headers: &HeaderMap) -> Option<ResponseDirectives> {
    [OWN, CDN].iter().find_map(|name| parse(headers, name))
}

fn parse(headers: &HeaderMap, name: &HeaderName) -> Option<ResponseDirectives> {
    let lines: Vec<&[u8]> = headers.get_all(name).iter().map(http::HeaderValue::as_bytes).collect();
    let joined = (!lines.is_empty()).then(|| lines.join(&b", "[..]))?;
    let members: Dictionary = Parser::new(&joined).parse().ok()?;
    if members.is_empty() {
        return None;
    }
    let mut found = ResponseDirectives::default();
    for (name, member) in &members {
        let ListEntry::Item(item) = member else { continue };
        match &item.bare_item {
            BareItem::Boolean(true) if !takes_seconds(name.as_str()) => found.take(name.as_str(), None),
            BareItem::Integer(number) if takes_seconds(name.as_str()) => {
                let seconds = u64::try_from(i64::from(*number)).unwrap_or(0).min(MOST_SECONDS);
                found.take(name.as_str(), Some(&seconds.to_string()));
            }
            BareItem::String(text) if !takes_seconds(name.as_str()) => found.take(name.as_str(), Some(text.as_str())),
            _ => {}
        }
    }
    Some(found)
}

fn takes_seconds(name: &str) -> bool {
    ["max-age", "s-maxage", "stale-while-revalidate", "stale-if-error"].contains(&name)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(pairs: &[(&'static str, &'static str)]) -> Option<ResponseDirectives> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        targeted(&headers)
    }

    #[test]
    fn our_own_field_goes_before_the_shared_one() {
        let both = [("cdn-cache-control", "max-age=60"), ("holdfast-cache-control", "max-age=5, must-revalidate")];
        let found = of(&both).unwrap();

        assert_eq!((found.max_age, found.must_revalidate), (Some(5), true));
        assert_eq!(of(&both[..1]).unwrap().max_age, Some(60));
    }

    #[test]
    fn an_invalid_or_empty_field_is_as_if_absent() {
        assert_eq!(of(&[("cdn-cache-control", "max-age=")]), None);
        assert_eq!(of(&[("cdn-cache-control", "")]), None);
        assert_eq!(of(&[("cdn-cache-control", "MaX-AgE=60")]), None);
        assert_eq!(of(&[("cdn-cache-control", "max-age=\"60\", no-store=?0")]).unwrap(), ResponseDirectives::default());
    }
}
