//! W3C trace context (<https://www.w3.org/TR/trace-context/>): read from a request, handed on in the answer.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::app::unique;

/// The field that carries it.
pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Where a request stands in a distributed trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// The whole trace.
    pub trace_id: [u8; 16],
    /// The caller's span, if the request came with one.
    pub parent: Option<[u8; 8]>,
    /// This request's span.
    pub span_id: [u8; 8],
    /// Whether the caller records the trace.
    pub sampled: bool,
}

impl TraceContext {
    /// Goes on with the trace of the request's `traceparent`, or begins one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let inbound = headers.get(TRACEPARENT).and_then(|value| value.to_str().ok()).and_then(parse);
        let mut span_id = [0; 8];
        span_id.copy_from_slice(&unique().as_bytes()[8..]);
        match inbound {
            Some((trace_id, parent, sampled)) => Self { trace_id, parent: Some(parent), span_id, sampled },
            None => Self { trace_id: unique().into_bytes(), parent: None, span_id, sampled: false },
        }
    }

    /// As a `traceparent` field.
    pub fn field(&self) -> HeaderValue {
        let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
        // The places have the ids' lengths.
        let _ = hex::encode_to_slice(self.trace_id, &mut text[3..35]);
        let _ = hex::encode_to_slice(self.span_id, &mut text[36..52]);
        text[54] += u8::from(self.sampled);
        // Digits and hyphens alone: there is nothing that a field may not hold.
        HeaderValue::from_bytes(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    /// Whether the trace is one of this share (0 to 1) of all, by its id: whoever decides with the same share, decides
    /// alike. A caller who records the trace has decided.
    pub fn is_among(&self, share: f64) -> bool {
        self.sampled || self.place() < share
    }

    /// Where the trace lies among all, from 0 to below 1.
    fn place(&self) -> f64 {
        let mut low = [0; 4];
        low.copy_from_slice(&self.trace_id[12..]);
        f64::from(u32::from_be_bytes(low)) / (f64::from(u32::MAX) + 1.0)
    }
}

/// `version-trace_id-parent_id-flags`, lower-case hexadecimal; ids of only zeros are invalid.
fn parse(text: &str) -> Option<([u8; 16], [u8; 8], bool)> {
    let mut parts = text.split('-');
    let version = parts.next().filter(|version| version.len() == 2 && *version != "ff")?;
    let (trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?);
    let whole = version != "00" || parts.next().is_none();
    let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    let (mut trace_id, mut parent_id, mut flag) = ([0; 16], [0; 8], [0; 1]);
    hex::decode_to_slice(trace, &mut trace_id).ok()?;
    hex::decode_to_slice(parent, &mut parent_id).ok()?;
    hex::decode_to_slice(flags, &mut flag).ok()?;
    let valid = whole && lower && trace_id != [0; 16] && parent_id != [0; 8];
    valid.then_some((trace_id, parent_id, flag[0] & 1 == 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_goes_on_and_a_malformed_one_is_begun_anew() {
        let mut headers = HeaderMap::new();
        let inbound = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        headers.insert("traceparent", inbound.parse().unwrap());

        let context = TraceContext::of(&headers);

        assert_eq!(hex::encode(context.trace_id), "4bf92f3577b34da6a3ce929d0e0e4736");
        let (span, field) = (hex::encode(context.span_id), context.field());
        assert_eq!(field, format!("00-4bf92f3577b34da6a3ce929d0e0e4736-{span}-01"));
        for bad in ["", "00-0-0-0", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", &inbound.to_uppercase()]
        {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
    #[test]
    fn a_share_of_the_traces_is_chosen_by_their_ids_alone() {
        let of = |last: [u8; 4], sampled| {
            let mut trace_id = [7; 16];
            trace_id[12..].copy_from_slice(&last);
            TraceContext { trace_id, parent: None, span_id: [1; 8], sampled }
        };

        assert!(of([0x3f, 0xff, 0, 0], false).is_among(0.25) && !of([0x40, 0, 0, 0], false).is_among(0.25));
        assert!(of([0xff; 4], false).is_among(1.0) && !of([0; 4], false).is_among(0.0));
        assert!(of([0xff; 4], true).is_among(0.0), "its caller has decided");
    }
}
