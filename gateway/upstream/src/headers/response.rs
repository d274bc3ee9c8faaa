//! An answer's fields on their way to the client.

use http::{HeaderMap, HeaderValue, StatusCode, header, response};

use super::hop;

/// Removes what belongs to the upstream's connection. A length that the framing overrules goes as well.
pub(crate) fn clean(head: &mut response::Parts) {
    let framed = head.headers.contains_key(header::TRANSFER_ENCODING);
    hop::remove(&mut head.headers);
    if framed || head.status.is_informational() || head.status == StatusCode::NO_CONTENT {
        head.headers.remove(header::CONTENT_LENGTH);
    }
}

/// Turns the head of a 101 into ours, if the protocol is one that was asked for.
pub(crate) fn switched(head: &mut response::Parts, asked: &HeaderValue) -> bool {
    let Some(chosen) = only(&head.headers) else { return false };
    let ours = |protocol: &str| hop::tokens(asked).any(|asked| asked.eq_ignore_ascii_case(protocol));
    if hop::tokens(&chosen).next().is_none() || !hop::tokens(&chosen).all(ours) {
        return false;
    }
    clean(head);
    head.headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    head.headers.insert(header::UPGRADE, chosen);
    true
}

fn only(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut values = headers.get_all(header::UPGRADE).iter();
    values.next().filter(|_| values.next().is_none()).cloned()
}
