//! A checked table, indexed by host and then by path.

use std::{cmp::Reverse, collections::HashMap, sync::Arc};

use crate::{
    matcher::{Host, Matcher, RequestView},
    model::Route,
    pattern::Parameters,
    steps::Steps,
};

/// Where the routes of one kind of host are looked up: by the literal segments at the beginning of their path.
type Anchors = HashMap<String, Vec<usize>>;

/// A route ready for use.
#[derive(Debug)]
pub struct CompiledRoute {
    pub route: Route,
    pub(crate) matcher: Matcher,
    /// The route's changes, ready to apply.
    pub steps: Steps,
    /// Its place among all routes; the lower goes first.
    pub(crate) rank: usize,
}

/// All routes, to be asked. It never changes; a new one is swapped in (see [`crate::LiveRoutes`]).
#[derive(Debug, Default)]
pub struct Compiled {
    /// By rank, those switched off left out.
    routes: Vec<Arc<CompiledRoute>>,
    exact: HashMap<String, Anchors>,
    below: HashMap<String, Anchors>,
    any: Anchors,
}

/// The route of a request.
#[derive(Clone, Debug)]
pub struct Match {
    pub route: Arc<CompiledRoute>,
    /// The pattern's names and what they stand for.
    pub parameters: Parameters,
}

impl Compiled {
    /// Indexes routes that were checked, in the order of the table.
    pub(crate) fn new(checked: Vec<(Route, Matcher, Steps)>) -> Self {
        let mut checked: Vec<_> = checked.into_iter().filter(|(route, ..)| route.enabled).collect();
        checked.sort_by_key(|(route, matcher, _)| {
            let host = matcher.hosts.iter().map(Host::rank).min();
            Reverse((route.priority, host, matcher.path.rank(), matcher.conditions()))
        });
        let mut compiled = Self::default();
        for (rank, (route, matcher, steps)) in checked.into_iter().enumerate() {
            for host in &matcher.hosts {
                let anchors = match host {
                    Host::Any => &mut compiled.any,
                    Host::Exact(name) => compiled.exact.entry(name.clone()).or_default(),
                    Host::Below(suffix) => compiled.below.entry(suffix.clone()).or_default(),
                };
                anchors.entry(matcher.path.anchor()).or_default().push(rank);
            }
            compiled.routes.push(Arc::new(CompiledRoute { route, matcher, steps, rank }));
        }
        compiled
    }

    /// The first route whose conditions a request meets: highest priority, then narrowest.
    ///
    /// It looks at the routes of the request's host, of the wildcards above it and of any host, whose literal
    /// beginning is the beginning of the path; their number, not that of all routes, is the cost.
    pub fn find(&self, request: &RequestView<'_>) -> Option<Match> {
        let mut candidates = self.candidates(request.host, request.path.as_str());
        candidates.sort_unstable();
        candidates.dedup();
        candidates.into_iter().find_map(|rank| {
            let route = self.routes.get(rank)?;
            let parameters = route.matcher.check(request).ok()?;
            Some(Match { route: Arc::clone(route), parameters })
        })
    }

    /// The ranks of routes that could match a host and path.
    pub(crate) fn candidates(&self, host: &str, path: &str) -> Vec<usize> {
        let dots = host.match_indices('.').map(|(at, _)| &host[at..]);
        let below = dots.filter_map(|suffix| self.below.get(suffix));
        let mut found = Vec::new();
        for anchors in self.exact.get(host).into_iter().chain(below).chain([&self.any]) {
            let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
            ends.filter_map(|end| anchors.get(&path[..end])).for_each(|ranks| found.extend_from_slice(ranks));
        }
        found
    }

    /// All routes that are switched on, the first to be asked first.
    pub fn routes(&self) -> &[Arc<CompiledRoute>] {
        &self.routes
    }
}
