//! Which header fields are stored, replaced and handed on.

use http::{HeaderMap, HeaderName, header};

use crate::{
    directives::{Fields, split_list},
    targeted,
};

/// Fields of one connection (RFC 9110, section 7.6.1), and those of a proxy's own sign-in (RFC 9111, section 3.1).
const OF_THE_CONNECTION: [HeaderName; 10] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    HeaderName::from_static("proxy-authentication-info"),
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];
/// What describes the stored body, which a 304 did not bring (RFC 9111, section 3.2).
const OF_THE_BODY: [HeaderName; 5] = [
    header::CONTENT_LENGTH,
    header::CONTENT_ENCODING,
    header::CONTENT_RANGE,
    HeaderName::from_static("content-md5"),
    header::ETAG,
];
/// The names for purging, parted by space; for us, not for clients.
pub(crate) const SURROGATE_KEY: HeaderName = HeaderName::from_static("surrogate-key");
/// The same, parted by commas.
pub(crate) const CACHE_TAG: HeaderName = HeaderName::from_static("cache-tag");

/// Takes off what belongs to the connection by which an answer came.
pub(crate) fn strip_connection(headers: &mut HeaderMap) {
    let mut named: Vec<HeaderName> = Vec::new();
    for line in headers.get_all(header::CONNECTION) {
        let names = split_list(line.to_str().unwrap_or_default()).into_iter();
        named.extend(names.filter_map(|name| HeaderName::try_from(name).ok()));
    }
    for name in named.iter().chain(&OF_THE_CONNECTION) {
        headers.remove(name);
    }
}

/// Takes off what the origin told this cache alone; the names for purging too, unless clients see them.
pub(crate) fn strip_ours(headers: &mut HeaderMap, shows_keys: bool) {
    if !shows_keys {
        headers.remove(SURROGATE_KEY);
        headers.remove(CACHE_TAG);
    }
    headers.remove(targeted::OWN);
}

/// Takes off the fields that `private` or `no-cache` name (RFC 9111, sections 5.2.2.4 and 5.2.2.7).
pub(crate) fn strip_named(headers: &mut HeaderMap, fields: &Fields) {
    if let Fields::Some(names) = fields {
        for name in names {
            headers.remove(name);
        }
    }
}

/// Brings stored fields up to date with those of a 304 (RFC 9111, section 3.2).
pub(crate) fn update(stored: &mut HeaderMap, mut newer: HeaderMap) {
    strip_connection(&mut newer);
    for name in &OF_THE_BODY {
        newer.remove(name);
    }
    // The stored age is of another moment, whether or not the new answer names one.
    stored.remove(header::AGE);
    for name in newer.keys() {
        stored.remove(name);
    }
    for (name, value) in &newer {
        stored.append(name, value.clone());
    }
}

/// The bytes that headers take, about.
pub(crate) fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn what_connection_names_goes_with_it() {
        let mut headers = HeaderMap::new();
        for (name, value) in [("connection", "a, B"), ("a", "1"), ("b", "2"), ("c", "3"), ("te", "x")] {
            headers.insert(name, HeaderValue::from_static(value));
        }

        strip_connection(&mut headers);

        assert_eq!(headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["c"]);
    }

    #[test]
    fn a_304_replaces_all_but_what_describes_the_body() {
        let of = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            headers.extend(
                pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))),
            );
            headers
        };
        let mut stored = of(&[("etag", "\"1\""), ("x", "old"), ("x", "older"), ("y", "kept"), ("age", "9")]);

        update(&mut stored, of(&[("etag", "\"2\""), ("x", "new"), ("content-length", "0")]));

        assert_eq!(stored, of(&[("etag", "\"1\""), ("y", "kept"), ("x", "new")]));
    }
}
