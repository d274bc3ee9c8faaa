//! The REST face.

mod live;

use kernel::rest::{Accepted, Auth, Body, Created, Etag, EventStream, Listed, NoContent, Reply};
use kernel::{Expected, FieldMask, ListParams, Problem};
use poem_openapi::param::{Header, Path, Query};
use poem_openapi::{OpenApi, Tags};

use crate::Edge;
use crate::listing::{CERTIFICATES, POOLS, REQUESTS, ROUTES, STEPS};
use crate::model::{
    Certificate, CertificateStep, EdgeRequest, LimitHypothesis, LimitSimulation, LimitsInForce, NewPool, NewRoute,
    Pool, PoolId, PurgeAnswers, Purged, Route, RouteId, RouteQuestion, RouteVerdict, RoutingStatus, UpdatePool,
    UpdateRoute, UpstreamStatus,
};

#[derive(Tags)]
enum Tag {
    /// Certificates of the installation's and the tenants' names; routes to other services.
    #[oai(rename = "edge")]
    Edge,
}

macro_rules! etags {
    ($($version:expr => $type:ty),+ $(,)?) => {
        $(impl Etag for $type {
            fn version(&self) -> Option<i64> {
                let version: fn(&$type) -> Option<i64> = $version;
                version(self)
            }
        })+
    };
}

etags! {
    |_| None => Certificate,
    |route| Some(route.version) => Route,
    |pool| Some(pool.version) => Pool,
    |_| None => RouteVerdict,
    |_| None => RoutingStatus,
    |_| None => UpstreamStatus,
    |_| None => Purged,
    |_| None => EdgeRequest,
    |_| None => LimitsInForce,
    |_| None => LimitSimulation,
}

fn expected(if_match: &Header<Option<String>>) -> Expected {
    Expected::from_header(if_match.0.as_deref())
}

/// The resources under `/api/v1/edge`.
pub struct Api(Edge);

impl Api {
    /// The face of this edge.
    pub const fn new(edge: Edge) -> Self {
        Self(edge)
    }
}

#[OpenApi(prefix_path = "/api/v1/edge", tag = "Tag::Edge")]
impl Api {
    /// List certificates
    ///
    /// Those of the tenant's verified domains; in the system tenant, of all tenants and of the installation itself.
    #[oai(path = "/certificates", method = "get", operation_id = "list_certificates")]
    async fn list_certificates(
        &self,
        auth: Auth,
        /// How many, 1 to 200; 50 when left out.
        limit: Query<Option<i64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
        /// Which, such as `name sw "shop."`.
        filter: Query<Option<String>>,
        /// In which order: `name` or `-name`.
        sort: Query<Option<String>>,
        /// The fields to show, separated by commas.
        fields: Query<Option<String>>,
    ) -> Result<Listed<Certificate>, Problem> {
        let mask = FieldMask::parse(&CERTIFICATES, fields.0.as_deref())?;
        let params = ListParams { limit: limit.0, cursor: cursor.0, filter: filter.0, sort: sort.0 };
        Ok(Listed(self.0.list_certificates(&auth.0, &params).await?.1, mask))
    }

    /// Get a certificate
    #[oai(path = "/certificates/:name", method = "get", operation_id = "get_certificate")]
    async fn get_certificate(&self, auth: Auth, name: Path<String>) -> Result<Reply<Certificate>, Problem> {
        Ok(Reply::new(self.0.get_certificate(&auth.0, &name.0).await?))
    }

    /// List what happened to a certificate
    ///
    /// Each step with its time, the cause and evidence if it failed, what to do about it, and when it goes on.
    #[oai(path = "/certificates/:name/steps", method = "get", operation_id = "list_certificate_steps")]
    #[expect(clippy::too_many_arguments, reason = "they are the parameters of the operation")]
    async fn list_certificate_steps(
        &self,
        auth: Auth,
        name: Path<String>,
        /// How many, 1 to 200; 50 when left out.
        limit: Query<Option<i64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
        /// Which, such as `number gt 10`.
        filter: Query<Option<String>>,
        /// In which order: `number` or `-number`.
        sort: Query<Option<String>>,
        /// The fields to show, separated by commas.
        fields: Query<Option<String>>,
    ) -> Result<Listed<CertificateStep>, Problem> {
        let mask = FieldMask::parse(&STEPS, fields.0.as_deref())?;
        let params = ListParams { limit: limit.0, cursor: cursor.0, filter: filter.0, sort: sort.0 };
        Ok(Listed(self.0.list_certificate_steps(&auth.0, &name.0, &params).await?.1, mask))
    }

    /// Renew a certificate now
    ///
    /// Or try again, after a failure was mended. The issuer's limits still hold; read the certificate to follow it.
    #[oai(path = "/certificates/:name/renew", method = "post", operation_id = "renew_certificate")]
    async fn renew_certificate(&self, auth: Auth, name: Path<String>) -> Result<Accepted<Certificate>, Problem> {
        Ok(Accepted(self.0.renew_certificate(&auth.0, &name.0).await?))
    }

    /// List routes
    ///
    /// Operators only.
    #[oai(path = "/routes", method = "get", operation_id = "list_routes")]
    async fn list_routes(
        &self,
        auth: Auth,
        /// How many, 1 to 200; 50 when left out.
        limit: Query<Option<i64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
        /// Which, such as `name sw "shop"`.
        filter: Query<Option<String>>,
        /// In which order, such as `-updated_at`.
        sort: Query<Option<String>>,
        /// The fields to show, separated by commas.
        fields: Query<Option<String>>,
    ) -> Result<Listed<Route>, Problem> {
        let mask = FieldMask::parse(&ROUTES, fields.0.as_deref())?;
        let params = ListParams { limit: limit.0, cursor: cursor.0, filter: filter.0, sort: sort.0 };
        Ok(Listed(self.0.list_routes(&auth.0, &params).await?.1, mask))
    }

    /// Get a route
    ///
    /// Operators only.
    #[oai(path = "/routes/:id", method = "get", operation_id = "get_route")]
    async fn get_route(&self, auth: Auth, id: Path<RouteId>) -> Result<Reply<Route>, Problem> {
        Ok(Reply::new(self.0.get_route(&auth.0, id.0).await?))
    }

    /// Create a route
    ///
    /// Operators only. All routes and pools are checked as a whole; it is in force when this answers.
    #[oai(path = "/routes", method = "post", operation_id = "create_route")]
    async fn create_route(&self, auth: Auth, new: Body<NewRoute>) -> Result<Created<Route>, Problem> {
        Ok(Created(self.0.create_route(&auth.0, new.0).await?))
    }

    /// Change a route
    ///
    /// Operators only; needs `If-Match`. Requests and streams under way keep what they began with.
    #[oai(path = "/routes/:id", method = "patch", operation_id = "update_route")]
    async fn update_route(
        &self,
        auth: Auth,
        id: Path<RouteId>,
        /// The version that you know, such as `"3"`.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        update: Body<UpdateRoute>,
    ) -> Result<Reply<Route>, Problem> {
        Ok(Reply::new(self.0.update_route(&auth.0, id.0, expected(&if_match), update.0).await?))
    }

    /// Delete a route
    ///
    /// Operators only; needs `If-Match`.
    #[oai(path = "/routes/:id", method = "delete", operation_id = "delete_route")]
    async fn delete_route(
        &self,
        auth: Auth,
        id: Path<RouteId>,
        /// The version that you know, such as `"3"`.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> Result<NoContent, Problem> {
        self.0.delete_route(&auth.0, id.0, expected(&if_match)).await?;
        Ok(NoContent)
    }

    /// List pools
    ///
    /// Operators only.
    #[oai(path = "/pools", method = "get", operation_id = "list_pools")]
    async fn list_pools(
        &self,
        auth: Auth,
        /// How many, 1 to 200; 50 when left out.
        limit: Query<Option<i64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
        /// Which, such as `name sw "shop"`.
        filter: Query<Option<String>>,
        /// In which order, such as `-updated_at`.
        sort: Query<Option<String>>,
        /// The fields to show, separated by commas.
        fields: Query<Option<String>>,
    ) -> Result<Listed<Pool>, Problem> {
        let mask = FieldMask::parse(&POOLS, fields.0.as_deref())?;
        let params = ListParams { limit: limit.0, cursor: cursor.0, filter: filter.0, sort: sort.0 };
        Ok(Listed(self.0.list_pools(&auth.0, &params).await?.1, mask))
    }

    /// Get a pool
    ///
    /// Operators only.
    #[oai(path = "/pools/:id", method = "get", operation_id = "get_pool")]
    async fn get_pool(&self, auth: Auth, id: Path<PoolId>) -> Result<Reply<Pool>, Problem> {
        Ok(Reply::new(self.0.get_pool(&auth.0, id.0).await?))
    }

    /// Create a pool
    ///
    /// Operators only. Without `reach: "anywhere"`, only public addresses are connected to.
    #[oai(path = "/pools", method = "post", operation_id = "create_pool")]
    async fn create_pool(&self, auth: Auth, new: Body<NewPool>) -> Result<Created<Pool>, Problem> {
        Ok(Created(self.0.create_pool(&auth.0, new.0).await?))
    }

    /// Change a pool
    ///
    /// Operators only; needs `If-Match`. Requests and streams under way keep what they began with.
    #[oai(path = "/pools/:id", method = "patch", operation_id = "update_pool")]
    async fn update_pool(
        &self,
        auth: Auth,
        id: Path<PoolId>,
        /// The version that you know, such as `"3"`.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        update: Body<UpdatePool>,
    ) -> Result<Reply<Pool>, Problem> {
        Ok(Reply::new(self.0.update_pool(&auth.0, id.0, expected(&if_match), update.0).await?))
    }

    /// Delete a pool
    ///
    /// Operators only; needs `If-Match`.
    #[oai(path = "/pools/:id", method = "delete", operation_id = "delete_pool")]
    async fn delete_pool(
        &self,
        auth: Auth,
        id: Path<PoolId>,
        /// The version that you know, such as `"3"`.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> Result<NoContent, Problem> {
        self.0.delete_pool(&auth.0, id.0, expected(&if_match)).await?;
        Ok(NoContent)
    }

    /// Explain what would happen to a request
    ///
    /// Operators only. Which route would take it, why each other one doesn't, and what would be done.
    #[oai(path = "/routing/explain", method = "post", operation_id = "explain_route")]
    async fn explain_route(&self, auth: Auth, question: Body<RouteQuestion>) -> Result<Reply<RouteVerdict>, Problem> {
        Ok(Reply::new(self.0.explain_route(&auth.0, &question.0)?))
    }

    /// Get what is in force
    ///
    /// Operators only. In the process that answers; others follow within half a second.
    #[oai(path = "/routing", method = "get", operation_id = "get_routing_status")]
    async fn routing_status(&self, auth: Auth) -> Result<Reply<RoutingStatus>, Problem> {
        Ok(Reply::new(self.0.routing_status(&auth.0).await?))
    }

    /// Get how the pools stand
    ///
    /// Operators only. Health, load and times of each server, as the process that answers sees them.
    #[oai(path = "/upstreams", method = "get", operation_id = "get_upstream_status")]
    async fn upstream_status(&self, auth: Auth) -> Result<Reply<UpstreamStatus>, Problem> {
        Ok(Reply::new(self.0.upstream_status(&auth.0)?))
    }

    /// List recent requests
    ///
    /// Operators only. What the process that answers remembers, the latest first. Queries, header fields and bodies are
    /// never remembered.
    #[oai(path = "/requests", method = "get", operation_id = "list_edge_requests")]
    async fn list_requests(
        &self,
        auth: Auth,
        /// How many, 1 to 200; 50 when left out.
        limit: Query<Option<i64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
        /// Which, such as `path sw "/shop/" and status ge 500 and duration_us gt 100000`.
        filter: Query<Option<String>>,
        /// In which order: `-number` or `number`.
        sort: Query<Option<String>>,
        /// The fields to show, separated by commas.
        fields: Query<Option<String>>,
    ) -> Result<Listed<EdgeRequest>, Problem> {
        let mask = FieldMask::parse(&REQUESTS, fields.0.as_deref())?;
        let params = ListParams { limit: limit.0, cursor: cursor.0, filter: filter.0, sort: sort.0 };
        Ok(Listed(self.0.list_requests(&auth.0, &params).await?.1, mask))
    }

    /// Follow requests as they come
    ///
    /// Operators only. Server-sent events `request` of the process that answers, and `missed` with how many came and went
    /// while the stream was read too slowly. Resumes after `Last-Event-ID`, as far as is remembered.
    #[oai(path = "/requests/live", method = "get", operation_id = "follow_edge_requests")]
    async fn follow_requests(
        &self,
        auth: Auth,
        /// Which, as for the list.
        filter: Query<Option<String>>,
        /// The id of the last event that you got.
        #[oai(name = "Last-Event-ID")]
        last_event_id: Header<Option<String>>,
    ) -> Result<EventStream, Problem> {
        let after = live::after(last_event_id.0.as_deref())?;
        Ok(live::events(self.0.follow_requests(&auth.0, filter.0.as_deref(), after)?))
    }

    /// Get the limits in force
    ///
    /// Operators only. With what each has refused since the process that answers was started.
    #[oai(path = "/limits", method = "get", operation_id = "get_edge_limits")]
    async fn limits(&self, auth: Auth) -> Result<Reply<LimitsInForce>, Problem> {
        Ok(Reply::new(self.0.limits(&auth.0)?))
    }

    /// Try a limit on recent requests
    ///
    /// Operators only. Replays what the process that answers remembers through the algorithm of the limits in force;
    /// nothing is changed.
    #[oai(path = "/limits/simulate", method = "post", operation_id = "simulate_edge_limit")]
    async fn simulate_limit(
        &self,
        auth: Auth,
        limit: Body<LimitHypothesis>,
    ) -> Result<Reply<LimitSimulation>, Problem> {
        Ok(Reply::new(self.0.simulate_limit(&auth.0, &limit.0).await?))
    }

    /// Purge the cache
    ///
    /// Operators only. Drops what is kept of paths that begin with `prefix`; `POST /api/v1/edge/cache/purge` can do more.
    #[oai(path = "/cache", method = "delete", operation_id = "purge_cache")]
    async fn purge_cache(
        &self,
        auth: Auth,
        /// The host; all hosts when left out.
        host: Query<Option<String>>,
        /// Such as `/shop/`; everything when left out.
        prefix: Query<Option<String>>,
    ) -> Result<Reply<Purged>, Problem> {
        let prefix = Some(prefix.0.unwrap_or_else(|| "/".to_owned()));
        let purge = PurgeAnswers { host: host.0, prefix, ..PurgeAnswers::default() };
        Ok(Reply::new(self.0.purge_answers(&auth.0, purge).await?))
    }

    /// Purge answers of the cache
    ///
    /// Operators only. By URL, host, prefix or surrogate keys, or everything; `soft` keeps them as stale ones. All
    /// processes follow within a second.
    #[oai(path = "/cache/purge", method = "post", operation_id = "purge_answers")]
    async fn purge_answers(&self, auth: Auth, purge: Body<PurgeAnswers>) -> Result<Reply<Purged>, Problem> {
        Ok(Reply::new(self.0.purge_answers(&auth.0, purge.0).await?))
    }
}
