//! The edge's routes as data: which requests, what is done with them, and why.
//!
//! Start at [`RouteTable`]: what people write, as rows or as a file. [`RouteTable::compile`] checks it as a whole and
//! gives a [`Compiled`] table or every [`Problem`]. [`Compiled::find`] looks a request's route up by host and path,
//! [`Compiled::explain`] says what would happen to it, [`LiveRoutes`] swaps a table while requests run. A route's
//! [`Steps`] and modifiers are functions that the gateway calls in its own order: [`NormalPath::parse`] first, then
//! address, maintenance, CORS preflight, authentication, rewrite, headers, the deed, and on the way out headers, CORS,
//! security headers and compression.
//!
//! It opens no connection and knows no module, no database and no gateway: pools, limits and the cache are names and
//! values here. Only [`FileServer`] reads, from its folder.

mod check;
mod compiled;
mod compress;
mod cors;
mod explain;
mod file_server;
mod fixed;
mod header_rules;
mod live;
mod loops;
mod matcher;
mod model;
mod modifiers;
mod negotiation;
mod path;
mod pattern;
mod problem;
mod range;
mod redirect;
mod rewrite;
mod security;
mod steps;
mod template;

pub use check::Known;
pub use compiled::{Compiled, CompiledRoute, Match};
pub use compress::StepBody;
pub use cors::CorsRules;
pub use explain::{Candidate, Explanation, Outcome};
pub use file_server::FileServer;
pub use fixed::Fixed;
pub use header_rules::HeaderRules;
pub use live::LiveRoutes;
pub use matcher::{RequestView, Unmet};
pub use model::{Action, Condition, Files, HeaderCondition, PathCondition, Route, RouteTable};
pub use modifiers::{
    Addresses, BasicAuth, BasicUser, CachePolicy, Compression, Cors, CostlyUse, Encoding, ForwardAuth, HeaderRule,
    Maintenance, Modifiers, RateLimitUse, Require, Rewrite, RouteLimits, SecurityHeaders, ServiceReach, Shedding,
};
pub use path::{NormalPath, PathProblem};
pub use pattern::Parameters;
pub use problem::Problem;
pub use redirect::Redirect;
pub use rewrite::Rewriting;
pub use steps::{Deed, Steps};
