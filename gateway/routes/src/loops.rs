//! Redirects that lead back to themselves.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use http::{HeaderMap, Method, Uri};

use crate::{
    compiled::{Compiled, CompiledRoute},
    matcher::{Host, RequestView},
    path::NormalPath,
    problem::Problem,
    steps::Deed,
};

/// As many as browsers follow, about.
const MOST_STEPS: usize = 20;

/// Follows each redirect from a path and host that its route matches, as long as it stays with us.
pub(crate) fn redirect_loops(compiled: &Compiled, places: &HashMap<String, usize>) -> Vec<Problem> {
    let mut found = Vec::new();
    for route in compiled.routes().iter().filter(|route| matches!(route.steps.deed, Deed::Redirect(_))) {
        let Some(through) = follow(compiled, route) else { continue };
        let at = places.get(&route.route.id).copied().unwrap_or_default();
        let sentence = format!("The redirect leads back to itself by way of {}; aim it elsewhere.", through.join(", "));
        found.push(Problem { path: format!("routes[{at}].action.to"), code: "routes.redirect_loop", sentence });
    }
    found
}

/// The routes by which a redirect comes back to itself.
fn follow(compiled: &Compiled, start: &Arc<CompiledRoute>) -> Option<Vec<String>> {
    let mut host = start.matcher.hosts.first()?.sample();
    let mut path = start.matcher.path.sample();
    let mut through = Vec::new();
    let mut crossed = false;
    for _ in 0..MOST_STEPS {
        let normal = NormalPath::parse(&path).ok()?;
        let (headers, client) = (HeaderMap::new(), IpAddr::V4(Ipv4Addr::LOCALHOST));
        let view = RequestView { host: &host, path: &normal, method: &Method::GET, headers: &headers, client };
        // A route with further conditions is followed as if its first request met them.
        let found = compiled.find(&view);
        let (route, parameters) = match found {
            Some(found) => (found.route, found.parameters),
            None if through.is_empty() => (Arc::clone(start), start.matcher.path.matches(normal.as_str())?),
            None => return None,
        };
        if through.is_empty() && route.rank != start.rank {
            return None;
        }
        // Another host is ours only where a route names it.
        let named = |own: &Host| *own != Host::Any && own.matches(&host);
        if crossed && !route.matcher.hosts.iter().any(named) {
            return None;
        }
        if !through.is_empty() && route.rank == start.rank {
            return Some(through);
        }
        let Deed::Redirect(redirect) = &route.steps.deed else { return None };
        through.push(route.route.id.clone());
        let location: Uri = redirect.location(&host, normal.as_str(), None, &parameters).parse().ok()?;
        let next = location.host().map_or_else(|| host.clone(), str::to_ascii_lowercase);
        crossed = next != host;
        host = next;
        location.path().clone_into(&mut path);
    }
    None
}
