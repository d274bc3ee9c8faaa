//! A table checked as a whole, and made ready.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use http::{HeaderName, Method};
use regex_lite::Regex;

use crate::{
    compiled::Compiled,
    loops::redirect_loops,
    matcher::{Header, HeaderValueCondition, Host, Matcher, Paths},
    model::{Condition, HeaderCondition, Route, RouteTable},
    problem::{Faults, Problem},
    steps::Steps,
};

/// What routes may name.
#[derive(Clone, Debug, Default)]
pub struct Known {
    pub pools: BTreeSet<String>,
    /// With the most that one request may cost.
    pub rate_limits: BTreeMap<String, u32>,
}

impl RouteTable {
    /// Checks all routes together and indexes them.
    ///
    /// # Errors
    /// Every fault that was found, in the order of the table. Then nothing is in force.
    pub fn compile(self, known: &Known) -> Result<Compiled, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut ids: HashMap<String, usize> = HashMap::new();
        let mut checked = Vec::with_capacity(self.routes.len());
        for (at, route) in self.routes.into_iter().enumerate() {
            let mut faults = Faults { place: format!("routes[{at}]"), all: &mut problems };
            check_id(&route, &mut faults);
            if let Some(first) = ids.insert(route.id.clone(), at) {
                faults.add("id", "routes.id_taken", format!("routes[{first}] has this id; choose another."));
            }
            let matcher = matcher(&route.condition, &mut faults);
            let steps = Steps::new(&route, &matcher, known, &mut faults);
            checked.push((route, matcher, steps));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let places: HashMap<String, usize> = ids;
        let compiled = Compiled::new(checked);
        problems.extend(shadowed(&compiled, &places));
        problems.extend(redirect_loops(&compiled, &places));
        problems.sort_by(|one, other| one.path.cmp(&other.path));
        if problems.is_empty() { Ok(compiled) } else { Err(problems) }
    }
}

fn check_id(route: &Route, faults: &mut Faults<'_>) {
    let valid = (1..=80).contains(&route.id.len())
        && route.id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    faults.expect(valid, "id", "routes.id_invalid", "An id has 1 to 80 letters, digits, - and _.");
}

fn matcher(condition: &Condition, faults: &mut Faults<'_>) -> Matcher {
    let mut hosts = Vec::new();
    for (at, text) in condition.hosts.iter().enumerate() {
        match host(text) {
            Some(host) => hosts.push(host),
            None => faults.add(
                &format!("match.hosts[{at}]"),
                "routes.host_invalid",
                format!("{text:?} is no host such as shop.example or *.example; leave out scheme and port."),
            ),
        }
    }
    if hosts.is_empty() {
        hosts.push(Host::Any);
    }
    let path = Paths::of(condition.path.as_ref()).unwrap_or_else(|reason| {
        faults.add("match.path", "routes.path_invalid", reason);
        Paths::Any
    });
    let mut methods = Vec::new();
    for (at, text) in condition.methods.iter().enumerate() {
        match Method::try_from(text.as_str()) {
            Ok(method) if !text.bytes().any(|b| b.is_ascii_lowercase()) => methods.push(method),
            _ => faults.add(
                &format!("match.methods[{at}]"),
                "routes.method_invalid",
                format!("{text:?} is no method; write it in capitals, such as GET."),
            ),
        }
    }
    let mut headers = Vec::new();
    for (at, condition) in condition.headers.iter().enumerate() {
        match header(condition) {
            Ok(header) => headers.push(header),
            Err(reason) => faults.add(&format!("match.headers[{at}]"), "routes.header_invalid", reason),
        }
    }
    Matcher { hosts, path, methods, headers, clients: condition.clients.clone() }
}

fn host(text: &str) -> Option<Host> {
    let name = text.strip_prefix("*.").unwrap_or(text);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let address = text.starts_with('[') && text.trim_matches(['[', ']']).parse::<std::net::Ipv6Addr>().is_ok();
    if !address && (name.len() > 253 || !name.split('.').all(label)) {
        return None;
    }
    let name = name.to_ascii_lowercase();
    Some(if text.starts_with("*.") { Host::Below(format!(".{name}")) } else { Host::Exact(name) })
}

fn header(condition: &HeaderCondition) -> Result<Header, String> {
    let name = HeaderName::try_from(condition.name.as_str())
        .map_err(|_| format!("{:?} is no header name.", condition.name))?;
    let value = match (&condition.exact, &condition.regex) {
        (Some(_), Some(_)) => return Err("Give either exact or regex.".to_owned()),
        (Some(text), None) => HeaderValueCondition::Exact(text.clone()),
        (None, Some(text)) => HeaderValueCondition::Regex(Regex::new(text).map_err(|error| error.to_string())?),
        (None, None) => HeaderValueCondition::Present,
    };
    Ok(Header { name, value })
}

/// Routes that an earlier one leaves nothing for: the same condition twice, or a wider one before a narrower.
fn shadowed(compiled: &Compiled, places: &HashMap<String, usize>) -> Vec<Problem> {
    let mut found = Vec::new();
    for route in compiled.routes() {
        let path = route.matcher.path.sample();
        let hosts = route.matcher.hosts.iter().map(Host::sample);
        let mut before: Vec<usize> = hosts.flat_map(|host| compiled.candidates(&host, &path)).collect();
        before.retain(|rank| *rank < route.rank);
        before.sort_unstable();
        before.dedup();
        let first = before.iter().map(|rank| &compiled.routes()[*rank]).find(|b| b.matcher.covers(&route.matcher));
        let Some(first) = first else { continue };
        let same = route.matcher.covers(&first.matcher) && first.route.priority == route.route.priority;
        let code = if same { "routes.conflict" } else { "routes.unreachable" };
        let at = places.get(&route.route.id).copied().unwrap_or_default();
        let what = if same { "has the same condition" } else { "takes every request before it" };
        let sentence =
            format!("Route {:?} {what}; change a condition or a priority, or remove one of them.", first.route.id);
        found.push(Problem { path: format!("routes[{at}].match"), code, sentence });
    }
    found
}
