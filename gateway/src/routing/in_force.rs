//! One table with all that its routes need, so that a request which took it needs nothing else.

use std::{collections::HashMap, net::IpAddr, num::NonZeroU32, sync::Arc, time::Duration};

use edge_cache::Policy;
use edge_routes::{CachePolicy, Compiled, CompiledRoute, Deed, Match, NormalPath, PathProblem, RequestView};
use edge_upstream::{Pool, Pools};
use http::{HeaderName, request};

use super::{
    forward_auth::{self, ForwardAuth},
    note::Figures,
};
use crate::{
    app::EdgeInfo,
    limits::{Named, NamedLimits},
};

/// The routes in force, each with its pool and its part of the cache.
#[derive(Default)]
pub(crate) struct InForce {
    routes: Compiled,
    extras: HashMap<String, Arc<Extras>>,
}

/// What belongs to one route beside its steps.
pub(crate) struct Extras {
    /// The route's id.
    pub(crate) id: Arc<str>,
    pub(crate) pool: Option<Arc<Pool>>,
    /// The limits that count for it, and what a request takes of each where that is said.
    pub(crate) limits: Arc<[(Arc<Named>, Option<NonZeroU32>)]>,
    /// The service that decides who may pass.
    pub(crate) forward_auth: Option<Arc<ForwardAuth>>,
    pub(crate) policy: Option<Arc<Policy>>,
    /// Whether another route may take the same host and path, by headers or addresses: then what the cache keeps of
    /// this one is kept apart.
    pub(crate) apart: bool,
    pub(crate) figures: Figures,
}

/// The route that a request keeps to.
#[derive(Clone)]
pub(crate) struct Found {
    pub(crate) matched: Match,
    pub(crate) path: NormalPath,
    pub(crate) extras: Arc<Extras>,
}

impl InForce {
    /// Joins routes with the pools that were made for them, and with the limits that they name.
    pub(crate) fn new(routes: Compiled, pools: &Pools, limits: &NamedLimits) -> Self {
        let all = routes.routes().iter();
        let extras = all.map(|route| (route.route.id.clone(), Arc::new(extras(route, pools, limits)))).collect();
        Self { routes, extras }
    }

    /// The parts of the cache that routes have.
    pub(crate) fn policies(&self) -> impl Iterator<Item = &Policy> {
        self.extras.values().filter_map(|extras| extras.policy.as_deref())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.extras.is_empty()
    }

    /// The route of a request.
    ///
    /// # Errors
    /// Its path has no normal form.
    pub(crate) fn find(&self, head: &request::Parts) -> Result<Option<Found>, PathProblem> {
        let path = NormalPath::parse(head.uri.path())?;
        let edge = head.extensions.get::<EdgeInfo>();
        let host = edge.and_then(|edge| edge.host.as_deref()).unwrap_or_default().trim_end_matches('.');
        let client = edge.map_or(IpAddr::from([0; 4]), |edge| edge.client_addr);
        let view = RequestView { host, path: &path, method: &head.method, headers: &head.headers, client };
        let Some(matched) = self.routes.find(&view) else { return Ok(None) };
        let extras = self.extras.get(&matched.route.route.id).cloned();
        Ok(extras.map(|extras| Found { matched, path, extras }))
    }
}

fn extras(route: &CompiledRoute, pools: &Pools, limits: &NamedLimits) -> Extras {
    let modifiers = &route.route.modifiers;
    let condition = &route.route.condition;
    let personal = modifiers.require.is_some() || modifiers.forward_auth.is_some();
    Extras {
        id: route.route.id.as_str().into(),
        pool: match &route.steps.deed {
            Deed::Upstream(name) => pools.get(name),
            _ => None,
        },
        limits: modifiers.rate_limits.iter().filter_map(|used| Some((limits.get(used.name())?, used.cost()))).collect(),
        forward_auth: modifiers.forward_auth.as_ref().and_then(|auth| {
            let pool = pools.get(&forward_auth::pool_name(&route.route.id))?;
            ForwardAuth::new(auth, pool).map(Arc::new)
        }),
        policy: modifiers.cache.as_ref().map(|cache| Arc::new(Policy { personal, ..policy(cache) })),
        apart: !condition.headers.is_empty() || !condition.clients.is_empty(),
        figures: Figures::default(),
    }
}

fn policy(cache: &CachePolicy) -> Policy {
    let names =
        |names: &Vec<String>| names.iter().filter_map(|name| HeaderName::try_from(name.as_str()).ok()).collect();
    Policy {
        default_ttl: Duration::from_secs(cache.default_ttl),
        heuristic_percent: cache.heuristic_percent,
        status_ttl: cache.status_ttl.iter().map(|(status, ttl)| (*status, Duration::from_secs(*ttl))).collect(),
        max_object_bytes: cache.max_object_bytes,
        ignored_query: cache.ignored_query.clone(),
        vary_allowed: cache.vary_allowed.as_ref().map(names),
        bypass_cookies: cache.bypass_cookies.clone(),
        bypass_authorization: cache.bypass_authorization,
        honour_client: cache.honour_client,
        store_cookies: cache.store_cookies,
        shows_keys: cache.shows_keys,
        stale_while_revalidate: Duration::from_secs(cache.stale_while_revalidate),
        stale_if_error: Duration::from_secs(cache.stale_if_error),
        ..Policy::default()
    }
}
