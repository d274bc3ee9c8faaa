//! Fixed answers: a route's own, and that of maintenance.

use std::{collections::BTreeMap, net::IpAddr};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use crate::{
    header_rules::HeaderRules,
    modifiers::{Addresses, HeaderRule, Maintenance},
    problem::Faults,
};

/// A fixed answer, ready.
#[derive(Clone, Debug)]
pub struct Fixed {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Fixed {
    pub(crate) fn new(status: u16, headers: &BTreeMap<String, String>, body: &str, faults: &mut Faults<'_>) -> Self {
        let known = StatusCode::from_u16(status).ok().filter(|_| (200..=599).contains(&status));
        faults.expect(known.is_some(), "action.status", "routes.status_invalid", "Give a status of 200 to 599.");
        let bodyless = [204, 205, 304].contains(&status) && !body.is_empty();
        faults.expect(!bodyless, "action.body", "routes.body_refused", "An answer with this status has no body.");
        let set = |(name, value): (&String, &String)| HeaderRule::Set { name: name.clone(), value: value.clone() };
        let rules: Vec<HeaderRule> = headers.iter().map(set).collect();
        let mut ready = HeaderMap::new();
        if !body.is_empty() {
            ready.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        }
        HeaderRules::new(&rules, "action.headers", faults).apply(&mut ready);
        let body = Bytes::copy_from_slice(body.as_bytes());
        Self { status: known.unwrap_or(StatusCode::OK), headers: ready, body }
    }

    pub fn answer(&self) -> Response<Bytes> {
        let mut answer = Response::new(self.body.clone());
        *answer.status_mut() = self.status;
        *answer.headers_mut() = self.headers.clone();
        answer
    }
}

impl Maintenance {
    /// The refusal for a client that is not among the allowed addresses.
    pub fn answer(&self, client: IpAddr) -> Option<Response<Bytes>> {
        if self.allowed.iter().any(|network| network.contains(&client)) {
            return None;
        }
        let mut answer = Response::new(Bytes::copy_from_slice(self.message.as_bytes()));
        *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        let headers = answer.headers_mut();
        headers.insert(header::RETRY_AFTER, HeaderValue::from(self.retry_after_seconds));
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Some(answer)
    }
}

impl Addresses {
    /// Whether a client may ask.
    pub fn admits(&self, client: IpAddr) -> bool {
        let client = client.to_canonical();
        let within = |networks: &[ipnet::IpNet]| networks.iter().any(|network| network.contains(&client));
        !within(&self.deny) && (self.allow.is_empty() || within(&self.allow))
    }
}
