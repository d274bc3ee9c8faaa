//! What would happen to a request, for the console and both APIs.

use http::HeaderMap;
use serde::Serialize;

use crate::{
    compiled::{Compiled, CompiledRoute, Match},
    matcher::{RequestView, Unmet},
    model::Action,
    modifiers::{Addresses, ForwardAuth, RateLimitUse, Require, RouteLimits, Shedding},
    pattern::Parameters,
    steps::Deed,
};

/// The most routes that an explanation lists.
const MOST: usize = 200;

/// What would happen to one request.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// The routes in the order in which they are asked, those of the host first cut at 200.
    pub candidates: Vec<Candidate>,
    /// What the chosen one does; `None`: no route takes the request.
    pub outcome: Option<Outcome>,
}

/// One route that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Candidate {
    pub id: String,
    pub name: String,
    pub priority: i32,
    /// The first condition that the request does not meet; `None`: it matches.
    pub unmet: Option<Unmet>,
    /// Whether it is the one that is chosen.
    pub chosen: bool,
}

/// What a route does to the request.
#[derive(Clone, Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each answers a question of its own")]
pub struct Outcome {
    pub route: String,
    pub parameters: Parameters,
    pub action: Action,
    /// Path and query as they go on; `None` if the rewrite makes no path of it (400).
    pub target: Option<String>,
    /// Of a redirect.
    pub location: Option<String>,
    /// The request's headers as they go on.
    pub request_headers: Vec<(String, String)>,
    pub admitted_by_address: bool,
    pub in_maintenance: bool,
    pub is_preflight: bool,
    pub basic_auth: bool,
    pub forward_auth: Option<ForwardAuth>,
    pub require: Option<Require>,
    pub client_certificate: bool,
    pub addresses: Addresses,
    pub limits: RouteLimits,
    pub rate_limits: Vec<RateLimitUse>,
    pub shedding: Shedding,
    pub cached: bool,
}

impl Compiled {
    /// Explains what would happen to a request with this query. It asks every route, one after the other.
    pub fn explain(&self, request: &RequestView<'_>, query: Option<&str>) -> Explanation {
        let found = self.find(request);
        let chosen = found.as_ref().map(|found| found.route.rank);
        let mut candidates: Vec<Candidate> =
            self.routes().iter().map(|route| candidate(route, request, chosen)).collect();
        // Routes of other hosts tell least.
        if candidates.len() > MOST {
            candidates.retain(|candidate| candidate.unmet != Some(Unmet::Host));
            candidates.truncate(MOST);
        }
        Explanation { candidates, outcome: found.map(|found| outcome(&found, request, query)) }
    }
}

fn candidate(route: &CompiledRoute, request: &RequestView<'_>, chosen: Option<usize>) -> Candidate {
    Candidate {
        id: route.route.id.clone(),
        name: route.route.name.clone(),
        priority: route.route.priority,
        unmet: route.matcher.check(request).err(),
        chosen: chosen == Some(route.rank),
    }
}

fn outcome(found: &Match, request: &RequestView<'_>, query: Option<&str>) -> Outcome {
    let (route, steps) = (&found.route.route, &found.route.steps);
    let modifiers = &route.modifiers;
    let path = request.path.as_str();
    let mut headers: HeaderMap = request.headers.clone();
    steps.request_headers.apply(&mut headers);
    let preflight = steps.cors.as_ref().and_then(|cors| cors.preflight(request.method, request.headers));
    let location = match &steps.deed {
        Deed::Redirect(redirect) => Some(redirect.location(request.host, path, query, &found.parameters)),
        _ => None,
    };
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Outcome {
        route: route.id.clone(),
        parameters: found.parameters.clone(),
        action: route.action.clone(),
        target: steps.rewrite.apply(path, query, &found.parameters).map(|target| target.to_string()),
        location,
        request_headers: headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        admitted_by_address: modifiers.addresses.admits(request.client),
        in_maintenance: modifiers.maintenance.as_ref().is_some_and(|rest| rest.answer(request.client).is_some()),
        is_preflight: preflight.is_some(),
        basic_auth: modifiers.basic_auth.is_some(),
        forward_auth: modifiers.forward_auth.clone(),
        require: modifiers.require.clone(),
        client_certificate: modifiers.client_certificate,
        addresses: modifiers.addresses.clone(),
        limits: modifiers.limits.clone(),
        rate_limits: modifiers.rate_limits.clone(),
        shedding: modifiers.shedding,
        cached: modifiers.cache.is_some(),
    }
}
