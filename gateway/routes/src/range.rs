//! One range of a file (RFC 9110, section 14).

use http::{HeaderMap, HeaderValue, header};

/// What a request asks of `length` bytes. Several ranges, and what can't be read, are the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Whole,
    /// First byte and one past the last.
    Part(u64, u64),
    Unsatisfiable,
}

/// Reads `Range`, honoured only if `If-Range` is absent or names `etag`.
pub(crate) fn wanted(request: &HeaderMap, length: u64, etag: &HeaderValue) -> Wanted {
    let holds = request.get(header::IF_RANGE).is_none_or(|wanted| wanted == etag);
    let mut lines = request.get_all(header::RANGE).iter();
    let line = lines.next().filter(|_| holds && lines.next().is_none()).and_then(|line| line.to_str().ok());
    line.and_then(|line| parse(line, length)).unwrap_or(Wanted::Whole)
}

fn parse(line: &str, length: u64) -> Option<Wanted> {
    let (first, last) = line.strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    let (start, end) = match (number(first), number(last)) {
        (None, Some(suffix)) if first.is_empty() => (length - suffix.min(length), length),
        (Some(start), None) if last.is_empty() => (start, length),
        (Some(start), Some(end)) if start <= end => (start, end.saturating_add(1).min(length)),
        _ => return None,
    };
    Some(if start < end { Wanted::Part(start, end) } else { Wanted::Unsatisfiable })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_read_and_the_rest_is_the_whole() {
        for (line, expected) in [
            ("bytes=0-0", Wanted::Part(0, 1)),
            ("bytes=4-", Wanted::Part(4, 10)),
            ("bytes=-4", Wanted::Part(6, 10)),
            ("bytes=-99", Wanted::Part(0, 10)),
            ("bytes=10-", Wanted::Unsatisfiable),
            ("bytes=-0", Wanted::Unsatisfiable),
            ("bytes=5-4", Wanted::Whole),
            ("bytes=0-1,2-3", Wanted::Whole),
            ("bytes=--1", Wanted::Whole),
        ] {
            let request = HeaderMap::from_iter([(header::RANGE, HeaderValue::from_static(line))]);
            assert_eq!(wanted(&request, 10, &HeaderValue::from_static("\"a\"")), expected, "{line}");
        }
    }
}
