//! What a route does in the end.

use std::sync::Arc;

use edge_routes::Deed;
use http::{Request, Response, StatusCode, Uri};
use tokio::time::timeout;

use super::{
    forward,
    live::Routing,
    passage::{Passage, empty, full},
};
use crate::{
    app::{App, ResponseBody},
    body::EdgeBody,
};

/// Does it, and answers. Runs in the background too, when the cache asks again for what it holds.
pub(crate) async fn perform<A: App>(
    routing: Arc<Routing>,
    inner: Arc<A>,
    passage: Arc<Passage>,
    mut request: Request<EdgeBody>,
) -> Response<ResponseBody> {
    if !passage.steps().rewrite.is_nothing() {
        let Some(target) = passage.target() else { return not_a_location(&passage) };
        *request.uri_mut() = Uri::from(target);
    }
    match &passage.steps().deed {
        // Boxed, for a request is moved some times before it begins, with room for all that might become of it.
        Deed::Module => Box::pin(inside(&*inner, &passage, request)).await,
        Deed::Upstream(_) => Box::pin(forward::to_pool(&routing, &passage, request)).await,
        Deed::Files(files) => Box::pin(files.serve(request.uri().path(), request.method(), request.headers())).await,
        Deed::Redirect(redirect) => {
            let (host, query) = (passage.host(), passage.asked.query());
            let answer = redirect.answer(host, passage.found.path.as_str(), query, &passage.found.matched.parameters);
            answer.map_or_else(|| not_a_location(&passage), |answer| answer.map(|()| empty()))
        }
        Deed::Respond(fixed) => fixed.answer().map(full),
    }
}

/// Asks the application, within the route's time.
async fn inside<A: App>(inner: &A, passage: &Passage, mut request: Request<EdgeBody>) -> Response<ResponseBody> {
    passage.goes_inside();
    request.extensions_mut().insert(passage.edge.clone());
    let Some(limit) = passage.time_limit() else { return inner.call(request).await };
    timeout(limit, inner.call(request)).await.unwrap_or_else(|_| {
        let words =
            (StatusCode::GATEWAY_TIMEOUT, "edge.route_timeout", "The answer took longer than the route allows.");
        passage.problem(words)
    })
}

fn not_a_location(passage: &Passage) -> Response<ResponseBody> {
    passage.problem((StatusCode::BAD_REQUEST, "edge.rewrite", "The route makes no address of this target."))
}
