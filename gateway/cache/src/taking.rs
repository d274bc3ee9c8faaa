//! What becomes of an origin's answer: confirmed, replaced, stored while it comes in, or handed on.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::{Response, StatusCode, response};

use crate::{
    answer,
    body::CacheBody,
    cache_status::Status,
    fill::Fill,
    flights::{Coming, Lead, Stage},
    spool::Spool,
    stored::{Head, Stored},
    storing::{Asking, head_freshened, head_to_store},
    visit::{OriginBody, Visit, passed},
};

/// How long requests for a target go by themselves after an answer that could not be shared.
const APART: Duration = Duration::from_secs(10);
/// An origin's failures for which a stale answer may stand in (RFC 5861, section 4).
const FAILURES: [StatusCode; 4] = [
    StatusCode::INTERNAL_SERVER_ERROR,
    StatusCode::BAD_GATEWAY,
    StatusCode::SERVICE_UNAVAILABLE,
    StatusCode::GATEWAY_TIMEOUT,
];

impl Visit {
    /// Takes the answer of the origin, asked at `asked` whether `stored` still holds.
    pub(crate) fn take<D: OriginBody>(
        self,
        lead: Lead,
        stored: Option<Arc<Stored>>,
        answer: Response<D>,
        asked: SystemTime,
    ) -> Response<CacheBody<D>> {
        let received = self.inner.clock.now();
        let (head, body) = answer.into_parts();
        if let Some(stored) = stored {
            if head.status == StatusCode::NOT_MODIFIED {
                return self.confirm(&lead, &stored, &head, (asked, received));
            }
            let covers = || stored.head.freshness.covers_error(&self.directives, received, stored.head.purged());
            if FAILURES.contains(&head.status) && covers() {
                return self.stand_in(&lead, &stored, head.status, received);
            }
            if !head.status.is_server_error() {
                self.inner.memory.take_out(&self.key, &stored);
            }
        }
        self.inner.counters.misses.add(1);
        match head_to_store(&self.asking((asked, received)), &head) {
            Ok(kept) => self.store(lead, kept, head, body, received),
            Err(reason) => self.set_apart(&lead, Response::from_parts(head, body), reason, received),
        }
    }

    fn asking(&self, (asked, received): (SystemTime, SystemTime)) -> Asking<'_> {
        Asking {
            scope: &self.scope,
            policy: &self.policy,
            request: &self.request.headers,
            directives: &self.directives,
            asked,
            received,
        }
    }

    /// The stored answer holds.
    fn confirm<D>(
        self,
        lead: &Lead,
        stored: &Arc<Stored>,
        not_modified: &response::Parts,
        times: (SystemTime, SystemTime),
    ) -> Response<CacheBody<D>> {
        let mut status = Status { answered: Some(304), ..Status::forward(self.reason) };
        self.inner.counters.revalidated.add(1);
        let current = match head_freshened(&self.asking(times), &stored.head, not_modified) {
            Ok(head) => {
                let fresh = Arc::new(Stored { head: Arc::new(head), body: stored.body.clone() });
                status.stored = self.inner.commit(lead, &fresh);
                let shareable = fresh.head.freshness.is_shareable(times.1);
                lead.announce(if shareable { Stage::Settled(Arc::clone(&fresh)) } else { Stage::Apart });
                fresh
            }
            Err(reason) => {
                status.detail = Some(reason);
                self.inner.memory.take_out(&self.key, stored);
                lead.announce(Stage::Apart);
                Arc::clone(stored)
            }
        };
        status.ttl = Some(current.head.freshness.ttl(times.1));
        answer::from_stored(&self.request, &self.policy, &current, times.1, &status)
    }

    /// The origin fails; what is stored must do.
    fn stand_in<D>(
        self,
        lead: &Lead,
        stored: &Arc<Stored>,
        failure: StatusCode,
        now: SystemTime,
    ) -> Response<CacheBody<D>> {
        self.inner.counters.stale_hits.add(1);
        lead.announce(Stage::Settled(Arc::clone(stored)));
        let ttl = Some(stored.head.freshness.ttl(now));
        let answered = Some(failure.as_u16());
        let status = Status { answered, ttl, detail: Some("stale-if-error"), ..Status::forward(self.reason) };
        answer::from_stored(&self.request, &self.policy, stored, now, &status)
    }

    /// Stores the answer while it comes in, if there is room for it.
    fn store<D: OriginBody>(
        self,
        lead: Lead,
        kept: Head,
        head: response::Parts,
        body: D,
        now: SystemTime,
    ) -> Response<CacheBody<D>> {
        let limit = self.policy.max_object_bytes.min(self.inner.config.max_object_bytes);
        let length = answer::length_of(&head.headers).or(body.size_hint().exact());
        if length.is_some_and(|length| length > limit) {
            return self.set_apart(&lead, Response::from_parts(head, body), "too-large", now);
        }
        let Some(share) = self.inner.budget.share(length.unwrap_or_default()) else {
            return self.set_apart(&lead, Response::from_parts(head, body), "busy", now);
        };
        let ttl = Some(kept.freshness.ttl(now));
        let status = Status { stored: true, ttl, ..Status::forward(self.reason) };
        let spool = Arc::new(Spool::default());
        let Some(reader) = spool.reader() else {
            return self.set_apart(&lead, Response::from_parts(head, body), "busy", now);
        };
        let kept = Arc::new(kept);
        let shareable = kept.freshness.is_shareable(now);
        let coming = Arc::new(Coming { head: Arc::clone(&kept), spool: Arc::clone(&spool) });
        lead.announce(if shareable { Stage::Coming(coming) } else { Stage::Apart });
        let fill = Fill { inner: Arc::clone(&self.inner), lead, head: Arc::clone(&kept), spool, share, limit, length };
        self.inner.tasks.spawn(fill.run(body));
        answer::from_coming(&self.request, &self.policy, &kept, reader, None, &status)
    }

    /// Hands the answer to this request alone.
    fn set_apart<D>(
        self,
        lead: &Lead,
        answer: Response<D>,
        reason: &'static str,
        now: SystemTime,
    ) -> Response<CacheBody<D>> {
        if lead.is_awaited() {
            self.inner.memory.set_apart(&self.key, now + APART);
        }
        lead.announce(Stage::Apart);
        passed(answer, &self.policy, &Status { detail: Some(reason), ..Status::forward(self.reason) })
    }
}
