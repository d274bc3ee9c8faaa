//! Who asks whom: the tenant by host or header, the caller by credential.

use std::sync::Arc;
use std::time::Duration;

use gateway::EdgeInfo;
use http::{HeaderMap, HeaderValue, Method, header};
use identity::{Credential, Identity};
use kernel::{Caller, Kind, Problem, RequestContext};
use tenancy::{Tenancy, TenantRef};

/// Names the tenant on the shared host.
const TENANT_HEADER: &str = "holdfast-tenant";
/// Makes a repeated write harmless.
const IDEMPOTENCY_HEADER: &str = "idempotency-key";
/// How long the client wants to wait, in seconds.
const TIMEOUT_HEADER: &str = "request-timeout";

/// Finds out who asks. Cheap to clone.
#[derive(Clone)]
pub struct Identify {
    tenancy: Tenancy,
    identity: Identity,
    usual_time: Duration,
    longest_time: Duration,
}

/// What is known about a request before it is routed.
pub struct Identification {
    /// The tenant that is asked; `None` when it does not exist.
    pub tenant: Option<TenantRef>,
    /// Who asks, or why that can't be told.
    pub caller: Result<Caller, Problem>,
}

impl Identify {
    /// Looks into these modules; times are the usual and the longest deadline.
    pub const fn new(tenancy: Tenancy, identity: Identity, usual_time: Duration, longest_time: Duration) -> Self {
        Self { tenancy, identity, usual_time, longest_time }
    }

    /// Identifies the caller of a request.
    pub async fn request(&self, method: &Method, headers: &HeaderMap, edge: &EdgeInfo) -> Identification {
        self.identified(method, headers, edge, || self.context(headers, edge)).await
    }

    /// The same for a request that another service answers: time and idempotency are that service's business.
    pub async fn visitor(&self, method: &Method, headers: &HeaderMap, edge: &EdgeInfo) -> Identification {
        self.identified(method, headers, edge, || Ok(plain_context(headers, edge, self.usual_time))).await
    }

    async fn identified(
        &self,
        method: &Method,
        headers: &HeaderMap,
        edge: &EdgeInfo,
        context: impl FnOnce() -> Result<RequestContext, Problem>,
    ) -> Identification {
        let found = self.tenant(headers, edge).await;
        let tenant = found.as_ref().ok().cloned();
        let caller = match (found, context()) {
            (Ok(tenant), Ok(request)) => self.caller(&tenant, method, headers, request).await,
            (Err(problem), _) | (_, Err(problem)) => Err(problem),
        };
        Identification { tenant, caller }
    }

    /// The tenant of a request: the host's, or on the shared host the header's, or the system's.
    ///
    /// # Errors
    /// 404 when there is none of that name.
    pub async fn tenant(&self, headers: &HeaderMap, edge: &EdgeInfo) -> Result<TenantRef, Problem> {
        let host = edge.host.as_deref().unwrap_or_default();
        if !self.tenancy.is_shared_host(host) {
            return self.tenancy.resolve_host(host).await?.ok_or_else(Problem::not_found);
        }
        let name = match headers.get(TENANT_HEADER) {
            Some(value) => value.to_str().map_err(|_| Problem::not_found())?,
            None => "system",
        };
        self.tenancy.resolve_name(name).await?.ok_or_else(Problem::not_found)
    }

    async fn caller(
        &self,
        tenant: &TenantRef,
        method: &Method,
        headers: &HeaderMap,
        request: RequestContext,
    ) -> Result<Caller, Problem> {
        match credential(headers)? {
            None => {
                tenant.require_active()?;
                Ok(Caller::anonymous(tenant.id, request))
            }
            Some(found) => {
                if matches!(found, Credential::Cookie(_)) && !method.is_safe() {
                    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok());
                    identity::csrf_safe(headers, host.unwrap_or_default())?;
                }
                self.identity.authenticate(tenant, found, request).await
            }
        }
    }

    fn context(&self, headers: &HeaderMap, edge: &EdgeInfo) -> Result<RequestContext, Problem> {
        let mut request = plain_context(headers, edge, self.time(headers)?);
        request.idempotency_key = idempotency_key(headers)?;
        Ok(request)
    }

    fn time(&self, headers: &HeaderMap) -> Result<Duration, Problem> {
        let Some(value) = headers.get(TIMEOUT_HEADER) else { return Ok(self.usual_time) };
        let seconds = value.to_str().ok().and_then(|text| text.trim().parse::<f64>().ok());
        seconds
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .filter(|time| !time.is_zero())
            .map(|time| time.min(self.longest_time))
            .ok_or_else(|| {
                Problem::field(
                    "Request-Timeout",
                    "kernel.timeout_invalid",
                    "Request-Timeout is a number of seconds above 0.",
                )
            })
    }
}

fn plain_context(headers: &HeaderMap, edge: &EdgeInfo, time: Duration) -> RequestContext {
    let mut request = RequestContext::new(edge.request_id.as_str(), time);
    request.address = Some(edge.client_addr);
    request.host.clone_from(&edge.host);
    request.user_agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).map(Arc::from);
    request
}

/// The credential that came with a request; the bearer token goes before the cookie.
fn credential(headers: &HeaderMap) -> Result<Option<Credential<'_>>, Problem> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let text = value.to_str().map_err(|_| Problem::unauthenticated())?;
        let (scheme, token) = text.split_once(' ').ok_or_else(Problem::unauthenticated)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Problem::unauthenticated());
        }
        return Ok(Some(Credential::Bearer(token.trim())));
    }
    Ok(cookie(headers).map(Credential::Cookie))
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == identity::SESSION_COOKIE && !value.is_empty()).then_some(value))
}

/// Takes the session's cookie off a request, before other services see it.
pub fn conceal(headers: &mut HeaderMap) {
    let name = |pair: &[u8]| pair.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii().to_owned();
    let ours = |pair: &[u8]| name(pair) == identity::SESSION_COOKIE.as_bytes();
    let pairs = |value: &HeaderValue| value.as_bytes().split(|byte| *byte == b';').any(ours);
    if !headers.get_all(header::COOKIE).iter().any(pairs) {
        return;
    }
    let header::Entry::Occupied(found) = headers.entry(header::COOKIE) else { return };
    let (_, values) = found.remove_entry_mult();
    let kept: Vec<HeaderValue> = values
        .filter_map(|value| {
            let pairs = value.as_bytes().split(|byte| *byte == b';').filter(|pair| !ours(pair));
            let left = pairs.map(<[u8]>::trim_ascii).collect::<Vec<_>>().join(&b"; "[..]);
            (!left.is_empty()).then(|| HeaderValue::from_bytes(&left).ok()).flatten()
        })
        .collect();
    for value in kept {
        headers.append(header::COOKIE, value);
    }
}

/// 1 to 255 printable characters of ASCII.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<Arc<str>>, Problem> {
    let Some(value) = headers.get(IDEMPOTENCY_HEADER) else { return Ok(None) };
    match value.to_str() {
        Ok(key) if (1..=255).contains(&key.len()) => Ok(Some(Arc::from(key))),
        _ => Err(Problem::new(
            Kind::Invalid,
            "kernel.idempotency_key_invalid",
            "An Idempotency-Key has 1 to 255 printable characters.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_goes_and_other_cookies_stay() {
        let mut headers = HeaderMap::new();
        for value in ["a=1; __Host-holdfast_session=secret; b=2", " __Host-holdfast_session =secret", "c=\u{fc}"] {
            headers.append(header::COOKIE, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }

        conceal(&mut headers);

        let left: Vec<_> = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
        assert_eq!(left, [&b"a=1; b=2"[..], "c=\u{fc}".as_bytes()]);
    }
}
