//! Limits: in force, and tried.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What tells one quota from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, async_graphql::Enum, poem_openapi::Enum)]
#[serde(rename_all = "snake_case")]
#[oai(rename_all = "snake_case")]
pub enum LimitSubject {
    /// A /64 for IPv6.
    Address,
    /// The credential.
    Key,
    Account,
    Tenant,
    Route,
}

/// A limit in force, with its figures since the process that answers was started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::SimpleObject, poem_openapi::Object)]
pub struct LimitInForce {
    pub name: String,
    /// Whether it is one of everything (`gateway.rate_limits`); otherwise routes name it (`gateway.limits`).
    pub everywhere: bool,
    /// Each combination of these has a quota of its own.
    pub by: Vec<LimitSubject>,
    pub per_minute: i64,
    pub burst: i64,
    /// What a request takes, where its route does not say otherwise.
    pub cost: i64,
    /// It refuses nothing and counts.
    pub dry_run: bool,
    /// It counts for all processes on the same database together.
    pub shared: bool,
    /// Requests that it refused.
    pub refused: i64,
    /// Requests that it would have refused.
    pub would_refuse: i64,
    /// Clients that it remembers.
    pub clients: i64,
}

/// The limits in force in the process that answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::SimpleObject, poem_openapi::Object)]
pub struct LimitsInForce {
    pub limits: Vec<LimitInForce>,
}

/// A limit that might be.
#[derive(Clone, Debug, Serialize, poem_openapi::Object, async_graphql::InputObject)]
#[oai(deny_unknown_fields)]
pub struct LimitHypothesis {
    /// Who has a quota of their own: each combination of these, each named once.
    pub by: Vec<LimitSubject>,
    /// The steady rate, 1 to 4294967295.
    pub per_minute: i64,
    /// Requests that may come at once, 1 to 4294967295.
    pub burst: i64,
    /// What a request takes, at most the burst; 1 when left out.
    pub cost: Option<i64>,
    /// Which of the recent requests, such as `path sw "/shop/"`; all when left out.
    pub filter: Option<String>,
}

/// What a limit would have done to the recent requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::SimpleObject, poem_openapi::Object)]
pub struct LimitSimulation {
    /// When the first of the requests came; null if there are none.
    pub from: Option<DateTime<Utc>>,
    /// When the last of them came.
    pub to: Option<DateTime<Utc>>,
    /// Requests that were replayed.
    pub requests: i64,
    /// Those of them that would have been refused.
    pub refused: i64,
    /// Clients with a quota of their own.
    pub clients: i64,
    /// Those of them who would have had a request refused.
    pub clients_refused: i64,
    /// At most 20: those with the most refusals, then with the most requests.
    pub top: Vec<LimitedClient>,
    /// What the limits in force did to the same requests.
    pub in_force: Vec<LimitToll>,
}

/// One who has a quota of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::SimpleObject, poem_openapi::Object)]
pub struct LimitedClient {
    pub who: Vec<LimitedBy>,
    pub requests: i64,
    pub refused: i64,
}

/// What tells a client from others; an address for those who have no account, tenant or credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::SimpleObject, poem_openapi::Object)]
pub struct LimitedBy {
    pub by: LimitSubject,
    pub value: String,
}

/// What a limit did to some requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::SimpleObject, poem_openapi::Object)]
pub struct LimitToll {
    pub name: String,
    /// Those that it refused.
    pub refused: i64,
    /// Those that it would have refused, in a dry run.
    pub would_refuse: i64,
}
