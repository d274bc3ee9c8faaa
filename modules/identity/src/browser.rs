//! What a browser brings: its session cookie, and whether the request comes from a page of this host.

use chrono::{DateTime, Utc};
use http::HeaderMap;
use kernel::Problem;
use url::Url;

use crate::error::Error;

/// The name of the session cookie. The prefix makes browsers insist on `Secure`, `Path=/` and no `Domain`.
pub const SESSION_COOKIE: &str = "__Host-holdfast_session";

/// Lets a request with the session cookie and an unsafe method pass only if it comes from a page of the same origin,
/// or from no page at all. To be asked for every such request before it is answered.
///
/// Browsers send `Sec-Fetch-Site` and pages can't change it. The few that don't send it send `Origin`, which must name
/// the authority of the `Host` header (`host`, with its port if it has one).
///
/// # Errors
/// 403 `identity.csrf`.
pub fn csrf_safe(headers: &HeaderMap, host: &str) -> Result<(), Problem> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    let safe = match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => same_authority(origin, host),
        (None, None) => false,
    };
    if safe { Ok(()) } else { Err(Error::Csrf.into()) }
}

fn same_authority(origin: &str, host: &str) -> bool {
    let Ok(origin) = Url::parse(origin) else { return false };
    let asked = Url::parse(&format!("{}://{host}/", origin.scheme()));
    asked.is_ok_and(|asked| origin.host_str().is_some() && origin.origin() == asked.origin())
}

/// The `Set-Cookie` field that signs a browser in until then.
pub(crate) fn set_cookie(value: &str, expires_at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let seconds = ((expires_at - now).num_milliseconds().max(0) + 999) / 1000;
    format!("{SESSION_COOKIE}={value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={seconds}")
}

/// The `Set-Cookie` field that signs a browser out.
pub(crate) fn clear_cookie() -> String {
    format!("{SESSION_COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0")
}

/// The longest name of a client that is kept.
const MAX_AGENT: usize = 300;

/// A client's name for itself, cut to a bearable length.
pub(crate) fn user_agent(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_AGENT).collect()
}

/// A device in simple words, such as `Firefox on Linux`.
pub(crate) fn device(user_agent: Option<&str>) -> String {
    let Some(agent) = user_agent.map(str::trim).filter(|agent| !agent.is_empty()) else {
        return "Unknown device".to_owned();
    };
    let first =
        |names: &[(&str, &'static str)]| names.iter().find(|(sign, _)| agent.contains(sign)).map(|(_, name)| *name);
    let browser = first(&[
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("HeadlessChrome/", "Chrome"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = first(&[
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        (None, None) => {
            let name = agent.split(['/', ' ', '(']).next().unwrap_or_default();
            let name: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
            if name.is_empty() { "Unknown device".to_owned() } else { name }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(fields: &[(&'static str, &'static str)], host: &str) -> bool {
        let headers = fields
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), http::HeaderValue::from_static(value)));
        csrf_safe(&headers.collect(), host).is_ok()
    }

    #[test]
    fn only_pages_of_the_same_origin_may_use_the_cookie() {
        assert!(passes(&[("sec-fetch-site", "same-origin")], "acme.localhost:8443"));
        assert!(passes(&[("sec-fetch-site", "none")], "acme.localhost:8443"));
        assert!(passes(&[("origin", "https://acme.localhost:8443")], "acme.localhost:8443"));
        assert!(passes(&[("origin", "https://acme.test")], "acme.test:443"));
        assert!(passes(&[("origin", "https://ACME.test")], "acme.test"));

        assert!(!passes(&[], "acme.localhost"));
        assert!(!passes(&[("sec-fetch-site", "same-site")], "acme.localhost"));
        assert!(!passes(&[("sec-fetch-site", "cross-site"), ("origin", "https://acme.localhost")], "acme.localhost"));
        assert!(!passes(&[("origin", "null")], "acme.localhost"));
        assert!(!passes(&[("origin", "https://evil.localhost:8443")], "acme.localhost:8443"));
        assert!(!passes(&[("origin", "https://acme.localhost")], "acme.localhost:8443"));
        assert!(!passes(&[("origin", "https://acme.localhost@evil.test")], "acme.localhost"));
    }

    #[test]
    fn devices_have_simple_names() {
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0";
        let safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Safari/604.1";

        assert_eq!(device(Some(firefox)), "Firefox on Linux");
        assert_eq!(device(Some(safari)), "Safari on iPhone");
        assert_eq!(device(Some("curl/8.5.0")), "curl");
        assert_eq!(device(Some("\u{7}/x")), "Unknown device");
        assert_eq!(device(None), "Unknown device");
        assert_eq!(user_agent(&"x".repeat(1000)).len(), 300);
    }

    #[test]
    fn the_cookie_is_for_this_host_only_and_not_for_scripts() {
        let now = DateTime::UNIX_EPOCH;
        let cookie = set_cookie("abc", now + chrono::TimeDelta::days(1), now);

        assert_eq!(cookie, "__Host-holdfast_session=abc; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=86400");
    }
}
