//! Changes of headers.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::{modifiers::HeaderRule, problem::Faults};

/// Headers that frame messages or belong to one connection: the edge's own business.
const OF_THE_EDGE: [HeaderName; 11] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::HOST,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::EXPECT,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("http2-settings"),
];

/// What begins so tells services who asks, and only the edge says that.
const IDENTITY: &str = "holdfast-identity";

/// Rules, ready, applied in their order.
#[derive(Clone, Debug, Default)]
pub struct HeaderRules(Vec<Ready>);

#[derive(Clone, Debug)]
enum Ready {
    Set(HeaderName, HeaderValue),
    Add(HeaderName, HeaderValue),
    Remove(HeaderName),
}

impl HeaderRules {
    pub(crate) fn new(rules: &[HeaderRule], field: &str, faults: &mut Faults<'_>) -> Self {
        let mut ready = Vec::with_capacity(rules.len());
        for (at, rule) in rules.iter().enumerate() {
            match prepare(rule) {
                Ok(rule) => ready.push(rule),
                Err((code, sentence)) => faults.add(&format!("{field}[{at}]"), code, sentence),
            }
        }
        Self(ready)
    }

    pub fn apply(&self, headers: &mut HeaderMap) {
        for rule in &self.0 {
            match rule {
                Ready::Set(name, value) => drop(headers.insert(name, value.clone())),
                Ready::Add(name, value) => {
                    headers.append(name, value.clone());
                }
                Ready::Remove(name) => drop(headers.remove(name)),
            }
        }
    }
}

fn prepare(rule: &HeaderRule) -> Result<Ready, (&'static str, String)> {
    let (name, value) = match rule {
        HeaderRule::Set { name, value } | HeaderRule::Add { name, value } => (name, value.as_str()),
        HeaderRule::Remove { name } => (name, ""),
    };
    let name = copied(name)?;
    let value = HeaderValue::from_str(value).map_err(|_| {
        ("routes.header_invalid", format!("The value for {name} has characters that no header may have."))
    })?;
    Ok(match rule {
        HeaderRule::Set { .. } => Ready::Set(name, value),
        HeaderRule::Add { .. } => Ready::Add(name, value),
        HeaderRule::Remove { .. } => Ready::Remove(name),
    })
}

/// A header that a route or a service that it asks may write.
pub(crate) fn copied(name: &str) -> Result<HeaderName, (&'static str, String)> {
    let name = header_name(name)?;
    if OF_THE_EDGE.contains(&name) || name.as_str().starts_with(IDENTITY) {
        return Err(("routes.header_refused", format!("The edge itself writes {name}; leave it out.")));
    }
    Ok(name)
}

pub(crate) fn header_name(name: &str) -> Result<HeaderName, (&'static str, String)> {
    HeaderName::try_from(name).map_err(|_| ("routes.header_invalid", format!("{name:?} is no header name.")))
}
