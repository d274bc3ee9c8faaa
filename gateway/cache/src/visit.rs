//! One request that goes through the cache: looked up, waited for, or fetched.

use std::{error::Error, sync::Arc, time::SystemTime};

use bytes::Bytes;
use http::{HeaderName, Method, Request, Response, header, request};
use http_body::Body;
use tokio::time::timeout;

use crate::{
    answer,
    body::CacheBody,
    cache::Inner,
    cache_status::{Forward, Status},
    directives::RequestDirectives,
    flights::{Lead, Seat, Stage},
    freshness::Reuse,
    key::Key,
    memory::Resource,
    policy::Policy,
    precondition,
    scope::Scope,
    stored::Stored,
    vary::Selection,
};

/// How often a request looks for somebody to wait for, before it goes on by itself.
const MOST_TURNS: usize = 4;

/// The body that an origin may answer with.
pub(crate) trait OriginBody:
    Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>> + Send> + Send + Unpin + 'static
{
}
impl<D> OriginBody for D where
    D: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>> + Send> + Send + Unpin + 'static
{
}

/// A request on its way.
pub(crate) struct Visit {
    pub(crate) inner: Arc<Inner>,
    pub(crate) scope: Scope,
    pub(crate) policy: Arc<Policy>,
    pub(crate) key: Arc<Key>,
    pub(crate) directives: RequestDirectives,
    /// As the client sent it.
    pub(crate) request: request::Parts,
    /// Why the origin is asked.
    pub(crate) reason: Forward,
}

impl Visit {
    pub(crate) fn new(inner: &Arc<Inner>, scope: &Scope, policy: &Arc<Policy>, request: request::Parts) -> Self {
        Self {
            inner: Arc::clone(inner),
            scope: scope.clone(),
            policy: Arc::clone(policy),
            key: Arc::new(Key::new(scope, policy, &request.uri)),
            directives: RequestDirectives::parse(&request.headers, policy.honour_client),
            request,
            reason: Forward::UriMiss,
        }
    }

    /// Answers from the cache, or by way of the origin.
    pub(crate) async fn run<B, D, F, Fut>(mut self, body: B, fetch: F) -> Response<CacheBody<D>>
    where
        B: Send + 'static,
        D: OriginBody,
        F: FnOnce(Request<B>) -> Fut + Send + 'static,
        Fut: Future<Output = Response<D>> + Send + 'static,
    {
        let found = self.find().await;
        let now = self.inner.clock.now();
        let stored = found.as_ref().and_then(|resource| resource.select(&self.request.headers));
        if let Some(stored) = stored {
            let reuse = self.reuse(stored, now);
            if reuse != Reuse::Validate {
                let answer = self.hit(stored, now, reuse);
                if reuse == Reuse::WhileRevalidating {
                    self.revalidate_behind(found.as_deref(), body, fetch);
                }
                return answer;
            }
        }
        if self.directives.only_if_cached {
            return answer::nothing_stored();
        }
        self.reason = self.why(found.as_deref(), stored.is_some());
        let is_apart = found.as_ref().and_then(|found| found.apart_until).is_some_and(|until| now < until);
        let has_stored = stored.is_some();
        self.forward(found, has_stored, is_apart, body, fetch).await
    }

    /// What is stored of the target: in memory, or brought back to it.
    async fn find(&self) -> Option<Arc<Resource>> {
        let found = self.inner.memory.get(&self.key);
        let Some(disk) = &self.inner.disk else { return found };
        if found.as_ref().is_some_and(|found| found.select(&self.request.headers).is_some()) {
            return found;
        }
        disk.recall(&self.key, &self.request.headers, &self.inner.memory, &self.inner.budget).await;
        self.inner.memory.get(&self.key)
    }

    pub(crate) fn reuse(&self, stored: &Stored, now: SystemTime) -> Reuse {
        stored.head.freshness.reuse(&self.directives, now, stored.head.purged())
    }

    fn hit<D>(&self, stored: &Stored, now: SystemTime, reuse: Reuse) -> Response<CacheBody<D>> {
        let counters = &self.inner.counters;
        if reuse == Reuse::Fresh { &counters.hits } else { &counters.stale_hits }.add(1);
        let status = Status::hit(stored.head.freshness.ttl(now));
        answer::from_stored(&self.request, &self.policy, stored, now, &status)
    }

    fn why(&self, found: Option<&Resource>, has_stored: bool) -> Forward {
        let others = found.is_some_and(|resource| !resource.variants.is_empty());
        match (has_stored, others) {
            (true, _) if self.directives.no_cache || self.directives.max_age.is_some() => Forward::Request,
            (true, _) => Forward::Stale,
            (false, true) => Forward::VaryMiss,
            (false, false) => Forward::UriMiss,
        }
    }

    /// Asks the origin, or waits for the one who does.
    async fn forward<B, D, F, Fut>(
        mut self,
        found: Option<Arc<Resource>>,
        has_stored: bool,
        is_apart: bool,
        body: B,
        fetch: F,
    ) -> Response<CacheBody<D>>
    where
        B: Send + 'static,
        D: OriginBody,
        F: FnOnce(Request<B>) -> Fut + Send + 'static,
        Fut: Future<Output = Response<D>> + Send + 'static,
    {
        let is_part = self.request.headers.contains_key(header::RANGE);
        if self.request.method == Method::HEAD || (is_part && !has_stored) {
            self.reason = if is_part { Forward::Partial } else { self.reason };
            return self.pass(body, fetch).await;
        }
        let mut names = known_names(found.as_deref());
        let to_itself = is_apart
            || is_part
            || self.directives.no_cache
            || self.directives.no_store
            || self.policy.personal
            || self.request.headers.contains_key(header::AUTHORIZATION);
        for _ in 0..if to_itself { 0 } else { MOST_TURNS } {
            let selection = Selection::by(&names, &self.request.headers);
            let mut stages = match self.inner.flights.join((Arc::clone(&self.key), selection)) {
                Seat::Lead(lead) => return self.lead(lead, true, body, fetch).await,
                Seat::Follow(stages) => stages,
            };
            let answered = stages.wait_for(|stage| !matches!(stage, Stage::Asking));
            let stage = match timeout(self.policy.coalesce_wait, answered).await {
                Ok(Ok(stage)) => stage.clone(),
                Ok(Err(_)) => continue,
                Err(_) => break,
            };
            match self.follow(&stage) {
                Followed::Answered(answer) => return *answer,
                Followed::Differs(more) => names.extend(more),
                Followed::Alone => break,
                Followed::Again => {}
            }
        }
        let selection = Selection::by(&names, &self.request.headers);
        let lead = self.inner.flights.alone((Arc::clone(&self.key), selection));
        self.lead(lead, false, body, fetch).await
    }

    /// What another's answer is for this request.
    fn follow<D>(&self, stage: &Stage) -> Followed<D> {
        let now = self.inner.clock.now();
        let status = Status { collapsed: true, ..Status::forward(self.reason) };
        match stage {
            Stage::Coming(coming) if coming.head.selection.matches(&self.request.headers) => {
                let Some(reader) = coming.spool.reader() else { return Followed::Alone };
                self.inner.counters.collapsed.add(1);
                let answer = answer::from_coming(&self.request, &self.policy, &coming.head, reader, Some(now), &status);
                Followed::Answered(Box::new(answer))
            }
            Stage::Coming(coming) => Followed::Differs(coming.head.selection.names().collect()),
            Stage::Settled(stored) if stored.head.selection.matches(&self.request.headers) => {
                self.inner.counters.collapsed.add(1);
                Followed::Answered(Box::new(answer::from_stored(&self.request, &self.policy, stored, now, &status)))
            }
            Stage::Settled(stored) => Followed::Differs(stored.head.selection.names().collect()),
            Stage::Apart => Followed::Alone,
            Stage::Asking => Followed::Again,
        }
    }

    /// Asks the origin in the background, unless somebody does, or too many do.
    fn revalidate_behind<B, D, F, Fut>(mut self, found: Option<&Resource>, body: B, fetch: F)
    where
        B: Send + 'static,
        D: OriginBody,
        F: FnOnce(Request<B>) -> Fut + Send + 'static,
        Fut: Future<Output = Response<D>> + Send + 'static,
    {
        let inner = Arc::clone(&self.inner);
        let selection = Selection::by(&known_names(found), &self.request.headers);
        let Seat::Lead(lead) = inner.flights.join((Arc::clone(&self.key), selection)) else { return };
        let Ok(permit) = Arc::clone(&inner.revalidations).try_acquire_owned() else {
            inner.counters.skipped_revalidations.add(1);
            return;
        };
        self.request.method = Method::GET;
        self.reason = Forward::Stale;
        let patience = inner.config.revalidate_timeout;
        inner.tasks.spawn(async move {
            let _permit = permit;
            if timeout(patience, self.lead(lead, true, body, fetch)).await.is_err() {
                tracing::debug!("the origin did not answer a background revalidation in time");
            }
        });
    }

    /// Hands the request on as it is; the answer is not stored.
    async fn pass<B, D, F, Fut>(self, body: B, fetch: F) -> Response<CacheBody<D>>
    where
        F: FnOnce(Request<B>) -> Fut,
        Fut: Future<Output = Response<D>>,
    {
        self.inner.counters.misses.add(1);
        let answer = fetch(Request::from_parts(self.request, body)).await;
        passed(answer, &self.policy, &Status::forward(self.reason))
    }

    /// Fetches for itself and for those who wait.
    async fn lead<B, D, F, Fut>(self, lead: Lead, is_shared: bool, body: B, fetch: F) -> Response<CacheBody<D>>
    where
        D: OriginBody,
        F: FnOnce(Request<B>) -> Fut,
        Fut: Future<Output = Response<D>>,
    {
        let asked = self.inner.clock.now();
        let found = self.inner.memory.get(&self.key);
        let stored = found.as_ref().and_then(|found| found.select(&self.request.headers)).cloned();
        if let Some(stored) = stored.as_ref().filter(|stored| self.reuse(stored, asked) == Reuse::Fresh) {
            lead.announce(Stage::Settled(Arc::clone(stored)));
            return self.hit(stored, asked, Reuse::Fresh);
        }
        let mut request = self.request.clone();
        if is_shared || stored.is_some() {
            precondition::ask(&mut request.headers, stored.as_ref().map(|stored| &*stored.head));
        }
        let answer = fetch(Request::from_parts(request, body)).await;
        self.take(lead, stored, answer, asked)
    }
}

enum Followed<D> {
    Answered(Box<Response<CacheBody<D>>>),
    /// Another variant; by these names too.
    Differs(Vec<HeaderName>),
    Alone,
    Again,
}

/// The request headers by which a target is known to vary.
fn known_names(found: Option<&Resource>) -> Vec<HeaderName> {
    let variants = found.map(|resource| resource.variants.as_slice()).unwrap_or_default();
    variants.iter().flat_map(|stored| stored.head.selection.names()).collect()
}

/// An answer that goes past the cache.
pub(crate) fn passed<D>(mut answer: Response<D>, policy: &Policy, status: &Status) -> Response<CacheBody<D>> {
    crate::fields::strip_ours(answer.headers_mut(), policy.shows_keys);
    status.append_to(answer.headers_mut());
    answer.map(CacheBody::passed)
}
