//! Durations as people write them: `10`, `"10s"`, `"500ms"`, `"2m"`. A bare number is seconds.

use std::{fmt, time::Duration};

use serde::{
    Deserializer,
    de::{Error, Visitor},
};

const UNITS: &[(&str, f64)] = &[("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86_400.0)];

/// Reads a duration: seconds, or a number with `ms`, `s`, `m`, `h` or `d`.
pub(super) fn duration<'de, D: Deserializer<'de>>(input: D) -> Result<Duration, D::Error> {
    let seconds = input.deserialize_any(Seconds)?;
    Duration::try_from_secs_f64(seconds).map_err(D::Error::custom)
}

struct Seconds;

fn parse(text: &str) -> Option<f64> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = &text[digits.len()..];
    let factor = if unit.is_empty() { 1.0 } else { UNITS.iter().find(|(name, _)| *name == unit)?.1 };
    let number: f64 = digits.trim_end().parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number * factor)
}

impl Visitor<'_> for Seconds {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("seconds, or a text such as \"500ms\", \"10s\" or \"2m\"")
    }

    #[expect(clippy::cast_precision_loss, reason = "no setting needs 53 bits")]
    fn visit_u64<E: Error>(self, value: u64) -> Result<f64, E> {
        Ok(value as f64)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<f64, E> {
        let value = u64::try_from(value).map_err(|_| E::custom("must not be negative"))?;
        self.visit_u64(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<f64, E> {
        (value.is_finite() && value >= 0.0).then_some(value).ok_or_else(|| E::custom("must not be negative"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<f64, E> {
        parse(text).ok_or_else(|| E::custom(format_args!("{text:?} is not a duration such as \"10s\"")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_and_without_a_unit() {
        assert_eq!(parse("10"), Some(10.0));
        assert_eq!(parse("500ms"), Some(0.5));
        assert_eq!(parse("1.5 h"), Some(5400.0));
        for wrong in ["", "ten", "-1s", "10 parsecs", "infs"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
