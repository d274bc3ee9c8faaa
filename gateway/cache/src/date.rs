//! HTTP dates (RFC 9110, section 5.6.7) and ages.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::directives;

/// The one value of a date field; nothing if it is absent, twice there, or no date.
pub(crate) fn date_of(headers: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    let mut values = headers.get_all(name).iter();
    let text = values.next()?.to_str().ok()?;
    if values.next().is_some() { None } else { parse(text) }
}

/// Reads any of the three forms.
pub(crate) fn parse(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text).ok()
}

pub(crate) fn header_value(time: SystemTime) -> HeaderValue {
    HeaderValue::try_from(httpdate::fmt_http_date(time)).unwrap_or(HeaderValue::from_static(""))
}

/// `later - earlier`, zero if it is the other way round.
pub(crate) fn since(later: SystemTime, earlier: SystemTime) -> Duration {
    later.duration_since(earlier).unwrap_or_default()
}

/// The `Age` of an answer: zero if absent. `None` if it is there and unreadable, which makes the answer stale.
pub(crate) fn age_of(headers: &HeaderMap) -> Option<Duration> {
    let mut values = headers.get_all(header::AGE).iter();
    let Some(value) = values.next() else { return Some(Duration::ZERO) };
    if values.next().is_some() {
        return None;
    }
    directives::seconds(value.to_str().ok()?).map(Duration::from_secs)
}
