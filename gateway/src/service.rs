//! One request, from the parser to the application and back.

use std::{any::Any, net::SocketAddr, panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version, header, request};

use crate::{
    app::{App, ClientCertificate, EdgeInfo, ListenerKind, RequestId, ResponseBody, Scheme},
    body::EdgeBody,
    edge::Inner,
    exchange::Exchange,
    forwarded::Client,
    framing::{check_method, plain_number},
    host::{host_of, same_authority},
    journal::{Draft, Particulars},
    leftover::Leftover,
    limits::{Charges, Standing},
    refusal::Refusal,
    source::Source,
    trace::TraceContext,
    tracked::Tracked,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What all requests of one connection share.
pub(crate) struct Service<A> {
    pub(crate) edge: Arc<Inner>,
    pub(crate) app: Arc<A>,
    pub(crate) exchange: Arc<Exchange>,
    pub(crate) peer: SocketAddr,
    pub(crate) local: SocketAddr,
    pub(crate) kind: ListenerKind,
    pub(crate) sni: Option<Arc<str>>,
    pub(crate) certificate: Option<ClientCertificate>,
    /// HTTP/2 or HTTP/3.
    pub(crate) multiplexed: bool,
    /// Says where HTTP/3 is spoken.
    pub(crate) alt_svc: Option<HeaderValue>,
}

/// A request that comes in, while it is decided whether it may.
struct Coming {
    client: Client,
    request_id: RequestId,
    trace: TraceContext,
    standing: Standing,
    draft: Draft,
}

impl<A: App> Service<A> {
    pub(crate) async fn handle(&self, request: Request<impl Into<Source>>) -> Response<Tracked> {
        let (number, flight) = self.exchange.call();
        let refused = self.exchange.refused(number);
        let (mut head, incoming) = request.into_parts();
        let incoming = incoming.into();
        let client = self.edge.proxies.client(self.peer.ip(), &mut head.headers);
        let mut coming = self.coming(&mut head, client);
        let upgrade = !self.multiplexed && head.headers.contains_key(header::UPGRADE);
        let expects = head.headers.contains_key(header::EXPECT);
        let leftover = Leftover::default();

        let admitted = match refused {
            Some(refusal) => Err(refusal),
            None => self.admit(&mut head, &mut coming),
        };
        let Coming { request_id, mut standing, draft, .. } = coming;
        let mut response = match admitted {
            Ok(limit) => {
                let body = EdgeBody::new(incoming, leftover.clone(), limit, self.edge.pace);
                self.call(Request::from_parts(head, body), &request_id).await
            }
            Err(refusal) => {
                leftover.leave(incoming);
                self.refuse(refusal, &request_id)
            }
        };

        if upgrade {
            self.exchange.decide_upgrade(number, response.status() == StatusCode::SWITCHING_PROTOCOLS);
        }
        if let Some(charges) = response.extensions_mut().remove::<Charges>() {
            standing.join(charges);
        }
        let particulars = response.extensions_mut().remove::<Particulars>().unwrap_or_default();
        let record = draft.answered(response.status().as_u16(), particulars, standing.outcome());
        let headers = response.headers_mut();
        headers.insert(REQUEST_ID, request_id.header_value());
        self.edge.limits.describe(&standing, headers);
        if let Some(alt_svc) = self.alt_svc.as_ref().filter(|_| !self.edge.is_draining()) {
            headers.entry(header::ALT_SVC).or_insert_with(|| alt_svc.clone());
        }
        if !upgrade && !headers.contains_key(header::CONNECTION) && self.closes(expects, &leftover).await {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response.map(|body| Tracked::new(body, flight, self.multiplexed, record))
    }

    /// Names it, charges it to its address, and begins to note it; requests of the operators' listener are not noted.
    fn coming(&self, head: &mut request::Parts, client: Client) -> Coming {
        let request_id = identify(&mut head.headers);
        let trace = TraceContext::of(&head.headers);
        let journal = self.edge.journal.as_ref().filter(|_| self.kind != ListenerKind::Ops);
        let draft = Draft::begin(journal, head, (client.address, self.scheme(client)), &request_id, trace);
        Coming { client, request_id, trace, standing: self.charge_address(client), draft }
    }

    fn scheme(&self, client: Client) -> Scheme {
        let own = if self.kind == ListenerKind::Https { Scheme::Https } else { Scheme::Http };
        client.scheme.unwrap_or(own)
    }

    fn charge_address(&self, client: Client) -> Standing {
        match self.kind {
            ListenerKind::Ops => Standing::default(),
            ListenerKind::Http | ListenerKind::Https => self.edge.limits.charge_address(client.address),
        }
    }

    /// All that stands between a request and the application; the largest body it may send.
    fn admit(&self, head: &mut request::Parts, coming: &mut Coming) -> Result<u64, Refusal> {
        if self.multiplexed {
            check_multiplexed(head)?;
            self.check_size(head)?;
        }
        let host = self.host(head)?;
        coming.draft.asks(host.as_ref());
        if self.kind != ListenerKind::Ops
            && let Some(key) = self.app.rate_key(head)
        {
            self.edge.limits.charge_key(&mut coming.standing, key);
            coming.draft.shows(key);
        }
        if coming.standing.refused() {
            return Err(Refusal::TooManyRequests);
        }
        head.extensions.insert(EdgeInfo {
            client_addr: coming.client.address,
            peer_addr: self.peer,
            local_addr: self.local,
            scheme: self.scheme(coming.client),
            host,
            sni: self.sni.clone(),
            client_certificate: self.certificate.clone(),
            request_id: coming.request_id.clone(),
            trace: coming.trace,
            listener: self.kind,
            route: None,
        });
        self.app.prepare(head);
        let limit = self.app.max_body_bytes(head).unwrap_or(self.edge.config.max_body_bytes);
        if let Some(length) = head.headers.get(header::CONTENT_LENGTH)
            && plain_number(length.as_bytes())? > limit
        {
            return Err(Refusal::BodyTooLarge);
        }
        Ok(limit)
    }

    /// What the HTTP/1 guard counts as it reads.
    fn check_size(&self, head: &request::Parts) -> Result<(), Refusal> {
        if head.headers.len() > self.edge.config.max_headers {
            return Err(Refusal::TooManyHeaders);
        }
        if head.version == Version::HTTP_3 && fields_size(&head.headers) > self.edge.config.max_header_bytes {
            return Err(Refusal::HeadTooLarge);
        }
        let target = head.uri.path_and_query().map_or(0, |target| target.as_str().len());
        if target > self.edge.config.max_target_bytes { Err(Refusal::TargetTooLong) } else { Ok(()) }
    }

    /// The host asked for, in lower case. On HTTP/2 and HTTP/3 the authority becomes the one `Host` field. A request that came
    /// over a TLS connection for another name is misdirected (RFC 9110, section 7.4).
    fn host(&self, head: &mut request::Parts) -> Result<Option<Arc<str>>, Refusal> {
        if self.multiplexed {
            unite_authority(head)?;
        }
        let named = match (head.headers.get(header::HOST), head.uri.authority()) {
            (Some(host), _) => host.as_bytes(),
            (None, Some(authority)) => authority.as_str().as_bytes(),
            (None, None) => return Ok(None),
        };
        let host = host_of(named).ok_or(Refusal::HostInvalid)?;
        if self.sni.as_deref().is_some_and(|sni| !sni.eq_ignore_ascii_case(host)) {
            return Err(Refusal::Misdirected);
        }
        Ok(Some(if host.bytes().any(|b| b.is_ascii_uppercase()) {
            host.to_ascii_lowercase().into()
        } else {
            host.into()
        }))
    }

    async fn call(&self, request: Request<EdgeBody>, request_id: &RequestId) -> Response<ResponseBody> {
        AssertUnwindSafe(self.app.call(request)).catch_unwind().await.unwrap_or_else(|panic| {
            tracing::error!(
                request_id = request_id.as_str(),
                panic = panic_message(&*panic),
                "the application panicked"
            );
            self.refuse(Refusal::Panicked, request_id)
        })
    }

    /// Whether this is the connection's last answer.
    async fn closes(&self, expects: bool, leftover: &Leftover) -> bool {
        !self.multiplexed && (self.edge.is_draining() || !leftover.clear(!expects).await)
    }

    fn refuse(&self, refusal: Refusal, request_id: &RequestId) -> Response<ResponseBody> {
        let mut response = refusal.response(request_id);
        if !self.multiplexed && !refusal.keeps_connection() {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// Takes over a sane `X-Request-Id`, else mints one; the application sees the same as the client.
fn identify(headers: &mut HeaderMap) -> RequestId {
    let given = headers.get(REQUEST_ID).and_then(RequestId::accept);
    let request_id = given.unwrap_or_else(RequestId::mint);
    headers.insert(REQUEST_ID, request_id.header_value());
    request_id
}

/// What the HTTP/1 guard has done already for the other protocols (RFC 9113, section 8.2 and 8.3; RFC 9114, section 4.2).
fn check_multiplexed(head: &request::Parts) -> Result<(), Refusal> {
    check_method(head.method.as_str())?;
    if head.uri.path() == "*" {
        let refusal = if head.method == Method::OPTIONS { Refusal::MethodNotAllowed } else { Refusal::Target };
        return Err(refusal);
    }
    let connection_fields = [
        header::CONNECTION,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
        HeaderName::from_static("keep-alive"),
        HeaderName::from_static("proxy-connection"),
    ];
    let other_te = head.headers.get_all(header::TE).iter().any(|te| te != "trailers");
    if other_te || connection_fields.iter().any(|name| head.headers.contains_key(name)) {
        return Err(Refusal::ConnectionField);
    }
    let mut lengths = head.headers.get_all(header::CONTENT_LENGTH).iter();
    if let (Some(_), Some(_)) = (lengths.next(), lengths.next()) {
        return Err(Refusal::LengthTwice);
    }
    Ok(())
}

/// As HTTP/2, which has looked before, and HTTP/3 reckon it (RFC 9114, section 4.2.2).
fn fields_size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum()
}

fn unite_authority(head: &mut request::Parts) -> Result<(), Refusal> {
    let mut hosts = head.headers.get_all(header::HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(Refusal::HostTwice);
    }
    let Some(authority) = head.uri.authority() else {
        return if host.is_some() { Ok(()) } else { Err(Refusal::HostMissing) };
    };
    let authority = authority.as_str();
    if host.is_some_and(|host| !same_authority(host.as_bytes(), authority.as_bytes(), "")) {
        return Err(Refusal::HostMismatch);
    }
    let value = HeaderValue::from_str(authority).map_err(|_| Refusal::HostInvalid)?;
    head.headers.insert(header::HOST, value);
    Ok(())
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
