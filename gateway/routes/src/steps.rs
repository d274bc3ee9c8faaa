//! What a route does, made ready: each step is a function that the gateway calls.

use crate::{
    check::Known,
    cors::CorsRules,
    file_server::FileServer,
    fixed::Fixed,
    header_rules::{self, HeaderRules},
    matcher::{Matcher, Paths},
    model::{Action, Route},
    modifiers::{ForwardAuth, HeaderRule, Modifiers, RateLimitUse, Require},
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
    check_rate_limits(&modifiers.rate_limits, known, faults);
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
        check_forward_auth(auth, faults);
    }
    if let Some(require) = &modifiers.require {
        check_require(require, faults);
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

fn check_require(require: &Require, faults: &mut Faults<'_>) {
    let something = require.login || !require.scopes.is_empty() || !require.roles.is_empty();
    let sentence = "Say login = true, or name scopes or roles.";
    faults.expect(something, "modifiers.require", "routes.require_empty", sentence);
    // They stand in a quoted string of an answer's header, a scope between spaces.
    let token = |name: &String| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'))
    };
    for (at, _) in require.scopes.iter().enumerate().filter(|(_, scope)| !token(scope)) {
        let sentence = "A scope is the name of a permission, such as vault.documents.read.";
        faults.add(&format!("modifiers.require.scopes[{at}]"), "routes.scope_invalid", sentence);
    }
}

fn check_forward_auth(auth: &ForwardAuth, faults: &mut Faults<'_>) {
    let plain = |uri: &http::Uri| {
        let place = uri.authority().is_some_and(|place| !place.as_str().contains('@') && place.port_u16() != Some(0));
        matches!(uri.scheme_str(), Some("http" | "https")) && place && uri.host().is_some_and(|host| !host.is_empty())
    };
    let valid = auth.url.parse().is_ok_and(|uri| plain(&uri));
    let sentence = "Give an http or https address without a user.";
    faults.expect(valid, "modifiers.forward_auth.url", "routes.url_invalid", sentence);
    let bounded = (1..=60).contains(&auth.timeout_seconds);
    faults.expect(bounded, "modifiers.forward_auth.timeout_seconds", "routes.timeout_invalid", "1 to 60 seconds.");
    for (at, name) in auth.copy_headers.iter().enumerate() {
        if let Err((code, sentence)) = header_rules::copied(name) {
            faults.add(&format!("modifiers.forward_auth.copy_headers[{at}]"), code, sentence);
        }
    }
}

fn check_rate_limits(uses: &[RateLimitUse], known: &Known, faults: &mut Faults<'_>) {
    for (at, used) in uses.iter().enumerate() {
        let (name, field) = (used.name(), format!("modifiers.rate_limits[{at}]"));
        let twice = uses.iter().take(at).any(|before| before.name() == name);
        match known.rate_limits.get(name) {
            None => {
                let sentence = format!("There is no rate limit {name:?}; set it in [[gateway.limits]] first.");
                faults.add(&field, "routes.rate_limit_unknown", sentence);
            }
            Some(_) if twice => faults.add(&field, "routes.rate_limit_twice", "It is named before; give it one cost."),
            Some(burst) if used.cost().is_some_and(|cost| cost.get() > *burst) => {
                let sentence = format!("A request can't cost more than the burst of the limit, {burst}.");
                faults.add(&field, "routes.rate_limit_cost", sentence);
            }
            Some(_) => {}
        }
    }
}
