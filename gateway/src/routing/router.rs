//! The application that stands in front of the application.

use std::sync::Arc;

use edge_routes::{Deed, PathProblem};
use http::{Request, Response, StatusCode, Uri, header, request};
use http_body_util::BodyExt;

use super::{
    access, basic::Verdict, deed, finish::finish, held::hold, in_force::Found, limited, live::Routing, note,
    passage::Passage,
};
use crate::{
    app::{App, EdgeInfo, ResponseBody},
    body::EdgeBody,
    identity_field::{self, IDENTITY},
    journal::CacheOutcome,
    refusal::problem,
};

/// Does what the route of each request says, and asks the application behind for those that no route takes.
pub struct Router<A> {
    routing: Arc<Routing>,
    inner: Arc<A>,
}

/// In the extensions of a request whose path has no normal form.
#[derive(Clone, Copy)]
struct Misread(PathProblem);

impl<A: App> Router<A> {
    pub fn new(routing: Arc<Routing>, inner: Arc<A>) -> Self {
        Self { routing, inner }
    }

    /// Everything up to the deed, and the deed.
    async fn answer(&self, passage: &Arc<Passage>, mut request: Request<EdgeBody>) -> Response<ResponseBody> {
        if let Some(refusal) = passage.refused() {
            return refusal;
        }
        if let Some(refusal) = limited::at_once(passage) {
            return refusal;
        }
        if let Some(refusal) = self.unknown_user(passage, &mut request).await {
            return refusal;
        }
        if let Err(refusal) = self.stranger(passage, &mut request).await {
            return *refusal;
        }
        let head = (request.method(), request.headers());
        if let Some(refusal) = limited::by_identity(&self.routing, passage, head).await {
            return refusal;
        }
        if let Err(refusal) = self.undecided(passage, &mut request).await {
            return *refusal;
        }
        let Some(normal) = passage.normal() else {
            let words = (StatusCode::BAD_REQUEST, "edge.path", "This target has no normal form.");
            return passage.problem(words);
        };
        *request.uri_mut() = Uri::from(normal);
        passage.steps().request_headers.apply(request.headers_mut());

        let (routing, inner, errand) = (Arc::clone(&self.routing), Arc::clone(&self.inner), Arc::clone(passage));
        let perform = move |request| deed::perform(routing, inner, errand, request);
        let upgrades = request.headers().contains_key(header::UPGRADE);
        let policy = passage.found.extras.policy.as_ref().filter(|_| !upgrades);
        let answer = match policy.and_then(|policy| Some((policy, passage.scope(request.headers())?))) {
            Some((policy, scope)) => {
                let answer = Box::pin(self.routing.cache.serve(&scope, policy, request, perform)).await;
                CacheOutcome::of(answer.headers()).map(|outcome| passage.cache.get_or_init(|| outcome));
                answer.map(BodyExt::boxed)
            }
            None => perform(request).await,
        };
        // The application behind has an eye on its callers itself.
        let outside = !passage.went_inside() && answer.status() != StatusCode::SWITCHING_PROTOCOLS;
        match self.routing.watch(passage).filter(|_| outside) {
            Some(watch) => hold(answer, watch),
            None => answer,
        }
    }

    /// Asks who it is where the route wants to know, and tells the service behind. An access token or a key is for the
    /// edge, and goes no further than to the application.
    ///
    /// # Errors
    /// The answer to those for whom the route is not.
    async fn stranger(
        &self,
        passage: &Passage,
        request: &mut Request<EdgeBody>,
    ) -> Result<(), Box<Response<ResponseBody>>> {
        let Some(require) = &passage.modifiers().require else { return Ok(()) };
        let by = self.routing.authenticator();
        let asked = (request.method(), request.headers());
        let identity = Box::pin(access::judge(by, require, passage, asked)).await?;
        if !matches!(passage.steps().deed, Deed::Module) {
            request.headers_mut().remove(header::AUTHORIZATION);
        }
        if let Some(pool) = &passage.found.extras.pool {
            let field = self.routing.vouch(&identity, pool.name(), passage.edge.request_id.as_str()).await;
            let field = field.ok_or_else(|| access::unavailable(passage))?;
            request.headers_mut().insert(IDENTITY, field);
        }
        passage.identity.get_or_init(|| identity);
        Ok(())
    }

    /// Asks the service that decides about the route's requests, where there is one.
    ///
    /// # Errors
    /// The answer to those who may not pass.
    async fn undecided(
        &self,
        passage: &Passage,
        request: &mut Request<EdgeBody>,
    ) -> Result<(), Box<Response<ResponseBody>>> {
        if passage.modifiers().forward_auth.is_none() {
            return Ok(());
        }
        let Some(auth) = &passage.found.extras.forward_auth else { return Err(Box::new(access::unavailable(passage))) };
        auth.strip(request.headers_mut());
        let mut headers = request.headers().clone();
        if let Some(by) = self.routing.authenticator() {
            by.conceal(&mut headers);
        }
        let granted = Box::pin(auth.ask(passage, headers)).await?;
        request.headers_mut().extend(granted.clone());
        passage.granted.get_or_init(|| granted);
        Ok(())
    }

    /// Asks for a name and a password where the route has users. They are for the edge and go no further.
    async fn unknown_user(&self, passage: &Passage, request: &mut Request<EdgeBody>) -> Option<Response<ResponseBody>> {
        let auth = passage.modifiers().basic_auth.as_ref()?;
        let route = &passage.found.matched.route;
        match Box::pin(self.routing.passwords.judge(route, request.headers())).await {
            Verdict::Known => {
                request.headers_mut().remove(header::AUTHORIZATION);
                None
            }
            Verdict::Unknown => {
                let sentence = "A name and a password are needed here.";
                let mut answer = passage.problem((StatusCode::UNAUTHORIZED, "edge.credentials_required", sentence));
                answer.headers_mut().insert(header::WWW_AUTHENTICATE, auth.challenge());
                Some(answer)
            }
            Verdict::Busy => {
                let sentence = "Too many passwords are being checked; try again in a moment.";
                Some(passage.problem_later((StatusCode::SERVICE_UNAVAILABLE, "edge.overloaded", sentence), 1))
            }
        }
    }
}

impl<A: App> App for Router<A> {
    async fn call(&self, request: Request<EdgeBody>) -> Response<ResponseBody> {
        let (mut head, body) = request.into_parts();
        let (misread, found) = (head.extensions.remove::<Misread>(), head.extensions.remove::<Found>());
        if misread.is_none() && found.is_none() {
            return Box::pin(self.inner.call(Request::from_parts(head, body))).await;
        }
        let edge = head.extensions.remove::<EdgeInfo>();
        match (edge, misread, found) {
            (Some(edge), Some(Misread(reason)), _) => {
                let words = (StatusCode::BAD_REQUEST, "edge.path", &*reason.to_string());
                problem(words, &edge.request_id, false)
            }
            (Some(edge), None, Some(found)) => {
                let passage = Arc::new(Passage::new(found, edge, &head, self.inner.rate_key(&head)));
                let preflight = passage.preflight(&head.headers).filter(|_| passage.refused().is_none());
                let mut answer = if let Some(answer) = preflight {
                    answer
                } else {
                    let answer = self.answer(&passage, Request::from_parts(head, body)).await;
                    finish(&passage, answer)
                };
                limited::tell(&passage, &mut answer);
                passage.tell(&mut answer);
                note::request(&passage, answer.status());
                answer
            }
            _ => Box::pin(self.inner.call(Request::from_parts(head, body))).await,
        }
    }

    fn prepare(&self, head: &mut request::Parts) {
        identity_field::strip(&mut head.headers);
        let in_force = self.routing.in_force();
        if !in_force.is_empty() {
            match in_force.find(head) {
                Ok(Some(found)) => {
                    if let Some(edge) = head.extensions.get_mut::<EdgeInfo>() {
                        edge.route = Some(Arc::clone(&found.extras.id));
                    }
                    head.extensions.insert(found);
                }
                Ok(None) => {}
                Err(reason) => drop(head.extensions.insert(Misread(reason))),
            }
        }
        self.inner.prepare(head);
    }

    fn rate_key(&self, head: &request::Parts) -> Option<u64> {
        self.inner.rate_key(head)
    }

    /// The route's own bound; the application's for what it gets to read.
    fn max_body_bytes(&self, head: &request::Parts) -> Option<u64> {
        let Some(found) = head.extensions.get::<Found>() else { return self.inner.max_body_bytes(head) };
        let route = &found.matched.route;
        if let Some(limit) = route.route.modifiers.limits.max_body_bytes {
            return Some(limit);
        }
        if !matches!(route.steps.deed, Deed::Module) {
            return None;
        }
        let target = route.steps.rewrite.apply(found.path.as_str(), head.uri.query(), &found.matched.parameters)?;
        let mut rewritten = head.clone();
        rewritten.uri = Uri::from(target);
        self.inner.max_body_bytes(&rewritten)
    }
}
