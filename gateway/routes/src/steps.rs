//! What a route does, made ready: each step is a function that the gateway calls.

use crate::{
    check::Known,
    cors::CorsRules,
    file_server::FileServer,
    fixed::Fixed,
    header_rules::HeaderRules,
    matcher::{Matcher, Paths},
    model::{Action, Route},
    modifiers::{HeaderRule, Modifiers},
    problem::Faults,
    redirect::Redirect,
    rewrite::Rewriting,
};

/// The action, ready.
#[derive(Debug)]
pub enum Deed {
    /// On to the application behind the edge.
    Module,
    /// On to the pool of this name.
    Upstream(String),
    Files(FileServer),
    Redirect(Redirect),
    Respond(Fixed),
}

/// A route's action and changes, ready.
#[derive(Debug)]
pub struct Steps {
    pub deed: Deed,
    pub rewrite: Rewriting,
    pub request_headers: HeaderRules,
    pub response_headers: HeaderRules,
    pub cors: Option<CorsRules>,
}

impl Steps {
    pub(crate) fn new(route: &Route, matcher: &Matcher, known: &Known, faults: &mut Faults<'_>) -> Self {
        let names: Vec<&str> = match &matcher.path {
            Paths::Pattern(pattern) => pattern.names().collect(),
            _ => Vec::new(),
        };
        let modifiers = &route.modifiers;
        check_modifiers(modifiers, known, faults);
        Self {
            deed: deed(&route.action, &names, known, faults),
            rewrite: Rewriting::new(modifiers.rewrite.as_ref(), &names, faults),
            request_headers: rules(&modifiers.request_headers, "modifiers.request_headers", faults),
            response_headers: rules(&modifiers.response_headers, "modifiers.response_headers", faults),
            cors: modifiers.cors.as_ref().map(|cors| CorsRules::new(cors, faults)),
        }
    }
}

fn rules(rules: &[HeaderRule], field: &str, faults: &mut Faults<'_>) -> HeaderRules {
    HeaderRules::new(rules, field, faults)
}

fn deed(action: &Action, names: &[&str], known: &Known, faults: &mut Faults<'_>) -> Deed {
    match action {
        Action::Module => Deed::Module,
        Action::Upstream { pool } => {
            if !known.pools.contains(pool) {
                faults.add(
                    "action.pool",
                    "routes.pool_unknown",
                    format!("There is no pool {pool:?}; create it first."),
                );
            }
            Deed::Upstream(pool.clone())
        }
        Action::Files(files) => Deed::Files(FileServer::new(files, faults)),
        Action::Redirect { to, status } => Deed::Redirect(Redirect::new(to, *status, names, faults)),
        Action::Respond { status, headers, body } => Deed::Respond(Fixed::new(*status, headers, body, faults)),
    }
}

fn check_modifiers(modifiers: &Modifiers, known: &Known, faults: &mut Faults<'_>) {
    for (at, name) in modifiers.rate_limits.iter().enumerate() {
        if !known.rate_limits.contains(name) {
            let sentence = format!("There is no rate limit {name:?}; create it first.");
            faults.add(&format!("modifiers.rate_limits[{at}]"), "routes.rate_limit_unknown", sentence);
        }
    }
    for (at, user) in modifiers.basic_auth.iter().flat_map(|auth| &auth.users).enumerate() {
        let valid = user.hash.starts_with("$argon2") && argon2::PasswordHash::new(&user.hash).is_ok();
        let sentence = "Give an Argon2 hash in PHC form, $argon2id$…, never a password.";
        faults.expect(valid, &format!("modifiers.basic_auth.users[{at}].hash"), "routes.hash_invalid", sentence);
    }
    if let Some(auth) = &modifiers.basic_auth {
        let plain = auth.realm.chars().all(|c| (' '..='~').contains(&c) && c != '"' && c != '\\');
        let sentence = "A realm is plain text without quotes.";
        faults.expect(plain && !auth.realm.is_empty(), "modifiers.basic_auth.realm", "routes.realm_invalid", sentence);
    }
    if let Some(auth) = &modifiers.forward_auth {
        let uri: Option<http::Uri> = auth.url.parse().ok();
        let valid = uri.is_some_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some());
        faults.expect(valid, "modifiers.forward_auth.url", "routes.url_invalid", "Give an http or https address.");
        let bounded = (1..=60).contains(&auth.timeout_seconds);
        faults.expect(bounded, "modifiers.forward_auth.timeout_seconds", "routes.timeout_invalid", "1 to 60 seconds.");
    }
    let limits = &modifiers.limits;
    let sentence = "Give at least 1, or leave it out.";
    faults.expect(limits.timeout_seconds != Some(0), "modifiers.limits.timeout_seconds", "routes.limit_zero", sentence);
    if let Some(policy) = &modifiers.cache {
        let names = policy.vary_allowed.iter().flatten();
        let valid = names.clone().all(|name| http::HeaderName::try_from(name.as_str()).is_ok());
        faults.expect(valid, "modifiers.cache.vary_allowed", "routes.header_invalid", "Give header names.");
        let percent = policy.heuristic_percent <= 100;
        faults.expect(percent, "modifiers.cache.heuristic_percent", "routes.percent_invalid", "0 to 100.");
    }
}
