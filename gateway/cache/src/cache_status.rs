//! `Cache-Status` (RFC 9211): what the cache did, for people who debug.

use http::{HeaderMap, HeaderName, HeaderValue};

const NAME: HeaderName = HeaderName::from_static("cache-status");

/// Why a request went to the origin (RFC 9211, section 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forward {
    /// The route has no cache for it.
    Bypass,
    Method,
    UriMiss,
    VaryMiss,
    Stale,
    /// The client asked for a fresh one.
    Request,
    /// A part was asked for, and no whole is stored.
    Partial,
}

impl Forward {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Bypass => "bypass",
            Self::Method => "method",
            Self::UriMiss => "uri-miss",
            Self::VaryMiss => "vary-miss",
            Self::Stale => "stale",
            Self::Request => "request",
            Self::Partial => "partial",
        }
    }
}

/// The member that we add.
#[derive(Clone, Debug, Default)]
pub(crate) struct Status {
    pub(crate) hit: bool,
    pub(crate) forward: Option<Forward>,
    /// The origin's status, where it is not the one we answer with.
    pub(crate) answered: Option<u16>,
    pub(crate) ttl: Option<i64>,
    pub(crate) stored: bool,
    pub(crate) collapsed: bool,
    pub(crate) detail: Option<&'static str>,
}

impl Status {
    pub(crate) fn hit(ttl: i64) -> Self {
        Self { hit: true, ttl: Some(ttl), ..Self::default() }
    }

    pub(crate) fn forward(reason: Forward) -> Self {
        Self { forward: Some(reason), ..Self::default() }
    }

    /// Adds the member behind those of caches nearer to the origin (RFC 9211, section 2).
    pub(crate) fn append_to(&self, headers: &mut HeaderMap) {
        if let Ok(value) = HeaderValue::try_from(self.to_text()) {
            headers.append(NAME, value);
        }
    }

    fn to_text(&self) -> String {
        let mut text = String::from("holdfast");
        let mut add = |part: String| {
            text.push_str("; ");
            text.push_str(&part);
        };
        if self.hit {
            add("hit".to_owned());
        }
        if let Some(reason) = self.forward {
            add(format!("fwd={}", reason.as_str()));
        }
        if let Some(status) = self.answered {
            add(format!("fwd-status={status}"));
        }
        if let Some(ttl) = self.ttl {
            add(format!("ttl={ttl}"));
        }
        if self.stored {
            add("stored".to_owned());
        }
        if self.collapsed {
            add("collapsed".to_owned());
        }
        if let Some(detail) = self.detail {
            add(format!("detail={detail}"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use sfv::{List, Parser};

    use super::*;

    #[test]
    fn every_member_is_a_structured_field() {
        let status = Status {
            forward: Some(Forward::Stale),
            answered: Some(304),
            ttl: Some(-3),
            stored: true,
            collapsed: true,
            detail: Some("set-cookie"),
            hit: false,
        };
        let text = status.to_text();

        assert_eq!(text, "holdfast; fwd=stale; fwd-status=304; ttl=-3; stored; collapsed; detail=set-cookie");
        let list: List = Parser::new(&text).parse().unwrap();
        assert_eq!(list.len(), 1);
        assert_eq!(Status::hit(5).to_text(), "holdfast; hit; ttl=5");
    }
}
