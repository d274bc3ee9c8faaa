//! The one way in.

use std::{error::Error, sync::Arc};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;

use crate::{
    admission::{Way, way},
    body::CacheBody,
    cache::Cache,
    cache_status::{Forward, Status},
    invalidation::invalidate,
    policy::Policy,
    scope::Scope,
    visit::{Visit, passed},
};

impl Cache {
    /// Answers a request: from what is stored, from what comes in for another one, or by `fetch`, which asks the
    /// origin.
    ///
    /// `fetch` is called at most once, with the request as the origin should see it (perhaps made conditional); a
    /// failing origin must be an answer too (502, 503, 504), so that a stale one can stand in for it. When it is
    /// dropped unanswered since the client left, one of those who wait calls its own. It may run in the background,
    /// after the answer was given, for `stale-while-revalidate`.
    ///
    /// Each answer carries `Cache-Status` (RFC 9211); `Holdfast-Cache-Control` is taken off, and so are
    /// `Surrogate-Key` and `Cache-Tag` unless the policy shows them.
    pub async fn serve<B, D, F, Fut>(
        &self,
        scope: &Scope,
        policy: &Arc<Policy>,
        request: Request<B>,
        fetch: F,
    ) -> Response<CacheBody<D>>
    where
        B: Body + Send + 'static,
        D: Body<Data = Bytes> + Send + Unpin + 'static,
        D::Error: Into<Box<dyn Error + Send + Sync>> + Send,
        F: FnOnce(Request<B>) -> Fut + Send + 'static,
        Fut: Future<Output = Response<D>> + Send + 'static,
    {
        match way(policy, &request) {
            Way::Through => {
                let (request, body) = request.into_parts();
                Visit::new(&self.inner, scope, policy, request).run(body, fetch).await
            }
            Way::Past(reason) => {
                self.inner.counters.bypassed.add(1);
                passed(fetch(request).await, policy, &Status::forward(reason))
            }
            Way::Unsafe => {
                self.inner.counters.bypassed.add(1);
                let target = request.uri().clone();
                let answer = fetch(request).await;
                invalidate(&self.inner, scope, policy, &target, (answer.status(), answer.headers())).await;
                passed(answer, policy, &Status::forward(Forward::Method))
            }
        }
    }
}
