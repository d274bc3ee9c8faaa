//! Durations as people write them in settings (`"10s"`, `"3h"`, `"7d"`; a bare number is seconds), and secrets.

use std::{fmt, time::Duration};

use secrecy::SecretString;
use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};

const UNITS: &[(&str, f64)] = &[("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86_400.0), ("", 1.0)];

pub(crate) fn duration<'de, D: Deserializer<'de>>(input: D) -> Result<Duration, D::Error> {
    Duration::try_from_secs_f64(input.deserialize_any(Amount)?).map_err(D::Error::custom)
}

/// A text that is not to be printed.
pub(crate) fn secret<'de, D: Deserializer<'de>>(input: D) -> Result<SecretString, D::Error> {
    String::deserialize(input).map(SecretString::from)
}

/// The same, when it may be left out.
pub(crate) fn optional_secret<'de, D: Deserializer<'de>>(input: D) -> Result<Option<SecretString>, D::Error> {
    Ok(Option::<String>::deserialize(input)?.map(SecretString::from))
}

struct Amount;

impl Visitor<'_> for Amount {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of seconds, or a text such as \"10s\"")
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<f64, E> {
        let whole = u32::try_from(seconds).map_err(E::custom)?;
        Ok(f64::from(whole))
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<f64, E> {
        let whole = u32::try_from(seconds).map_err(E::custom)?;
        Ok(f64::from(whole))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<f64, E> {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let factor = UNITS.iter().find(|(unit, _)| *unit == &text[digits.len()..]).map(|(_, factor)| factor);
        let number = digits.trim().parse::<f64>().ok().filter(|number| *number >= 0.0);
        factor
            .zip(number)
            .map(|(factor, number)| factor * number)
            .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
    }
}
