//! Routes, the pools of services behind them, and how they stand.

use chrono::{DateTime, Utc};
use kernel::{Id, IdKind, Patch};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Names a route: `rte_…`.
pub enum RouteKind {}
impl IdKind for RouteKind {
    const PREFIX: &'static str = "rte";
}
/// Names a route.
pub type RouteId = Id<RouteKind>;

/// Names a pool: `pol_…`.
pub enum PoolKind {}
impl IdKind for PoolKind {
    const PREFIX: &'static str = "pol";
}
/// Names a pool.
pub type PoolId = Id<PoolKind>;

/// Which requests, what is done with them, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::SimpleObject, poem_openapi::Object)]
pub struct Route {
    pub id: RouteId,
    /// In logs, metrics and problems: 1 to 80 letters, digits, - and _.
    pub name: String,
    /// The higher goes first; among equals the narrower one.
    pub priority: i32,
    /// A route that is switched off is checked, and never chosen.
    pub enabled: bool,
    /// Which requests: `hosts`, `path`, `methods`, `headers`, `clients`; what is left out is no condition.
    #[oai(rename = "match")]
    #[graphql(name = "match")]
    #[serde(rename = "match")]
    pub condition: Value,
    /// What is done: an object with a `kind` and what belongs to it.
    pub action: Value,
    /// How: `rewrite`, `limits`, `cache`, `basic_auth` and so on.
    pub modifiers: Value,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// Grows with every change; the entity tag.
    pub version: i64,
}

/// What a route is made of.
#[derive(Clone, Debug, Serialize, poem_openapi::Object, async_graphql::InputObject)]
#[oai(deny_unknown_fields)]
pub struct NewRoute {
    /// 1 to 80 letters, digits, - and _; unique.
    pub name: String,
    /// 0 when left out.
    pub priority: Option<i32>,
    /// True when left out.
    pub enabled: Option<bool>,
    /// All requests when left out.
    #[oai(rename = "match")]
    #[graphql(name = "match")]
    pub condition: Option<Value>,
    /// Such as `{"kind": "upstream", "pool": "shop"}`.
    pub action: Value,
    pub modifiers: Option<Value>,
}

/// What can be changed of a route. Objects are merge patches (RFC 7396): null takes a member out.
#[derive(Clone, Debug, Default, Serialize, poem_openapi::Object, async_graphql::InputObject)]
#[oai(deny_unknown_fields)]
pub struct UpdateRoute {
    #[graphql(default)]
    pub name: Patch<String>,
    #[graphql(default)]
    pub priority: Patch<i32>,
    #[graphql(default)]
    pub enabled: Patch<bool>,
    #[oai(rename = "match")]
    #[graphql(default, name = "match")]
    pub condition: Patch<Value>,
    #[graphql(default)]
    pub action: Patch<Value>,
    #[graphql(default)]
    pub modifiers: Patch<Value>,
}

/// Servers that answer alike, and how requests are spread over them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::SimpleObject, poem_openapi::Object)]
pub struct Pool {
    pub id: PoolId,
    /// By which routes name it.
    pub name: String,
    /// `targets`, `balance`, `health`, `timeouts`, `retry` and so on.
    pub settings: Value,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// Grows with every change; the entity tag.
    pub version: i64,
}

/// What a pool is made of.
#[derive(Clone, Debug, Serialize, poem_openapi::Object, async_graphql::InputObject)]
#[oai(deny_unknown_fields)]
pub struct NewPool {
    /// 1 to 80 letters, digits, - and _; unique.
    pub name: String,
    /// Such as `{"targets": [{"url": "http://10.0.0.7:3000"}], "reach": "anywhere"}`. Without `reach`, only public
    /// addresses are connected to.
    pub settings: Value,
}

/// What can be changed of a pool. The settings are a merge patch (RFC 7396): null takes a member out.
#[derive(Clone, Debug, Default, Serialize, poem_openapi::Object, async_graphql::InputObject)]
#[oai(deny_unknown_fields)]
pub struct UpdatePool {
    #[graphql(default)]
    pub name: Patch<String>,
    #[graphql(default)]
    pub settings: Patch<Value>,
}

/// A request that might come.
#[derive(Clone, Debug, Serialize, poem_openapi::Object, async_graphql::InputObject)]
#[oai(deny_unknown_fields)]
pub struct RouteQuestion {
    /// `GET` when left out.
    pub method: Option<String>,
    /// Without a port.
    pub host: String,
    /// Path, and query if there is one.
    pub target: String,
    /// Lines such as `Accept: text/html`.
    pub headers: Option<Vec<String>>,
    /// The client's address; 127.0.0.1 when left out.
    pub client: Option<String>,
}

/// What would happen to a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, async_graphql::SimpleObject, poem_openapi::Object)]
pub struct RouteVerdict {
    /// The route that takes it; none: it goes to Holdfast itself.
    pub route: Option<String>,
    /// Each route in the order in which they are asked, with why it doesn't take the request.
    pub candidates: Value,
    /// What the route that takes it does.
    pub outcome: Value,
}

/// What is in force in the process that answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::SimpleObject, poem_openapi::Object)]
pub struct RoutingStatus {
    /// The version of the rows that is in force here.
    pub applied: i64,
    /// The latest version of the rows.
    pub version: i64,
    /// Routes in force, those of the file included.
    pub routes: i64,
    /// Pools in force, those of the file included.
    pub pools: i64,
    /// Why the rows are not in force, if they aren't: they and the file don't go together.
    pub problems: Vec<String>,
}

/// How a pool stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::SimpleObject, poem_openapi::Object)]
pub struct PoolStatus {
    pub name: String,
    /// Requests under way.
    pub in_flight: i64,
    /// Where requests of normal priority are turned away; none without load shedding.
    pub limit: Option<i64>,
    /// Each server: its address, health, load and times.
    pub targets: Value,
}

/// How all pools stand in the process that answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::SimpleObject, poem_openapi::Object)]
pub struct UpstreamStatus {
    pub pools: Vec<PoolStatus>,
}

/// What to purge: one of `url`, `keys`, `host` and `prefix`, or `everything`.
#[derive(Clone, Debug, Default, Serialize, poem_openapi::Object, async_graphql::InputObject)]
#[oai(deny_unknown_fields)]
pub struct PurgeAnswers {
    /// What this URL answers, in all its variants, such as `https://shop.example/item?id=7`.
    pub url: Option<String>,
    /// What this host answers (with its port where it has one); all hosts when left out.
    pub host: Option<String>,
    /// What paths answer that begin so, such as `/shop/`; all paths when left out.
    pub prefix: Option<String>,
    /// Answers that carry one of these names in `Surrogate-Key` or `Cache-Tag`; at most 100.
    pub keys: Option<Vec<String>>,
    /// Every answer of every host.
    pub everything: Option<bool>,
    /// Whether answers stay as stale ones: shown while the service is asked again, as far as they or their route allow
    /// it by `stale-while-revalidate` and `stale-if-error`, and confirmed by a 304. Otherwise they are gone.
    pub soft: Option<bool>,
}

/// A purge as every process does it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CachePurge {
    /// Which answers.
    pub what: PurgeWhat,
    /// Whether they stay as stale ones.
    pub soft: bool,
}

/// Which answers a purge is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PurgeWhat {
    /// Those of a URL.
    Url(String),
    /// Those of paths that begin so, on one host or on all.
    Prefix {
        /// All when there is none.
        host: Option<String>,
        /// `/` for all.
        prefix: String,
    },
    /// Those with one of these names.
    Keys(Vec<String>),
}

/// What a purge did in the process that answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::SimpleObject, poem_openapi::Object)]
pub struct Purged {
    /// Answers that are gone, or count as stale. Other processes follow within a second, and count their own.
    pub answers: i64,
}
