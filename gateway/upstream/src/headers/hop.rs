//! Fields that belong to one connection (RFC 9110, section 7.6.1).

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// Meant for the next hop alone, whether `Connection` names them or not.
const HOP_BY_HOP: [HeaderName; 9] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("http2-settings"),
];

/// Removes them and everything that `Connection` names.
pub(super) fn remove(headers: &mut HeaderMap) {
    if headers.contains_key(header::CONNECTION) {
        let named: Vec<HeaderName> = headers
            .get_all(header::CONNECTION)
            .iter()
            .flat_map(tokens)
            // The usual ones, of which one is no field and the other goes anyway.
            .filter(|token| !token.eq_ignore_ascii_case("close") && !token.eq_ignore_ascii_case("keep-alive"))
            .filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok())
            .collect();
        for name in named {
            headers.remove(name);
        }
    }
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
}

/// Removes fields that many servers take for one of ours: to CGI and its heirs `X_Forwarded_For` is `X-Forwarded-For`.
pub(super) fn remove_lookalikes(headers: &mut HeaderMap, ours: &HeaderMap) {
    if !headers.keys().any(|name| name.as_str().contains('_')) {
        return;
    }
    let imitates = |name: &&HeaderName| {
        let plain = name.as_str().replace('_', "-");
        name.as_str().contains('_')
            && (plain.starts_with("x-forwarded-") || plain == "x-real-ip" || ours.contains_key(plain.as_str()))
    };
    let imitations: Vec<HeaderName> = headers.keys().filter(imitates).cloned().collect();
    for name in imitations {
        headers.remove(name);
    }
}

/// The elements of a list of tokens.
pub(super) fn tokens(value: &HeaderValue) -> impl Iterator<Item = &str> {
    value.to_str().unwrap_or_default().split(',').map(str::trim).filter(|token| !token.is_empty())
}

/// Whether one of the fields of this name holds the token, parameters aside.
pub(super) fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let plain = |element: &str| element.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(token);
    headers.get_all(name).iter().any(|value| tokens(value).any(plain))
}
