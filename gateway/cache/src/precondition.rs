//! Conditional requests: the client's, answered from what is stored, and ours to the origin (RFC 9110, section 13;
//! RFC 9111, section 4.3).

use http::{HeaderMap, HeaderName, StatusCode, header};

use crate::{date, directives::split_list, stored::Head};

/// Conditions that only the origin can judge.
const OF_THE_ORIGIN: [HeaderName; 2] = [header::IF_MATCH, header::IF_UNMODIFIED_SINCE];
/// What a stored answer can judge; taken off before we ask for a whole answer.
const OURS: [HeaderName; 3] = [header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE, header::IF_RANGE];
/// Whether the client set a condition that the cache must not judge.
pub(crate) fn is_for_origin(request: &HeaderMap) -> bool {
    OF_THE_ORIGIN.iter().any(|name| request.contains_key(name))
}

/// Makes a client's request ask for the whole answer, or, given what is stored, whether that still holds.
pub(crate) fn ask(request: &mut HeaderMap, stored: Option<&Head>) {
    for name in OURS.iter().chain([&header::RANGE]) {
        request.remove(name);
    }
    let Some(stored) = stored else { return };
    if let Some(etag) = stored.headers.get(header::ETAG) {
        request.insert(header::IF_NONE_MATCH, etag.clone());
    }
    if let Some(changed) = stored.headers.get(header::LAST_MODIFIED) {
        request.insert(header::IF_MODIFIED_SINCE, changed.clone());
    }
}

/// Whether the client has the answer already, so that it gets a 304.
pub(crate) fn is_not_modified(request: &HeaderMap, status: StatusCode, answer: &HeaderMap) -> bool {
    if status != StatusCode::OK {
        return false;
    }
    if request.contains_key(header::IF_NONE_MATCH) {
        let etag = answer.get(header::ETAG).and_then(|etag| etag.to_str().ok());
        return lists(request, etag);
    }
    let Some(since) = date::date_of(request, &header::IF_MODIFIED_SINCE) else { return false };
    let changed = date::date_of(answer, &header::LAST_MODIFIED).or_else(|| date::date_of(answer, &header::DATE));
    changed.is_some_and(|changed| changed <= since)
}

/// `If-None-Match` by the weak comparison (RFC 9110, section 13.1.2).
fn lists(request: &HeaderMap, etag: Option<&str>) -> bool {
    let lines = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(split_list).any(|listed| listed == "*" || etag.is_some_and(|etag| weak(listed) == weak(etag)))
}

fn weak(etag: &str) -> &str {
    etag.strip_prefix("W/").unwrap_or(etag)
}

/// Whether a range request wants a part of exactly what is stored (RFC 9110, section 13.1.5): no `If-Range`, or one
/// that names it by a strong validator.
pub(crate) fn if_range_holds(request: &HeaderMap, answer: &HeaderMap) -> bool {
    let Some(wanted) = request.get(header::IF_RANGE) else { return true };
    let Ok(wanted) = wanted.to_str() else { return false };
    if wanted.starts_with('"') {
        return answer.get(header::ETAG).is_some_and(|etag| etag == wanted);
    }
    let wanted = date::parse(wanted);
    let changed = date::date_of(answer, &header::LAST_MODIFIED);
    // A date is a strong validator only where the answer is a minute younger than the change (section 8.8.2.2).
    let strong =
        |changed| date::date_of(answer, &header::DATE).is_some_and(|d| date::since(d, changed).as_secs() >= 60);
    wanted.is_some() && wanted == changed && changed.is_some_and(strong)
}

/// Takes off what describes a body that a 304 does not carry (RFC 9110, section 15.4.5).
pub(crate) fn reduce_to_304(headers: &mut HeaderMap) {
    let stays = [header::CONTENT_LOCATION, header::CONTENT_SECURITY_POLICY];
    let of_body = |name: &&HeaderName| name.as_str().starts_with("content-") && !stays.contains(name);
    let names: Vec<HeaderName> = headers.keys().filter(of_body).cloned().collect();
    names.iter().for_each(|name| drop(headers.remove(name)));
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    fn not_modified(request: (&'static str, &'static str), answer: &[(&'static str, &'static str)]) -> bool {
        is_not_modified(&headers(&[request]), StatusCode::OK, &headers(answer))
    }

    #[test]
    fn entity_tags_compare_weakly_and_go_before_dates() {
        let answer = [("etag", "W/\"a,b\""), ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT")];

        assert!(not_modified(("if-none-match", "\"x\", \"a,b\""), &answer));
        assert!(not_modified(("if-none-match", "*"), &answer));
        assert!(!not_modified(("if-none-match", "\"a\""), &answer));
        assert!(not_modified(("if-modified-since", "Sunday, 06-Nov-94 08:49:37 GMT"), &answer));
        let both = [("if-none-match", "\"x\""), ("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT")];
        assert!(!is_not_modified(&headers(&both), StatusCode::OK, &headers(&answer)));
    }

    #[test]
    fn a_range_needs_a_strong_validator() {
        let answer = headers(&[("etag", "\"a\""), ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT")]);

        assert!(if_range_holds(&headers(&[]), &answer));
        assert!(if_range_holds(&headers(&[("if-range", "\"a\"")]), &answer));
        for wrong in ["\"b\"", "W/\"a\"", "Sun, 06 Nov 1994 08:49:37 GMT", "rubbish"] {
            assert!(!if_range_holds(&headers(&[("if-range", wrong)]), &answer), "{wrong}");
        }
    }
}
