//! Slugs, names, descriptions and addresses: read once into their normal form, or refused.

use std::fmt;

use crate::error::Error;

/// The slug of the tenant in which the operators live.
pub(crate) const SYSTEM_SLUG: &str = "system";

/// Slugs that would look like a part of Holdfast.
const RESERVED: &[&str] = &[
    SYSTEM_SLUG,
    "www",
    "api",
    "admin",
    "localhost",
    "console",
    "auth",
    "login",
    "mail",
    "static",
    "assets",
    "cdn",
    "docs",
    "graphql",
    "internal",
    "operator",
    "operators",
    "root",
    "support",
    "status",
];

/// A tenant's short name in addresses: 3 to 40 characters of `a-z`, `0-9` and `-`, fit for a DNS label.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slug(String);

impl Slug {
    /// Reads a slug that a client chose.
    ///
    /// # Errors
    /// [`Error::SlugInvalid`] or [`Error::SlugReserved`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let slug = Self::known(text).ok_or(Error::SlugInvalid)?;
        if RESERVED.contains(&text) { Err(Error::SlugReserved(slug.0)) } else { Ok(slug) }
    }

    /// A text that may be the slug of a tenant, reserved words included.
    pub(crate) fn known(text: &str) -> Option<Self> {
        let shaped = (3..=40).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-')
            // Labels with hyphens here have a meaning of their own in DNS (RFC 5891), such as xn--.
            && text.get(2..4) != Some("--");
        shaped.then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads a name for people: 1 to 100 characters after trimming, none of them a control character.
pub(crate) fn parse_name(path: &'static str, text: &str) -> Result<String, Error> {
    let name = text.trim();
    let length = name.chars().count();
    if (1..=100).contains(&length) && !name.chars().any(char::is_control) {
        Ok(name.to_owned())
    } else {
        Err(Error::NameInvalid(path))
    }
}

/// Reads a description: at most 500 characters, no control characters but line breaks.
pub(crate) fn parse_description(text: &str) -> Result<String, Error> {
    let text = text.trim();
    let plain = text.chars().all(|c| c == '\n' || !c.is_control());
    if plain && text.chars().count() <= 500 { Ok(text.to_owned()) } else { Err(Error::DescriptionInvalid) }
}

/// Reads an e-mail address into its normal form (lower case). Whether it exists is shown only by using it.
pub(crate) fn parse_email(path: &'static str, text: &str) -> Result<String, Error> {
    let email = text.trim().to_lowercase();
    let parts: Vec<_> = email.split('@').collect();
    let shaped = matches!(parts[..], [local, domain] if !local.is_empty() && !domain.is_empty());
    let plain = !email.chars().any(|c| c.is_control() || c.is_whitespace());
    if shaped && plain && email.len() <= 254 { Ok(email) } else { Err(Error::EmailInvalid(path)) }
}
