//! One attempt at one target, and what becomes of its answer.

use std::{future::poll_fn, sync::Arc, task::Poll};

use http::{HeaderValue, Request, Response, StatusCode, Version, response};
use hyper::{body::Incoming, upgrade::OnUpgrade};
use sync_wrapper::SyncWrapper;
use tokio::time::Instant;

use super::{Core, pick::Tried};
use crate::{
    balance::Key,
    body::{Open, Source, UpstreamBody},
    error::{Fault, Phase, UpstreamError},
    exchange::{Failure, HeadWatch, Http1, Http2, Outgoing, Timer},
    forwarding::ServedBy,
    headers::{self, Manner, Rewritten},
    shed::Admission,
    target::{Demand, Lease, Ready},
};

/// How often a request may find that the connection it was to go on has just been closed. That costs no budget.
const STALE: u32 = 3;

/// A request that can be sent.
pub(super) struct Parcel {
    pub(super) head: Rewritten,
    pub(super) body: Outgoing,
}

/// What a request knows over all its attempts.
pub(super) struct Journey {
    pub(super) key: Option<Key>,
    /// When the head of the answer must be there, whatever is tried.
    until: Option<Instant>,
    /// When the whole answer must be.
    whole: Option<Instant>,
    watch: HeadWatch,
    upgrade: Option<HeaderValue>,
    pub(super) tried: Tried,
    /// Attempts left after this one.
    pub(super) left: u32,
    pub(super) stale: u32,
    /// This is not the first attempt.
    pub(super) retries: bool,
}

/// An attempt without an answer.
pub(super) struct Missed {
    pub(super) fault: Fault,
    /// The request, if nothing of it was sent.
    pub(super) parcel: Option<Parcel>,
    /// The connection had just been closed, which is nobody's fault.
    pub(super) stale: bool,
}

/// An answer, and where it came from.
pub(super) struct Arrival {
    pub(super) answer: Response<Incoming>,
    source: Source,
}

impl Journey {
    pub(super) fn new(
        key: Option<Key>,
        until: Option<Instant>,
        whole: Option<Instant>,
        watch: HeadWatch,
        head: &Rewritten,
        left: u32,
    ) -> Self {
        let upgrade = head.manner.upgrade.clone();
        Self { key, until, whole, watch, upgrade, tried: Tried::default(), left, stale: STALE, retries: false }
    }

    /// What to send if the attempt fails, where that is the same as sending it once.
    pub(super) fn copy(&self, head: &Rewritten) -> Option<Parcel> {
        (self.left > 0 && head.repeatable()).then(|| Parcel { head: head.clone(), body: Outgoing::Empty })
    }

    /// Begins another attempt.
    pub(super) fn again(&mut self, parcel: Parcel) -> Parcel {
        self.left -= 1;
        self.retries = true;
        parcel
    }
}

impl Missed {
    fn new(failure: Failure, manner: Manner, reused: bool) -> Self {
        let stale = reused && failure.unsent.is_some();
        let parcel = failure.unsent.map(|request| {
            let (head, body) = request.into_parts();
            Parcel { head: Rewritten::unsent(head, manner), body }
        });
        Self { fault: failure.fault, parcel, stale }
    }

    fn host(parcel: Option<Parcel>) -> Self {
        let fault = Fault::new(UpstreamError::NotForwardable, "the host is not valid for the upstream's protocol");
        Self { fault, parcel, stale: false }
    }
}

impl Core {
    pub(super) async fn attempt(
        &self,
        lease: &mut Lease,
        parcel: Parcel,
        journey: &mut Journey,
    ) -> Result<Arrival, Missed> {
        let target = Arc::clone(&lease.target);
        let latest = Instant::now() + self.config.timeouts.connect;
        let deadline = journey.until.map_or(latest, |until| until.min(latest));
        let once = !parcel.head.repeatable();
        let demand = Demand { upgrade: journey.upgrade.is_some(), once, deadline };
        let ready = match target.ready(lease, demand).await {
            Ok(ready) => ready,
            Err(fault) => {
                let fault = if journey.until.is_some_and(|until| until <= Instant::now()) {
                    Fault { error: UpstreamError::Timeout(Phase::Whole), ..fault }
                } else {
                    fault
                };
                return Err(Missed { fault, parcel: Some(parcel), stale: false });
            }
        };
        journey.watch.restart(Instant::now());
        let place = &target.key.place;
        match ready {
            Ready::Http1 { connection, reused } => {
                over_http1(connection, reused, parcel, &place.authority, &mut journey.watch).await
            }
            Ready::Http2(stream) => {
                over_http2(stream, parcel, place.scheme(), &place.authority, &mut journey.watch).await
            }
        }
    }

    /// Makes the client's answer out of the upstream's.
    pub(super) async fn arrive(
        self: &Arc<Self>,
        mut lease: Lease,
        arrival: Arrival,
        journey: &mut Journey,
        admission: Admission,
    ) -> Result<Response<UpstreamBody>, UpstreamError> {
        lease.admit(admission);
        let (mut head, incoming) = arrival.answer.into_parts();
        head.version = Version::HTTP_11;
        let upgrade = head.extensions.remove::<OnUpgrade>();
        head.extensions.clear();
        head.extensions.insert(ServedBy(Arc::clone(&lease.target.name)));
        if head.status == StatusCode::SWITCHING_PROTOCOLS {
            let target = Arc::clone(&lease.target);
            let switched = switch(head, upgrade, arrival.source, lease, journey).await;
            return switched.map_err(|fault| {
                self.failed(&target, &fault.detail);
                fault.error
            });
        }
        headers::clean(&mut head);
        let body = UpstreamBody::new(Open {
            incoming,
            source: arrival.source,
            silence: self.config.timeouts.between_frames,
            whole: journey.whole,
            waiting_since: None,
            lease,
            core: Arc::clone(self),
        });
        Ok(Response::from_parts(head, body))
    }
}

async fn over_http1(
    mut connection: Box<Http1>,
    reused: bool,
    parcel: Parcel,
    authority: &str,
    watch: &mut HeadWatch,
) -> Result<Arrival, Missed> {
    let manner = parcel.head.manner.clone();
    let Some(head) = parcel.head.for_http1(authority) else { return Err(Missed::host(None)) };
    let request = Request::from_parts(head, parcel.body);
    match connection.exchange(request, watch).await {
        Ok(answer) => Ok(Arrival { answer, source: Source::Http1(SyncWrapper::new(connection)) }),
        Err(failure) => Err(Missed::new(failure, manner, reused)),
    }
}

async fn over_http2(
    mut http2: Http2,
    parcel: Parcel,
    scheme: &str,
    authority: &str,
    watch: &mut HeadWatch,
) -> Result<Arrival, Missed> {
    let manner = parcel.head.manner.clone();
    let Some(head) = parcel.head.for_http2(scheme, authority) else { return Err(Missed::host(None)) };
    match http2.exchange(Request::from_parts(head, parcel.body), watch).await {
        Ok(answer) => {
            let source = Source::Http2 { timer: Timer::default(), _stream: http2.stream };
            Ok(Arrival { answer, source })
        }
        Err(failure) => Err(Missed::new(failure, manner, true)),
    }
}

/// Hands the connection of a 101 over, if that is what was asked for (RFC 9110, section 7.8).
async fn switch(
    mut head: response::Parts,
    upgrade: Option<OnUpgrade>,
    source: Source,
    lease: Lease,
    journey: &mut Journey,
) -> Result<Response<UpstreamBody>, Fault> {
    let senseless = || Fault::new(UpstreamError::Answer, "101 without having been asked for that protocol");
    let (Some(upgrade), Some(asked), Source::Http1(connection)) = (upgrade, &journey.upgrade, source) else {
        return Err(senseless());
    };
    if !headers::switched(&mut head, asked) {
        return Err(senseless());
    }
    let mut connection = connection.into_inner();
    let released = poll_fn(|cx| {
        if connection.released(cx) {
            return Poll::Ready(Ok(()));
        }
        match journey.watch.expired(&mut connection.timer, cx) {
            Some(phase) => Poll::Ready(Err(Fault::new(UpstreamError::Timeout(phase), "the upgrade took too long"))),
            None => Poll::Pending,
        }
    });
    released.await?;
    connection.strings.keep(lease);
    head.extensions.insert(upgrade);
    Ok(Response::from_parts(head, UpstreamBody::empty()))
}
