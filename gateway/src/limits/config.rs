//! Settings of limits. Their defaults stand in `config/holdfast.toml`.

use std::{collections::HashSet, num::NonZeroU32};

use serde::Deserialize;

use crate::config::ConfigError;

/// How many requests a client may send.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimits {
    /// For one client address (/64 for IPv6).
    pub address: Rate,
    /// For one credential, as [`crate::App::rate_key`] names it.
    pub key: Rate,
    /// For one account, whatever it comes by; see [`crate::Meter`].
    pub account: Rate,
    /// For all accounts of one tenant together.
    pub tenant: Rate,
    /// Clients remembered at once by each limit; the least busy are forgotten first.
    pub max_entries: usize,
}

/// A steady rate with a burst on top (GCRA). `per_minute = 0` switches it off.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    pub per_minute: u32,
    /// Requests that may come at once.
    pub burst: u32,
}

/// A limit that routes name.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedLimit {
    /// Letters, digits, `-` and `_`.
    pub name: String,
    /// Who has a quota of their own: each combination of these.
    pub by: Vec<Subject>,
    pub per_minute: NonZeroU32,
    pub burst: NonZeroU32,
    /// What a request takes, where its route does not say otherwise.
    #[serde(default = "one")]
    pub cost: NonZeroU32,
    /// Refuses nothing, and counts what it would have refused.
    #[serde(default)]
    pub dry_run: bool,
    /// Counts for all replicas together; see [`crate::Allowances`].
    #[serde(default)]
    pub shared: bool,
}

const fn one() -> NonZeroU32 {
    NonZeroU32::MIN
}

/// What tells one quota from another. Who has no account or tenant, or shows no credential, counts by address instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// /64 for IPv6.
    Address,
    /// The credential, before it is verified.
    Key,
    Account,
    Tenant,
    Route,
}

/// Names that the limits of everything have.
const TAKEN: [&str; 4] = ["address", "key", "account", "tenant"];

/// Refuses limits that can't work, by their places.
pub(crate) fn check(limits: &[NamedLimit]) -> Result<(), ConfigError> {
    let mut names = HashSet::new();
    for (at, limit) in limits.iter().enumerate() {
        let wrong = |what| Err(ConfigError::Limit(at, what));
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if !(1..=64).contains(&limit.name.len()) || !limit.name.bytes().all(plain) {
            return wrong("name must be 1 to 64 letters, digits, - and _");
        }
        if TAKEN.contains(&limit.name.as_str()) || !names.insert(&limit.name) {
            return wrong("name is taken");
        }
        let subjects: HashSet<_> = limit.by.iter().collect();
        if subjects.is_empty() || subjects.len() != limit.by.len() {
            return wrong("by must name address, key, account, tenant or route, each once");
        }
        if limit.shared && limit.by.contains(&Subject::Key) {
            return wrong("a shared limit goes by address, account, tenant or route");
        }
        if limit.cost > limit.burst {
            return wrong("cost must not be above burst");
        }
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn limit(name: &str, by: &[Subject], burst: u32) -> NamedLimit {
        NamedLimit {
            name: name.to_owned(),
            by: by.to_vec(),
            per_minute: NonZeroU32::MIN,
            burst: NonZeroU32::new(burst).unwrap(),
            cost: NonZeroU32::MIN,
            dry_run: false,
            shared: false,
        }
    }

    #[test]
    fn limits_that_can_t_work_are_named_by_their_place() {
        let good = || limit("login", &[Subject::Address, Subject::Route], 5);
        let told = |wrong: NamedLimit| check(&[good(), wrong]).unwrap_err().to_string();

        assert!(check(&[good(), limit("other", &[Subject::Account], 1)]).is_ok());
        assert!(told(good()).starts_with("gateway.limits[1] can't be used: name is taken"));
        assert!(told(limit("a b", &[Subject::Key], 1)).contains("letters"));
        assert!(told(limit("tenant", &[Subject::Tenant], 1)).contains("taken"));
        assert!(told(limit("x", &[], 1)).contains("by must"));
        assert!(told(limit("x", &[Subject::Key, Subject::Key], 1)).contains("each once"));
        assert!(told(NamedLimit { shared: true, ..limit("x", &[Subject::Key], 2) }).contains("shared"));
        let dear = NamedLimit { cost: NonZeroU32::new(3).unwrap(), ..limit("x", &[Subject::Key], 2) };
        assert!(told(dear).contains("cost"));
    }
}
