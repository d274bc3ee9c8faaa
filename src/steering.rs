//! The gateway's routes, as the edge's rows are put in force in them.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use async_trait::async_trait;
use edge::{CachePurge, PoolStatus, PurgeWhat, RouteQuestion, RouteVerdict, RoutingProblem, RoutingRows, Steering};
use gateway::{Ask, Purge, RoutesError, RoutesFile, Routing};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Map, Value, json};

/// The live routes of this process.
pub struct LiveRoutes(pub Arc<Routing>);

#[async_trait]
impl Steering for LiveRoutes {
    fn check(&self, rows: &RoutingRows) -> Result<(), Vec<RoutingProblem>> {
        let read = RoutesFile::from_json(members(rows)).map_err(|error| named(rows, 0, error))?;
        self.0.check_rows(&read).map_err(|error| named(rows, self.0.routes_of_file(), error))
    }

    fn put(&self, rows: &RoutingRows) -> Result<(usize, usize), Vec<RoutingProblem>> {
        let read = RoutesFile::from_json(members(rows)).map_err(|error| named(rows, 0, error))?;
        self.0.replace_rows(read).map_err(|error| named(rows, self.0.routes_of_file(), error))
    }

    fn explain(&self, question: &RouteQuestion) -> Result<RouteVerdict, String> {
        let explained = self.0.explain(&ask(question)?).map_err(|error| error.to_string())?;
        let json = |value: serde_json::Result<Value>| value.map_err(|error| error.to_string());
        Ok(RouteVerdict {
            route: explained.candidates.iter().find(|one| one.chosen).map(|one| one.id.clone()),
            candidates: json(serde_json::to_value(&explained.candidates))?,
            outcome: json(serde_json::to_value(&explained.outcome))?,
        })
    }

    fn pools(&self) -> Vec<PoolStatus> {
        let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let told = |pool: gateway::PoolStatus| PoolStatus {
            name: pool.name,
            in_flight: whole(pool.in_flight),
            limit: pool.limit.map(whole),
            targets: serde_json::to_value(pool.targets).unwrap_or_default(),
        };
        self.0.pools().into_iter().map(told).collect()
    }

    async fn purge(&self, purge: &CachePurge) -> usize {
        let what = match purge.what.clone() {
            PurgeWhat::Url(url) => Purge::Url(url),
            PurgeWhat::Prefix { host, prefix } => Purge::Prefix { host, prefix },
            PurgeWhat::Keys(keys) => Purge::Keys(keys),
        };
        self.0.purge(&what, purge.soft).await
    }

    async fn kept_since(&self) -> i64 {
        self.0.kept_since().await
    }

    async fn purged(&self, number: i64) {
        self.0.note_purge(number).await;
    }
}

fn members(rows: &RoutingRows) -> Map<String, Value> {
    let pools: Map<String, Value> = rows.pools.iter().cloned().collect();
    Map::from_iter([("routes".to_owned(), json!(rows.routes)), ("pools".to_owned(), pools.into())])
}

/// Problems by the names of rows instead of their places; those of the file's routes keep theirs.
fn named(rows: &RoutingRows, of_file: usize, RoutesError(problems): RoutesError) -> Vec<RoutingProblem> {
    let place = |path: &str| -> Option<(String, String)> {
        if let Some(rest) = path.strip_prefix("pools.") {
            let (name, _) =
                rows.pools.iter().find(|(name, _)| rest == name || rest.starts_with(&format!("{name}.")))?;
            return Some((name.clone(), format!("settings.{}", rest[name.len()..].trim_start_matches('.'))));
        }
        let (index, rest) = path.strip_prefix("routes[")?.split_once(']')?;
        let row = rows.routes.get(index.parse::<usize>().ok()?.checked_sub(of_file)?)?;
        let rest = rest.trim_start_matches('.');
        Some((row["id"].as_str()?.to_owned(), if rest == "id" { "name".to_owned() } else { rest.to_owned() }))
    };
    let told = |problem: gateway::RouteProblem| {
        let of_pool = problem.path.starts_with("pools.");
        let (name, path) = match place(&problem.path) {
            Some((name, path)) => (Some(name), path.trim_end_matches('.').to_owned()),
            None => (None, problem.path),
        };
        RoutingProblem { name, of_pool, path, code: problem.code, sentence: problem.sentence }
    };
    problems.into_iter().map(told).collect()
}

fn ask(question: &RouteQuestion) -> Result<Ask, String> {
    let method = question.method.as_deref().unwrap_or("GET");
    let method = Method::try_from(method).map_err(|_| format!("{method:?} is no method."))?;
    let mut headers = HeaderMap::new();
    for line in question.headers.iter().flatten() {
        let pair = line.split_once(':').and_then(|(name, value)| {
            Some((HeaderName::try_from(name.trim()).ok()?, HeaderValue::try_from(value.trim()).ok()?))
        });
        let (name, value) = pair.ok_or_else(|| format!("{line:?} is no header; write it as Name: value."))?;
        headers.append(name, value);
    }
    let client = match question.client.as_deref() {
        None => IpAddr::V4(Ipv4Addr::LOCALHOST),
        Some(text) => text.parse().map_err(|_| format!("{text:?} is no address."))?,
    };
    Ok(Ask { method, host: question.host.clone(), target: question.target.clone(), headers, client })
}
