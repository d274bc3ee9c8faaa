//! `Cache-Control` of requests and answers (RFC 9111, section 5.2), and how both are split.

use http::{HeaderMap, HeaderName, header};

/// The largest number of seconds that is told apart (RFC 9111, section 1.2.2).
pub(crate) const MOST_SECONDS: u64 = 1 << 31;

/// Whether a directive is absent, stands for the whole answer, or for some of its fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fields {
    #[default]
    None,
    All,
    Some(Vec<HeaderName>),
}

/// What an answer says about caching. Times are seconds; an unreadable time is 0, which is stale.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are the directives")]
pub(crate) struct ResponseDirectives {
    pub(crate) no_store: bool,
    pub(crate) no_cache: Fields,
    pub(crate) private: Fields,
    pub(crate) public: bool,
    pub(crate) must_revalidate: bool,
    pub(crate) proxy_revalidate: bool,
    pub(crate) must_understand: bool,
    pub(crate) immutable: bool,
    pub(crate) max_age: Option<u64>,
    pub(crate) s_maxage: Option<u64>,
    pub(crate) stale_while_revalidate: Option<u64>,
    pub(crate) stale_if_error: Option<u64>,
}

impl ResponseDirectives {
    pub(crate) fn parse(headers: &HeaderMap) -> Self {
        let mut found = Self::default();
        for (name, value) in directives(headers, &header::CACHE_CONTROL) {
            found.take(&name, value.as_deref());
        }
        found
    }

    /// Adds one directive; of two that differ the more careful one stays.
    pub(crate) fn take(&mut self, name: &str, value: Option<&str>) {
        match name {
            "no-store" => self.no_store = true,
            "no-cache" => widen(&mut self.no_cache, value),
            "private" => widen(&mut self.private, value),
            "public" => self.public = true,
            "must-revalidate" => self.must_revalidate = true,
            "proxy-revalidate" => self.proxy_revalidate = true,
            "must-understand" => self.must_understand = true,
            "immutable" => self.immutable = true,
            "max-age" => shorten(&mut self.max_age, value),
            "s-maxage" => shorten(&mut self.s_maxage, value),
            "stale-while-revalidate" => shorten(&mut self.stale_while_revalidate, value),
            "stale-if-error" => shorten(&mut self.stale_if_error, value),
            _ => {}
        }
    }
}

/// What a request says about caching.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RequestDirectives {
    pub(crate) no_cache: bool,
    pub(crate) no_store: bool,
    pub(crate) only_if_cached: bool,
    pub(crate) max_age: Option<u64>,
    pub(crate) min_fresh: Option<u64>,
    /// `Some(u64::MAX)` without a value.
    pub(crate) max_stale: Option<u64>,
    pub(crate) stale_if_error: Option<u64>,
}

impl RequestDirectives {
    /// Reads them; where the policy does not honour clients, only `only-if-cached` is kept.
    pub(crate) fn parse(headers: &HeaderMap, honour: bool) -> Self {
        let mut found = Self::default();
        if !headers.contains_key(header::CACHE_CONTROL) {
            found.no_cache = directives(headers, &header::PRAGMA).any(|(name, _)| name == "no-cache");
        }
        for (name, value) in directives(headers, &header::CACHE_CONTROL) {
            match name.as_str() {
                "no-cache" => found.no_cache = true,
                "no-store" => found.no_store = true,
                "only-if-cached" => found.only_if_cached = true,
                "max-age" => shorten(&mut found.max_age, value.as_deref()),
                "min-fresh" => found.min_fresh = value.as_deref().and_then(seconds),
                "max-stale" => found.max_stale = value.as_deref().map_or(Some(u64::MAX), seconds),
                "stale-if-error" => found.stale_if_error = value.as_deref().and_then(seconds),
                _ => {}
            }
        }
        if honour { found } else { Self { only_if_cached: found.only_if_cached, ..Self::default() } }
    }
}

fn widen(fields: &mut Fields, value: Option<&str>) {
    let named = value.map(|value| value.split(',').map(str::trim).filter(|name| !name.is_empty()));
    let names: Option<Vec<HeaderName>> = named.and_then(|names| names.map(|name| name.parse().ok()).collect());
    match (names.filter(|names| !names.is_empty()), &mut *fields) {
        (None, _) => *fields = Fields::All,
        (Some(_), Fields::All) => {}
        (Some(names), Fields::Some(known)) => known.extend(names),
        (Some(names), Fields::None) => *fields = Fields::Some(names),
    }
}

fn shorten(time: &mut Option<u64>, value: Option<&str>) {
    let value = value.and_then(seconds).unwrap_or(0);
    *time = Some(time.map_or(value, |known| known.min(value)));
}

/// Delta-seconds (RFC 9111, section 1.2.2): digits only, large values held at [`MOST_SECONDS`].
pub(crate) fn seconds(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX).min(MOST_SECONDS))
}

/// The directives of all fields of that name: in lower case, values without their quotes.
pub(crate) fn directives(headers: &HeaderMap, field: &HeaderName) -> impl Iterator<Item = (String, Option<String>)> {
    let lines = headers.get_all(field).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| split_list(line).into_iter().map(directive)).collect::<Vec<_>>().into_iter()
}

fn directive(text: &str) -> (String, Option<String>) {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(unquote(value))),
        None => (text, None),
    };
    (name.to_ascii_lowercase(), value)
}

fn unquote(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return text.to_owned() };
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        plain.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    plain
}

/// The members of a comma-separated list, commas in quoted strings apart (RFC 9110, section 5.6.1).
pub(crate) fn split_list(line: &str) -> Vec<&str> {
    let (mut members, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => {
                members.push(line[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    members.push(line[start..].trim());
    members.retain(|member| !member.is_empty());
    members
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn parsed(lines: &[&str]) -> ResponseDirectives {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::CACHE_CONTROL, HeaderValue::from_str(line).unwrap());
        }
        ResponseDirectives::parse(&headers)
    }

    #[test]
    fn of_two_ages_the_shorter_counts_and_an_unreadable_one_is_stale() {
        assert_eq!(parsed(&["max-age=1", "max-age=3600"]).max_age, Some(1));
        assert_eq!(parsed(&["MaX-aGe=\"60\""]).max_age, Some(60));
        assert_eq!(parsed(&["max-age=99999999999999999999"]).max_age, Some(MOST_SECONDS));
        for wrong in ["max-age=-1", "max-age='60'", "max-age=60s", "max-age=6.5", "max-age"] {
            assert_eq!(parsed(&[wrong]).max_age, Some(0), "{wrong}");
        }
    }

    #[test]
    fn what_stands_in_quotes_is_no_directive() {
        assert_eq!(parsed(&["extension=\"max-age=3600\", max-age=1"]).max_age, Some(1));
        assert_eq!(parsed(&["extension=\"\\\", no-store, \\\"\""]), ResponseDirectives::default());
    }

    #[test]
    fn fields_named_in_private_are_told_from_the_whole() {
        let names = Fields::Some(vec![header::SET_COOKIE, HeaderName::from_static("x-user")]);

        assert_eq!(parsed(&["private=\"Set-Cookie, X-User\""]).private, names);
        assert_eq!(parsed(&["private=\"a\", private"]).private, Fields::All);
        assert_eq!(parsed(&["no-cache=\"not a name\""]).no_cache, Fields::All);
    }

    proptest! {
        #[test]
        fn any_line_is_split_without_loss_of_its_last_member(line in "[ -~]{0,80}") {
            let members = split_list(&line);
            prop_assert!(members.iter().all(|member| line.contains(member)));
            prop_assert!(members.iter().map(|member| member.len()).sum::<usize>() <= line.len());
        }
    }
}
