//! The GraphQL face.

use async_graphql::connection::Connection;
use async_graphql::{Context, Object, Subscription as GraphSubscription};
use futures_util::{Stream, StreamExt};
use kernel::graphql::{caller, list};
use kernel::{Expected, Problem};

use crate::Edge;
use crate::model::{
    Certificate, CertificateStep, EdgeRequest, LimitHypothesis, LimitSimulation, LimitsInForce, NewPool, NewRoute,
    Pool, PoolId, PurgeAnswers, Purged, RequestTold, Route, RouteId, RouteQuestion, RouteVerdict, RoutingStatus,
    UpdatePool, UpdateRoute, UpstreamStatus,
};

/// What can be asked about the edge.
pub struct Query(Edge);

impl Query {
    /// The face of this edge.
    pub const fn new(edge: Edge) -> Self {
        Self(edge)
    }
}

#[Object(name = "EdgeQuery")]
impl Query {
    /// Certificates of the tenant's verified domains; in the system tenant, of all tenants and the installation itself
    #[graphql(complexity = "first.unwrap_or(50).clamp(1, 200) as usize * child_complexity")]
    async fn certificates(
        &self,
        ctx: &Context<'_>,
        first: Option<i64>,
        after: Option<String>,
        filter: Option<String>,
        sort: Option<String>,
    ) -> Result<Connection<String, Certificate>, Problem> {
        let (request, page) = self.0.list_certificates(caller(ctx)?, &list(first, after, filter, sort)).await?;
        request.connection(page)
    }

    /// One certificate
    async fn certificate(&self, ctx: &Context<'_>, name: String) -> Result<Certificate, Problem> {
        Ok(self.0.get_certificate(caller(ctx)?, &name).await?)
    }

    /// What happened to a certificate, the latest first
    #[graphql(complexity = "first.unwrap_or(50).clamp(1, 200) as usize * child_complexity")]
    async fn certificate_steps(
        &self,
        ctx: &Context<'_>,
        name: String,
        first: Option<i64>,
        after: Option<String>,
        filter: Option<String>,
        sort: Option<String>,
    ) -> Result<Connection<String, CertificateStep>, Problem> {
        let params = list(first, after, filter, sort);
        let (request, page) = self.0.list_certificate_steps(caller(ctx)?, &name, &params).await?;
        request.connection(page)
    }

    /// The routes; operators only
    #[graphql(complexity = "first.unwrap_or(50).clamp(1, 200) as usize * child_complexity")]
    async fn routes(
        &self,
        ctx: &Context<'_>,
        first: Option<i64>,
        after: Option<String>,
        filter: Option<String>,
        sort: Option<String>,
    ) -> Result<Connection<String, Route>, Problem> {
        let (request, page) = self.0.list_routes(caller(ctx)?, &list(first, after, filter, sort)).await?;
        request.connection(page)
    }

    /// One route; operators only
    async fn route(&self, ctx: &Context<'_>, id: RouteId) -> Result<Route, Problem> {
        Ok(self.0.get_route(caller(ctx)?, id).await?)
    }

    /// Recent requests of the process that answers, the latest first; operators only
    #[graphql(complexity = "first.unwrap_or(50).clamp(1, 200) as usize * child_complexity")]
    async fn edge_requests(
        &self,
        ctx: &Context<'_>,
        first: Option<i64>,
        after: Option<String>,
        filter: Option<String>,
        sort: Option<String>,
    ) -> Result<Connection<String, EdgeRequest>, Problem> {
        let (request, page) = self.0.list_requests(caller(ctx)?, &list(first, after, filter, sort)).await?;
        request.connection(page)
    }

    /// The limits in force in the process that answers; operators only
    async fn edge_limits(&self, ctx: &Context<'_>) -> Result<LimitsInForce, Problem> {
        Ok(self.0.limits(caller(ctx)?)?)
    }

    /// What a limit would have done to the recent requests of the process that answers; operators only
    async fn simulate_edge_limit(&self, ctx: &Context<'_>, input: LimitHypothesis) -> Result<LimitSimulation, Problem> {
        Ok(self.0.simulate_limit(caller(ctx)?, &input).await?)
    }

    /// The pools; operators only
    #[graphql(complexity = "first.unwrap_or(50).clamp(1, 200) as usize * child_complexity")]
    async fn pools(
        &self,
        ctx: &Context<'_>,
        first: Option<i64>,
        after: Option<String>,
        filter: Option<String>,
        sort: Option<String>,
    ) -> Result<Connection<String, Pool>, Problem> {
        let (request, page) = self.0.list_pools(caller(ctx)?, &list(first, after, filter, sort)).await?;
        request.connection(page)
    }

    /// One pool; operators only
    async fn pool(&self, ctx: &Context<'_>, id: PoolId) -> Result<Pool, Problem> {
        Ok(self.0.get_pool(caller(ctx)?, id).await?)
    }

    /// Which route would take a request, why others don't, and what would be done; operators only
    async fn explain_route(&self, ctx: &Context<'_>, question: RouteQuestion) -> Result<RouteVerdict, Problem> {
        Ok(self.0.explain_route(caller(ctx)?, &question)?)
    }

    /// What is in force in the process that answers; operators only
    async fn routing_status(&self, ctx: &Context<'_>) -> Result<RoutingStatus, Problem> {
        Ok(self.0.routing_status(caller(ctx)?).await?)
    }

    /// How the pools stand in the process that answers; operators only
    async fn upstream_status(&self, ctx: &Context<'_>) -> Result<UpstreamStatus, Problem> {
        Ok(self.0.upstream_status(caller(ctx)?)?)
    }
}

/// What can be done with the edge.
pub struct Mutation(Edge);

impl Mutation {
    /// The face of this edge.
    pub const fn new(edge: Edge) -> Self {
        Self(edge)
    }
}

#[Object(name = "EdgeMutation")]
impl Mutation {
    /// Renews a certificate now, or tries again after a failure; the issuer's limits still hold
    async fn renew_certificate(&self, ctx: &Context<'_>, name: String) -> Result<Certificate, Problem> {
        Ok(self.0.renew_certificate(caller(ctx)?, &name).await?)
    }

    /// Adds a route; operators only
    async fn create_route(&self, ctx: &Context<'_>, input: NewRoute) -> Result<Route, Problem> {
        Ok(self.0.create_route(caller(ctx)?, input).await?)
    }

    /// Changes a route; operators only
    async fn update_route(
        &self,
        ctx: &Context<'_>,
        id: RouteId,
        version: Option<i64>,
        input: UpdateRoute,
    ) -> Result<Route, Problem> {
        Ok(self.0.update_route(caller(ctx)?, id, Expected::from_argument(version), input).await?)
    }

    /// Removes a route; operators only
    async fn delete_route(&self, ctx: &Context<'_>, id: RouteId, version: Option<i64>) -> Result<bool, Problem> {
        self.0.delete_route(caller(ctx)?, id, Expected::from_argument(version)).await?;
        Ok(true)
    }

    /// Adds a pool; operators only
    async fn create_pool(&self, ctx: &Context<'_>, input: NewPool) -> Result<Pool, Problem> {
        Ok(self.0.create_pool(caller(ctx)?, input).await?)
    }

    /// Changes a pool; operators only
    async fn update_pool(
        &self,
        ctx: &Context<'_>,
        id: PoolId,
        version: Option<i64>,
        input: UpdatePool,
    ) -> Result<Pool, Problem> {
        Ok(self.0.update_pool(caller(ctx)?, id, Expected::from_argument(version), input).await?)
    }

    /// Removes a pool; operators only
    async fn delete_pool(&self, ctx: &Context<'_>, id: PoolId, version: Option<i64>) -> Result<bool, Problem> {
        self.0.delete_pool(caller(ctx)?, id, Expected::from_argument(version)).await?;
        Ok(true)
    }

    /// Drops what the cache keeps of paths that begin with `prefix`; `purgeAnswers` can do more; operators only
    async fn purge_cache(
        &self,
        ctx: &Context<'_>,
        host: Option<String>,
        prefix: Option<String>,
    ) -> Result<Purged, Problem> {
        let prefix = Some(prefix.unwrap_or_else(|| "/".to_owned()));
        let purge = PurgeAnswers { host, prefix, ..PurgeAnswers::default() };
        Ok(self.0.purge_answers(caller(ctx)?, purge).await?)
    }

    /// Purges answers of the cache, in all processes; operators only
    async fn purge_answers(&self, ctx: &Context<'_>, input: PurgeAnswers) -> Result<Purged, Problem> {
        Ok(self.0.purge_answers(caller(ctx)?, input).await?)
    }
}

/// What can be followed.
pub struct Subscription(Edge);

impl Subscription {
    /// The face of this edge.
    pub const fn new(edge: Edge) -> Self {
        Self(edge)
    }
}

#[GraphSubscription(name = "EdgeSubscription")]
impl Subscription {
    /// Follow the requests of the process that answers, from now on or after the one with this number; operators only
    async fn edge_request_events(
        &self,
        ctx: &Context<'_>,
        filter: Option<String>,
        after: Option<i64>,
    ) -> Result<impl Stream<Item = RequestTold> + use<>, Problem> {
        let events = self.0.follow_requests(caller(ctx)?, filter.as_deref(), after)?;
        Ok(events.map(RequestTold::from))
    }
}
