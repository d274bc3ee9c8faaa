//! The name of a certificate: a host, or all hosts one label below it.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

/// A DNS name in lower case without a final dot, or a wildcard such as `*.example.com`. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(Arc<str>);

/// The text is no name for a certificate.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a name for a certificate. Give a host such as www.example.com, or *.example.com.")]
pub struct NameError(String);

impl Name {
    /// Reads a host name or a wildcard; letters become lower case, a final dot is dropped.
    ///
    /// # Errors
    /// [`NameError`] if a label is empty, longer than 63 bytes or has other characters than letters, digits and inner
    /// hyphens, if there is only one label, or if all is longer than 253 bytes. Unicode names come in their A-label form.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let lower = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let host = lower.strip_prefix("*.").unwrap_or(&lower);
        let labels: Vec<&str> = host.split('.').collect();
        let numeric = labels.last().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
        if lower.len() > 253 || labels.len() < 2 || numeric || !labels.iter().all(|label| is_label(label)) {
            return Err(NameError(text.chars().take(260).collect()));
        }
        Ok(Self(lower.into()))
    }

    /// The text, such as `*.example.com`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it stands for all hosts one label below.
    pub fn is_wildcard(&self) -> bool {
        self.0.starts_with("*.")
    }

    /// The host without `*.`: what an ACME authorization names, and below which its `_acme-challenge` record stands.
    pub fn host(&self) -> &str {
        self.0.strip_prefix("*.").unwrap_or(&self.0)
    }

    /// The wildcard that would cover this host, if it has a parent of at least two labels.
    pub fn covering_wildcard(&self) -> Option<Self> {
        if self.is_wildcard() {
            return None;
        }
        let (_, parent) = self.0.split_once('.')?;
        parent.contains('.').then(|| Self(format!("*.{parent}").into()))
    }

    /// The domain that is registered below a public suffix, by which CAs count: `example.co.uk` for `a.b.example.co.uk`.
    pub fn registered_domain(&self) -> &str {
        psl::domain_str(self.host()).unwrap_or_else(|| self.host())
    }

    /// Where the TXT record of a DNS-01 challenge stands (RFC 8555, section 8.4).
    pub fn challenge_record(&self) -> String {
        format!("_acme-challenge.{}", self.host())
    }
}

fn is_label(label: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    (1..=63).contains(&label.len()) && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Name {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse(&text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0.as_ref().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_wildcards_are_read_and_all_else_is_refused() {
        assert_eq!(Name::parse("WWW.Example.com.").unwrap().as_str(), "www.example.com");
        assert!(Name::parse("*.example.com").unwrap().is_wildcard());
        let long = format!("{}.com", "a".repeat(64));
        for wrong in
            ["", ".", "localhost", "a..b", "-a.com", "a-.com", "a b.com", "*", "*.com", "a.*.com", "1.2.3.4", &long]
        {
            assert!(Name::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_host_is_covered_by_the_wildcard_of_its_parent_only() {
        let cover = |host| Name::parse(host).unwrap().covering_wildcard().map(String::from);

        assert_eq!(cover("a.example.com").as_deref(), Some("*.example.com"));
        assert_eq!(cover("b.a.example.com").as_deref(), Some("*.a.example.com"));
        assert_eq!(cover("example.com"), None);
        assert_eq!(cover("*.example.com"), None);
    }

    #[test]
    fn cas_count_by_the_domain_below_a_public_suffix() {
        let registered = |host| Name::parse(host).unwrap().registered_domain().to_owned();

        assert_eq!(registered("a.b.example.co.uk"), "example.co.uk");
        assert_eq!(registered("*.shop.example.com"), "example.com");
    }
}
