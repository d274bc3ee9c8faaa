//! Settings of this module. Their defaults stand in `config/holdfast.toml` only.

use std::fmt;
use std::time::Duration;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

/// How people sign in and for how long.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityConfig {
    /// How long an access token is valid.
    #[serde(deserialize_with = "duration")]
    pub access_token_lifetime: Duration,
    /// How long a session lasts at most.
    #[serde(deserialize_with = "duration")]
    pub session_lifetime: Duration,
    /// How long a session lasts without being used.
    #[serde(deserialize_with = "duration")]
    pub session_idle: Duration,
    /// For how long a used refresh token gives the same successor again.
    #[serde(deserialize_with = "duration")]
    pub refresh_grace: Duration,
    /// How long this process trusts what it knows about a credential when another process may have changed it.
    #[serde(deserialize_with = "duration")]
    pub auth_cache_ttl: Duration,
    /// The most credentials remembered at once.
    pub auth_cache_entries: usize,
    /// The age at which signing keys are replaced.
    #[serde(deserialize_with = "duration")]
    pub signing_key_age: Duration,
    /// The fewest characters of a password.
    pub password_min_length: usize,
    /// Argon2id: memory in KiB.
    pub hash_memory: u32,
    /// Argon2id: passes over the memory.
    pub hash_passes: u32,
    /// Argon2id: lanes.
    pub hash_lanes: u32,
    /// Threads that hash at once; 0 is half the cores.
    pub hash_threads: usize,
    /// How many may wait for a hash; one more is asked to come back.
    pub hash_queue: usize,
    /// How long one waits for a hash at most.
    #[serde(deserialize_with = "duration")]
    pub hash_wait: Duration,
    /// Whether failed sign-ins slow down the next ones.
    pub signin_limits: bool,
    /// The most accounts and addresses whose failures are remembered at once.
    pub signin_limit_entries: usize,
}

impl IdentityConfig {
    /// How many hashes run at once.
    pub(crate) fn threads(&self) -> usize {
        match self.hash_threads {
            0 => std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).max(1)),
            set => set,
        }
    }
}

#[cfg(test)]
impl IdentityConfig {
    /// Quick hashes, everything else as it is shipped.
    pub(crate) fn quick() -> Self {
        let days = |days: u64| Duration::from_secs(days * 86_400);
        Self {
            access_token_lifetime: Duration::from_secs(600),
            session_lifetime: days(30),
            session_idle: days(14),
            refresh_grace: Duration::from_secs(30),
            auth_cache_ttl: Duration::from_secs(1),
            auth_cache_entries: 1000,
            signing_key_age: days(90),
            password_min_length: 15,
            hash_memory: 64,
            hash_passes: 1,
            hash_lanes: 1,
            hash_threads: 2,
            hash_queue: 128,
            hash_wait: Duration::from_secs(5),
            signin_limits: true,
            signin_limit_entries: 1000,
        }
    }
}

const UNITS: &[(&str, f64)] = &[("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86_400.0)];

/// Reads seconds, or a text such as `"10m"`.
fn duration<'de, D: Deserializer<'de>>(input: D) -> Result<Duration, D::Error> {
    input.deserialize_any(Amount)
}

struct Amount;

fn parse(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = &text[digits.len()..];
    let factor = if unit.is_empty() { 1.0 } else { UNITS.iter().find(|(name, _)| *name == unit)?.1 };
    let number: f64 = digits.trim_end().parse().ok()?;
    Duration::try_from_secs_f64(number * factor).ok()
}

impl Visitor<'_> for Amount {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("seconds, or a text such as \"10m\"")
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<Duration, E> {
        Ok(Duration::from_secs(seconds))
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<Duration, E> {
        u64::try_from(seconds).map(Duration::from_secs).map_err(|_| E::custom("must not be negative"))
    }

    fn visit_f64<E: Error>(self, seconds: f64) -> Result<Duration, E> {
        Duration::try_from_secs_f64(seconds).map_err(E::custom)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
        parse(text).ok_or_else(|| E::custom(format_args!("{text:?} is no duration such as \"10m\"")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_and_without_a_unit() {
        assert_eq!(parse("10"), Some(Duration::from_secs(10)));
        assert_eq!(parse("10m"), Some(Duration::from_mins(10)));
        assert_eq!(parse("1.5 h"), Some(Duration::from_mins(90)));
        for wrong in ["", "ten", "-1s", "10 parsecs", "infs"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
