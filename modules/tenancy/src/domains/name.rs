//! Names that a tenant may claim: read once into A-labels, or refused with a reason.

use std::net::IpAddr;

use crate::config::TenancyConfig;
use crate::error::Error;

/// The longest name: its proof stands at a longer one.
const LONGEST: usize = 243;
/// The most labels: what is above each of them is asked for.
const LABELS: usize = 12;

/// Reads `app.example.com`, `*.example.com` or a name in other letters.
///
/// # Errors
/// [`Error::DomainInvalid`], or [`Error::DomainReserved`] for what is this installation's own, unless an operator asks.
pub(crate) fn parse(text: &str, config: &TenancyConfig, operator: bool) -> Result<String, Error> {
    let text = text.trim();
    let wildcard = text.starts_with("*.");
    let host = text.strip_prefix("*.").unwrap_or(text);
    if host.parse::<IpAddr>().is_ok() || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() {
        return Err(Error::DomainInvalid("An IP address can't be claimed; give a name such as app.example.com."));
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    let unreadable =
        Error::DomainInvalid("Give a name such as app.example.com or *.example.com, without https://, port or path.");
    let name = idna::domain_to_ascii_strict(host).map_err(|_| unreadable)?;
    let labels = name.split('.').count();
    let numeric = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    if name.len() > LONGEST || labels > LABELS {
        return Err(Error::DomainInvalid("The name is too long: at most 243 characters and 12 labels."));
    }
    if labels < 2 || numeric {
        return Err(Error::DomainInvalid("Give a whole name with a domain, such as app.example.com."));
    }
    // What nothing is registered below belongs to nobody.
    if psl::domain_str(&name).is_none() {
        return Err(Error::DomainInvalid("This is a public suffix, under which others register their domains."));
    }
    if !operator && is_ours(&name, config) {
        return Err(Error::DomainReserved);
    }
    Ok(if wildcard { format!("*.{name}") } else { name })
}

/// Whether the name is the installation's: its base domain, what lies below it, or what customers point at.
fn is_ours(name: &str, config: &TenancyConfig) -> bool {
    let base = &config.base_domain;
    let below = name.strip_suffix(base.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    below || name == "localhost" || name.ends_with(".localhost") || config.domains.targets.host.as_deref() == Some(name)
}

/// The name in the letters that people read.
pub(crate) fn shown(name: &str) -> String {
    match name.strip_prefix("*.") {
        Some(base) => format!("*.{}", idna::domain_to_unicode(base).0),
        None => idna::domain_to_unicode(name).0,
    }
}

/// The wildcard that covers this host.
pub(crate) fn covering(host: &str) -> Option<String> {
    host.split_once('.').map(|(_, above)| format!("*.{above}"))
}

/// Whether a host, in lower case, could be somebody's domain.
pub(crate) fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        let plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        (1..=63).contains(&label.len()) && plain && !label.starts_with('-') && !label.ends_with('-')
    };
    host.len() <= LONGEST && host.contains('.') && host.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::config;

    fn read(text: &str) -> Result<String, Error> {
        parse(text, &TenancyConfig { base_domain: "holdfast.example".to_owned(), ..config() }, false)
    }

    #[test]
    fn names_come_in_every_spelling_and_are_kept_in_one() {
        for (text, name) in [
            ("app.customer.com", "app.customer.com"),
            ("  App.Customer.COM. ", "app.customer.com"),
            ("*.customer.com", "*.customer.com"),
            ("bücher.example.de", "xn--bcher-kva.example.de"),
            ("xn--bcher-kva.de", "xn--bcher-kva.de"),
            ("customer.co.uk", "customer.co.uk"),
            ("app.customer.test", "app.customer.test"),
            ("myholdfast.example", "myholdfast.example"),
        ] {
            assert_eq!(read(text).unwrap(), name, "{text}");
        }
        assert_eq!(shown("xn--bcher-kva.de"), "bücher.de");
        assert_eq!(shown("*.xn--bcher-kva.de"), "*.bücher.de");
    }

    #[test]
    fn what_is_no_name_or_nobody_s_is_refused() {
        let long = format!("{}.customer.com", ["a"; 12].join("."));
        let longer = format!("{}.com", vec!["a".repeat(60); 4].join("."));
        for text in [
            "",
            "com",
            "localhost",
            "co.uk",
            "*.com",
            "*.co.uk",
            "*",
            "*.",
            "*.*.customer.com",
            "a.*.customer.com",
            "192.0.2.1",
            "[2001:db8::1]",
            "2001:db8::1",
            "1.2.3.4.5",
            "https://customer.com",
            "customer.com/path",
            "customer.com:443",
            "cust omer.com",
            "customer..com",
            ".customer.com",
            "-a.customer.com",
            "a_b.customer.com",
            "customer.com..",
            "xn--zz--.com",
            "customer.com\u{0}",
            "user@customer.com",
            &long,
            &longer,
        ] {
            assert!(matches!(read(text), Err(Error::DomainInvalid(_))), "{text}: {:?}", read(text));
        }
    }

    #[test]
    fn the_installation_s_own_names_are_for_operators() {
        for text in ["holdfast.example", "acme.holdfast.example", "*.holdfast.example", "a.b.holdfast.example"] {
            assert!(matches!(read(text), Err(Error::DomainReserved)), "{text}");
            let config = TenancyConfig { base_domain: "holdfast.example".to_owned(), ..config() };
            assert!(parse(text, &config, true).is_ok(), "{text}");
        }
    }

    #[test]
    fn hosts_that_can_t_be_domains_are_told_apart_without_a_look() {
        for host in ["app.customer.com", "a.b", "xn--bcher-kva.de"] {
            assert!(is_host(host), "{host}");
        }
        for host in ["", "localhost", "a..b", ".a.b", "a.b.", "a_b.c", "-a.b", "a.b/c", "ümlaut.de", "[::1]"] {
            assert!(!is_host(host), "{host}");
        }
        assert_eq!(covering("a.b.c").as_deref(), Some("*.b.c"));
    }
}
