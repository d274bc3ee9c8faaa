//! An address: as its owner writes it, and as it is compared.

use crate::error::Error;

/// The longest address (RFC 5321, 4.5.3.1.3).
const MAX_LENGTH: usize = 254;
/// The longest part before the `@`.
const MAX_LOCAL: usize = 64;

/// An address that passed the checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Email {
    shown: String,
    key: String,
}

impl Email {
    /// Reads an address.
    ///
    /// # Errors
    /// [`Error::EmailInvalid`].
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let shown = text.trim();
        let (local, domain) = shown.rsplit_once('@').ok_or(Error::EmailInvalid)?;
        let sound = shown.len() <= MAX_LENGTH
            && (1..=MAX_LOCAL).contains(&local.len())
            && !domain.is_empty()
            && !local.contains('@')
            && domain.split('.').all(|label| !label.is_empty())
            && !shown.chars().any(|c| c.is_whitespace() || c.is_control() || "<>()[]\\,;:\"".contains(c));
        if sound { Ok(Self { shown: shown.to_owned(), key: key(shown) }) } else { Err(Error::EmailInvalid) }
    }

    /// As its owner writes it.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// As it is compared.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// The part before the `@`.
    pub(crate) fn local(&self) -> &str {
        self.shown.rsplit_once('@').map_or(&self.shown, |(local, _)| local)
    }
}

/// Any text as addresses are compared; used where a malformed one must not be told apart from an unknown one.
pub(crate) fn key(text: &str) -> String {
    text.trim().chars().filter(|c| !c.is_control()).take(MAX_LENGTH).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_without_case_and_shown_as_written() {
        let email = Email::parse("  Ada.Lovelace@Example.TEST ").unwrap();

        assert_eq!(email.shown(), "Ada.Lovelace@Example.TEST");
        assert_eq!(email.key(), "ada.lovelace@example.test");
        assert_eq!(email.local(), "Ada.Lovelace");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.test", "a".repeat(65));
        for wrong in ["", "ada", "@example.test", "ada@", "a b@c.test", "a@b@c.test", "a@b..test", "a\n@b.test", &long]
        {
            assert!(Email::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
