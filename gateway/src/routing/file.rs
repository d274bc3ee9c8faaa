//! The file of routes: read, checked as a whole, explained.

use std::{collections::BTreeMap, fmt, fs, net::IpAddr, path::Path};

use edge_routes::{Compiled, Explanation, Known, NormalPath, Problem, RequestView, Route, RouteTable};
use edge_upstream::config::{ConfigError, PoolConfig};
use http::{HeaderMap, Method};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::forward_auth;
use crate::limits::NamedLimit;

/// What a file of routes says; its routes are not checked yet.
#[derive(Clone, Debug, Default)]
pub struct RoutesFile {
    table: RouteTable,
    pools: BTreeMap<String, PoolConfig>,
}

/// Everything that is wrong with a file of routes; nothing of it is in force.
#[derive(Debug)]
pub struct RoutesError(pub Vec<Problem>);

/// A request that [`RoutesFile::explain`] is asked about.
#[derive(Debug)]
pub struct Ask {
    pub method: Method,
    /// Without a port.
    pub host: String,
    /// Path, and query if there is one.
    pub target: String,
    pub headers: HeaderMap,
    pub client: IpAddr,
}

impl fmt::Display for RoutesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("The routes can't be used:")?;
        self.0.iter().try_for_each(|Problem { path, code, sentence }| write!(f, "\n  {path}: {sentence} ({code})"))
    }
}

impl std::error::Error for RoutesError {}

/// Routes and pools that hold together.
pub(crate) struct Checked {
    pub(crate) routes: Compiled,
    pub(crate) pools: BTreeMap<String, PoolConfig>,
}

impl RoutesFile {
    /// Reads a file.
    ///
    /// # Errors
    /// It can't be read, is no TOML, or has fields that no route or pool has: all of them.
    pub fn read(path: &Path) -> Result<Self, RoutesError> {
        let text = fs::read_to_string(path).map_err(|error| {
            let sentence = format!("{error}; check gateway.routing.file.");
            RoutesError(vec![problem(path.display().to_string(), "routes.file_unreadable", sentence)])
        })?;
        Self::parse(&text)
    }

    /// Reads the text of a file. A pool may reach any address unless it says `reach = "guarded"`: the file is the
    /// operator's.
    ///
    /// # Errors
    /// See [`RoutesFile::read`].
    pub fn parse(text: &str) -> Result<Self, RoutesError> {
        let table: toml::Table = toml::from_str(text).map_err(|error| RoutesError(vec![syntax(text, &error)]))?;
        // JSON's reader takes numbers as keys, such as those of `status_ttl`, which TOML writes as texts.
        let members = match serde_json::to_value(table) {
            Ok(Value::Object(members)) => members,
            _ => Map::new(),
        };
        Self::of(members, "anywhere")
    }

    /// Reads routes and pools that came another way, as an object with `routes` and `pools`. A pool reaches public
    /// addresses only unless it says `reach = "anywhere"`.
    ///
    /// # Errors
    /// Fields that no route or pool has: all of them.
    pub fn from_json(members: Map<String, Value>) -> Result<Self, RoutesError> {
        Self::of(members, "guarded")
    }

    fn of(mut members: Map<String, Value>, reach: &str) -> Result<Self, RoutesError> {
        let mut problems = Vec::new();
        let routes = routes(members.remove("routes"), reach, &mut problems);
        let pools = pools(members.remove("pools"), reach, &mut problems);
        for name in members.keys() {
            let sentence = "There are [[routes]] and [pools.NAME] only.";
            problems.push(problem(name.clone(), "routes.shape_invalid", sentence));
        }
        if !problems.is_empty() {
            return Err(RoutesError(problems));
        }
        Ok(Self { table: RouteTable { routes }, pools })
    }

    /// These, and others after them. A pool of the others with the same name is an error of theirs.
    ///
    /// # Errors
    /// The pools that both have.
    pub fn with(mut self, others: &Self) -> Result<Self, RoutesError> {
        let both = others.pools.keys().filter(|name| self.pools.contains_key(*name));
        let taken = |name: &String| {
            let sentence = "The file of routes has a pool of this name; choose another.";
            problem(format!("pools.{name}"), "routes.pool_taken", sentence)
        };
        let problems: Vec<Problem> = both.map(taken).collect();
        if !problems.is_empty() {
            return Err(RoutesError(problems));
        }
        self.table.routes.extend(others.table.routes.iter().cloned());
        self.pools.extend(others.pools.iter().map(|(name, pool)| (name.clone(), pool.clone())));
        Ok(self)
    }

    /// How many routes and pools there are.
    pub fn size(&self) -> (usize, usize) {
        (self.table.routes.len(), self.pools.len())
    }

    /// Checks everything as a whole. These are the limits that there are.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn check(self, limits: &[NamedLimit]) -> Result<(), RoutesError> {
        self.compile(limits).map(drop)
    }

    /// Says what would happen to a request. These are the limits that there are.
    ///
    /// # Errors
    /// Everything that is wrong with the file, or the path of the request.
    pub fn explain(self, ask: &Ask, limits: &[NamedLimit]) -> Result<Explanation, RoutesError> {
        let checked = self.compile(limits)?;
        let (path, query) = match ask.target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (ask.target.as_str(), None),
        };
        let path = NormalPath::parse(path)
            .map_err(|error| RoutesError(vec![problem("path".to_owned(), "edge.path", error.to_string())]))?;
        let host = ask.host.to_ascii_lowercase();
        let (method, headers, client) = (&ask.method, &ask.headers, ask.client);
        let view = RequestView { host: &host, path: &path, method, headers, client };
        Ok(checked.routes.explain(&view, query))
    }

    pub(crate) fn compile(self, limits: &[NamedLimit]) -> Result<Checked, RoutesError> {
        let mut problems = Vec::new();
        for (name, pool) in &self.pools {
            if name.contains(':') {
                let sentence = "A pool's name has no colon.";
                problems.push(problem(format!("pools.{name}"), "routes.pool_invalid", sentence));
            }
            problems
                .extend(pool.check().err().into_iter().flat_map(|faults| pool_problems(&format!("{name}."), faults)));
        }
        let known = Known {
            pools: self.pools.keys().cloned().collect(),
            rate_limits: limits.iter().map(|limit| (limit.name.clone(), limit.burst.get())).collect(),
        };
        match self.table.compile(&known) {
            Ok(routes) if problems.is_empty() => {
                let pools = self.pools.into_iter().chain(deciding(&routes)).collect();
                Ok(Checked { routes, pools })
            }
            Ok(_) => Err(RoutesError(problems)),
            Err(more) => {
                problems.extend(more);
                Err(RoutesError(problems))
            }
        }
    }
}

/// The pools of services that decide who may pass.
fn deciding(routes: &Compiled) -> impl Iterator<Item = (String, PoolConfig)> {
    routes.routes().iter().filter_map(|route| {
        let auth = route.route.modifiers.forward_auth.as_ref()?;
        Some((forward_auth::pool_name(&route.route.id), forward_auth::pool(auth)?))
    })
}

/// What is wrong with pools, by their places in the file.
pub(crate) fn pool_problems(prefix: &str, ConfigError(faults): ConfigError) -> Vec<Problem> {
    let named = |fault: edge_upstream::config::Invalid| {
        problem(format!("pools.{prefix}{}", fault.path), "routes.pool_invalid", format!("It {}.", fault.sentence))
    };
    faults.into_iter().map(named).collect()
}

fn problem(path: String, code: &'static str, sentence: impl Into<String>) -> Problem {
    Problem { path, code, sentence: sentence.into() }
}

fn syntax(text: &str, error: &toml::de::Error) -> Problem {
    let line =
        error.span().and_then(|span| text.get(..span.start)).map_or(1, |before| before.matches('\n').count() + 1);
    problem(format!("line {line}"), "routes.syntax_invalid", format!("No TOML: {}.", error.message()))
}

fn routes(written: Option<Value>, reach: &str, problems: &mut Vec<Problem>) -> Vec<Route> {
    let entries = match written {
        None => Vec::new(),
        Some(Value::Array(entries)) => entries,
        Some(_) => {
            problems.push(problem("routes".to_owned(), "routes.shape_invalid", "Write each route as [[routes]]."));
            Vec::new()
        }
    };
    let read = |(at, mut entry): (usize, Value)| {
        if let Some(Value::Object(auth)) = entry.pointer_mut("/modifiers/forward_auth") {
            auth.entry("reach").or_insert_with(|| Value::from(reach));
        }
        shaped(format!("routes[{at}]"), entry, problems)
    };
    entries.into_iter().enumerate().filter_map(read).collect()
}

fn pools(written: Option<Value>, reach: &str, problems: &mut Vec<Problem>) -> BTreeMap<String, PoolConfig> {
    let entries = match written {
        None => Map::new(),
        Some(Value::Object(entries)) => entries,
        Some(_) => {
            problems.push(problem("pools".to_owned(), "routes.shape_invalid", "Write each pool as [pools.NAME]."));
            Map::new()
        }
    };
    let read = |(name, mut entry): (String, Value)| {
        if let Value::Object(members) = &mut entry {
            members.entry("reach").or_insert_with(|| Value::from(reach));
        }
        let pool = shaped(format!("pools.{name}"), entry, problems)?;
        Some((name, pool))
    };
    entries.into_iter().filter_map(read).collect()
}

fn shaped<T: DeserializeOwned>(path: String, entry: Value, problems: &mut Vec<Problem>) -> Option<T> {
    let read = serde_json::from_value(entry);
    read.map_err(|error| problems.push(problem(path, "routes.shape_invalid", format!("{error}.")))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<(String, &'static str)> {
        let error = RoutesFile::parse(text).and_then(|file| file.check(&[])).unwrap_err();
        error.0.into_iter().map(|problem| (problem.path, problem.code)).collect()
    }

    #[test]
    fn every_problem_is_told_with_its_place() {
        let shape = "extra = 1\n[[routes]]\nid = \"a\"\nactoin = {}\n[pools.p]\ntargets = []\nx = 1";
        assert_eq!(codes(shape).len(), 3);
        assert_eq!(codes("[[routes]\n"), [("line 1".to_owned(), "routes.syntax_invalid")]);

        let meaning = r#"
            [[routes]]
            id = "a"
            action = { kind = "upstream", pool = "gone" }
            modifiers = { require = { scopes = ["a b"] } }
            [pools.p]
            targets = []
        "#;
        let expected = [
            ("pools.p.targets", "routes.pool_invalid"),
            ("routes[0].modifiers.require.scopes[0]", "routes.scope_invalid"),
            ("routes[0].action.pool", "routes.pool_unknown"),
        ];
        assert_eq!(codes(meaning), expected.map(|(path, code)| (path.to_owned(), code)));
    }

    #[test]
    fn numbers_are_keys_and_an_operator_s_pool_reaches_anywhere() {
        let text = r#"
            [[routes]]
            id = "a"
            action = { kind = "upstream", pool = "p" }
            modifiers.cache.status_ttl = { 404 = 10 }
            [pools.p]
            targets = [{ url = "http://127.0.0.1:1" }]
        "#;

        let file = RoutesFile::parse(text).unwrap();

        assert_eq!(file.pools["p"].reach, edge_upstream::config::Reach::Anywhere);
        assert_eq!(file.table.routes[0].modifiers.cache.as_ref().unwrap().status_ttl[&404], 10);
        file.check(&[]).unwrap();
    }
}
