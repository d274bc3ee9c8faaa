//! A part of a stored whole (RFC 9110, section 14).

use std::ops::Range;

use http::{HeaderMap, header};

/// What a request's `Range` asks of a body of `length` bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// No range, several, or one we don't understand: the server may answer with the whole (section 14.2).
    Whole,
    Part(Range<usize>),
    /// Beyond the end: 416.
    Unsatisfiable,
}

pub(crate) fn wanted(request: &HeaderMap, length: usize) -> Wanted {
    let mut lines = request.get_all(header::RANGE).iter();
    let line = lines.next().and_then(|line| line.to_str().ok());
    match line.filter(|_| lines.next().is_none()) {
        Some(line) => parse(line, length).unwrap_or(Wanted::Whole),
        None => Wanted::Whole,
    }
}

fn parse(line: &str, length: usize) -> Option<Wanted> {
    let (unit, set) = line.split_once('=')?;
    if !unit.eq_ignore_ascii_case("bytes") || set.contains(',') {
        return None;
    }
    let (first, last) = set.trim().split_once('-')?;
    let range = if first.is_empty() {
        let suffix = number(last)?.min(length);
        length - suffix..length
    } else {
        let first = number(first)?;
        let end = if last.is_empty() { length } else { number(last)?.saturating_add(1).min(length) };
        if !last.is_empty() && number(last)? < first {
            return None;
        }
        first.min(length)..end
    };
    Some(if range.is_empty() { Wanted::Unsatisfiable } else { Wanted::Part(range) })
}

fn number(text: &str) -> Option<usize> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn of(line: &str, length: usize) -> Wanted {
        wanted(&HeaderMap::from_iter([(header::RANGE, HeaderValue::from_str(line).unwrap())]), length)
    }

    #[test]
    fn ranges_are_read_as_rfc_9110_says() {
        for (line, expected) in [
            ("bytes=0-1", Wanted::Part(0..2)),
            ("bytes=5-", Wanted::Part(5..10)),
            ("bytes=-3", Wanted::Part(7..10)),
            ("bytes=-30", Wanted::Part(0..10)),
            ("Bytes=9-99999999999999999999999", Wanted::Part(9..10)),
            ("bytes=10-", Wanted::Unsatisfiable),
            ("bytes=-0", Wanted::Unsatisfiable),
            ("bytes=0-1,3-4", Wanted::Whole),
            ("bytes=3-1", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
            ("pages=1-2", Wanted::Whole),
            ("bytes=", Wanted::Whole),
        ] {
            assert_eq!(of(line, 10), expected, "{line}");
        }
        assert_eq!(of("bytes=0-", 0), Wanted::Unsatisfiable);
    }

    proptest! {
        #[test]
        fn no_range_leaves_the_body(line in "bytes=[0-9-]{0,12}", length in 0_usize..1000) {
            if let Wanted::Part(range) = of(&line, length) {
                prop_assert!(range.start < range.end && range.end <= length);
            }
        }
    }
}
