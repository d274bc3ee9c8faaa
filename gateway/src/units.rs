//! Durations and sizes as people write them: `10`, `"10s"`, `"500ms"`, `"10MiB"`.
//!
//! Bare numbers are seconds and bytes, so that a setting may come from an environment variable too.

use std::{fmt, time::Duration};

use serde::{
    Deserializer,
    de::{Error, Visitor},
};

const DURATIONS: &[(&str, f64)] =
    &[("ms", 0.001), ("s", 1.0), ("min", 60.0), ("m", 60.0), ("h", 3600.0), ("d", 86_400.0)];
const SIZES: &[(&str, f64)] = &[
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("kB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("B", 1.0),
];

/// Reads a duration: seconds, or a number with `ms`, `s`, `m`, `h` or `d`.
pub(crate) fn duration<'de, D: Deserializer<'de>>(input: D) -> Result<Duration, D::Error> {
    let seconds = input.deserialize_any(Amount { units: DURATIONS, example: "10s" })?;
    Duration::try_from_secs_f64(seconds).map_err(D::Error::custom)
}

/// Reads a size: bytes, or a number with `KiB`, `MiB`, `GiB`, `kB`, `MB`, `GB`.
pub(crate) fn size<'de, D: Deserializer<'de>, N: TryFrom<u64>>(input: D) -> Result<N, D::Error> {
    let bytes = input.deserialize_any(Amount { units: SIZES, example: "10MiB" })?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an amount is never negative, and a cast saturates"
    )]
    let whole = bytes.round() as u64;
    N::try_from(whole).map_err(|_| D::Error::custom("the size is too large"))
}

struct Amount {
    units: &'static [(&'static str, f64)],
    example: &'static str,
}

impl Amount {
    fn parse(&self, text: &str) -> Option<f64> {
        let text = text.trim();
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = &text[digits.len()..];
        let factor = match unit {
            "" => 1.0,
            _ => self.units.iter().find(|(name, _)| *name == unit)?.1,
        };
        let number: f64 = digits.trim_end().parse().ok()?;
        (number.is_finite() && number >= 0.0).then_some(number * factor)
    }
}

impl Visitor<'_> for Amount {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a number, or a text such as {:?}", self.example)
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
        self.parse(text).ok_or_else(|| E::custom(format_args!("{text:?} is not an amount such as {:?}", self.example)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_with_and_without_a_unit() {
        let durations = Amount { units: DURATIONS, example: "10s" };
        let sizes = Amount { units: SIZES, example: "10MiB" };

        assert_eq!(durations.parse("10"), Some(10.0));
        assert_eq!(durations.parse("500ms"), Some(0.5));
        assert_eq!(durations.parse("1.5 h"), Some(5400.0));
        assert_eq!(sizes.parse("10MiB"), Some(10_485_760.0));
        for wrong in ["", "ten", "-1s", "10 parsecs", "10mb"] {
            assert_eq!(sizes.parse(wrong), None, "{wrong}");
            assert_eq!(durations.parse(wrong), None, "{wrong}");
        }
    }
}
