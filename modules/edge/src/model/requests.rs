//! Requests, as operators see them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A request that the process that answers has seen lately. There is no query, no header field and no body in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::SimpleObject, poem_openapi::Object)]
pub struct EdgeRequest {
    /// Grows by one with each request of the process.
    pub number: i64,
    /// When it came.
    pub at: DateTime<Utc>,
    pub method: String,
    /// `http` or `https`, as the client sees it.
    pub scheme: String,
    pub host: Option<String>,
    /// Without the query; cut after 1024 bytes.
    pub path: String,
    /// Such as `HTTP/2.0`.
    pub protocol: String,
    /// 499: the client left before the answer.
    pub status: i64,
    /// Microseconds from the head of the request to that of its answer.
    pub duration_us: i64,
    /// Bytes of the answer's body that were sent so far.
    pub bytes: i64,
    /// Whether the answer has ended.
    pub complete: bool,
    /// The route that took it; none: it went to Holdfast itself.
    pub route: Option<String>,
    /// The template of Holdfast's own operation that answered.
    pub operation: Option<String>,
    pub pool: Option<String>,
    /// The server of the pool that answered.
    pub upstream: Option<String>,
    /// `hit`, `miss`, `collapsed`, `stale` or `bypass`.
    pub cache: Option<String>,
    /// `refused`, or `would_refuse` by a limit in a dry run.
    pub limit_outcome: Option<String>,
    /// The limits that refused it.
    pub refused_by: Vec<String>,
    /// The limits in a dry run that would have refused it.
    pub would_refuse: Vec<String>,
    /// The client's.
    pub address: String,
    pub tenant_id: Option<String>,
    /// The tenant's short name.
    pub tenant: Option<String>,
    pub account_id: Option<String>,
    /// `anonymous`, `account`, `api_key`, or `refused` for a credential that did not hold.
    pub actor: Option<String>,
    /// The credential by a hash under a key of this process, to tell one from another.
    pub credential: Option<String>,
    pub request_id: String,
    pub trace_id: String,
}

/// What a tail tells: one of the two.
#[derive(Clone, Debug, PartialEq, Eq, async_graphql::SimpleObject)]
pub struct RequestTold {
    /// A request.
    pub request: Option<EdgeRequest>,
    /// So many requests came and went while the tail was read too slowly.
    pub missed: Option<i64>,
}

/// Requests that came and went while the tail was read too slowly.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct MissedRequests {
    pub(crate) missed: u64,
}
