//! Routes as people write them: rows of the API and entries of a file alike. Nothing here is checked but its shape;
//! see [`crate::RouteTable::compile`].

use std::collections::BTreeMap;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::modifiers::Modifiers;

/// All routes. The order breaks ties only: see [`Route::priority`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteTable {
    #[serde(default)]
    pub routes: Vec<Route>,
}

/// One route: which requests, what is done, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Names the route in logs and metrics: 1 to 80 characters out of a-z, A-Z, 0-9, `-` and `_`, unique.
    pub id: String,
    /// For people.
    #[serde(default)]
    pub name: String,
    /// The higher goes first. Among equals: exact host, longer wildcard, any host; exact path, pattern, longer
    /// prefix; more conditions; the order in the table.
    #[serde(default)]
    pub priority: i32,
    /// A route that is switched off is checked, and never chosen.
    #[serde(default = "yes")]
    pub enabled: bool,
    #[serde(default, rename = "match")]
    pub condition: Condition,
    pub action: Action,
    #[serde(default)]
    pub modifiers: Modifiers,
}

fn yes() -> bool {
    true
}

/// Which requests; what is left out is no condition.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Condition {
    /// `shop.example`, or `*.example` for every name below it. Without a port.
    pub hosts: Vec<String>,
    pub path: Option<PathCondition>,
    pub methods: Vec<String>,
    /// All of them.
    pub headers: Vec<HeaderCondition>,
    /// One of these networks holds the client's address.
    pub clients: Vec<IpNet>,
}

/// A condition on the path, after [`crate::NormalPath`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PathCondition {
    Exact(String),
    /// The path itself and all below it, by whole segments: `/api` is not the beginning of `/apis`.
    Prefix(String),
    /// Segments may be `{name}`; the last may be `{*name}`, one segment or more.
    Pattern(String),
}

/// A condition on a request header. With neither value nor expression it only has to be there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaderCondition {
    pub name: String,
    #[serde(default)]
    pub exact: Option<String>,
    /// A regular expression found anywhere in the value.
    #[serde(default)]
    pub regex: Option<String>,
}

/// What is done with a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// On to the application behind the edge.
    Module,
    /// On to another service.
    Upstream { pool: String },
    /// Files of a folder.
    Files(Files),
    /// `to` is a path or an address; `{path}`, `{query}`, `{host}` and the pattern's names are filled in.
    Redirect {
        to: String,
        #[serde(default = "found")]
        status: u16,
    },
    /// A fixed answer.
    Respond {
        status: u16,
        #[serde(default)]
        headers: BTreeMap<String, String>,
        #[serde(default)]
        body: String,
    },
}

fn found() -> u16 {
    302
}

/// How files are served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// An absolute path. Nothing outside is served, by whatever link.
    pub folder: String,
    /// The file for a folder.
    #[serde(default = "index")]
    pub index: String,
    /// The file for what isn't there, for applications that route in the browser: answered with 200.
    #[serde(default)]
    pub fallback: Option<String>,
    /// Whether `x.br`, `x.zst` and `x.gz` stand for `x` where the client takes them.
    #[serde(default = "yes")]
    pub precompressed: bool,
    /// Seconds for `Cache-Control: max-age`.
    #[serde(default)]
    pub max_age: Option<u64>,
}

fn index() -> String {
    "index.html".to_owned()
}
