//! Rows of routes and pools, checked as a whole before they are written and put in force after.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kernel::{Caller, FieldError, Kind, Problem, SYSTEM_TENANT, Tasks, Tx};
use serde_json::Value;
use tokio::sync::Notify;

use crate::Edge;
use crate::error::Error;
use crate::model::{CachePurge, PoolStatus, RouteQuestion, RouteVerdict};
use crate::store::entries::{self, Entry, Table};

/// How often another process's changes are looked for.
const POLL: Duration = Duration::from_millis(500);

/// All rows, as they are put in force: names with their bodies.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RoutingRows {
    /// Each with `id`, which is its name, `priority`, `enabled`, `match`, `action` and `modifiers`.
    pub routes: Vec<Value>,
    /// Name and settings.
    pub pools: Vec<(String, Value)>,
}

/// Something wrong with the rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutingProblem {
    /// The name of the route or pool; none: of the file of routes.
    pub name: Option<String>,
    /// Whether it is about a pool: one may be called as a route is.
    pub of_pool: bool,
    /// Where in it, such as `match.path`.
    pub path: String,
    pub code: &'static str,
    pub sentence: String,
}

/// The gateway, as rows are put in force in it. `src/` wires it.
#[async_trait]
pub trait Steering: Send + Sync + 'static {
    /// Whether the rows hold together with what else is in force.
    ///
    /// # Errors
    /// Everything that is wrong.
    fn check(&self, rows: &RoutingRows) -> Result<(), Vec<RoutingProblem>>;

    /// Puts the rows in force for requests that come after; how many routes and pools there are then.
    ///
    /// # Errors
    /// Everything that is wrong; then what was in force stays.
    fn put(&self, rows: &RoutingRows) -> Result<(usize, usize), Vec<RoutingProblem>>;

    /// What would happen to a request.
    ///
    /// # Errors
    /// A sentence about the question.
    fn explain(&self, question: &RouteQuestion) -> Result<RouteVerdict, String>;

    /// How the pools stand.
    fn pools(&self) -> Vec<PoolStatus>;

    /// Purges what the cache keeps; how many answers.
    async fn purge(&self, purge: &CachePurge) -> usize;

    /// Waits until answers are at hand that an earlier process kept on the disk; the last purge that it noted, -1 if it
    /// noted none. Where nothing is kept on a disk, it never returns.
    async fn kept_since(&self) -> i64;

    /// Notes beside them that all purges up to this one were done. From the first time on they are used.
    async fn purged(&self, number: i64);
}

/// What this process has put in force.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    pub(crate) version: i64,
    pub(crate) size: (usize, usize),
    pub(crate) problems: Vec<String>,
}

/// A change to the rows.
pub(crate) enum Change {
    Insert(Entry),
    Update(Entry),
    Delete(Entry),
}

impl Change {
    fn name(&self) -> &str {
        match self {
            Self::Insert(entry) | Self::Update(entry) | Self::Delete(entry) => &entry.name,
        }
    }
}

impl Edge {
    /// From now on rows are put in force in this gateway.
    ///
    /// # Errors
    /// The database does not answer. Rows that can't be put in force are logged, and told by the status.
    pub async fn steer(&self, steering: Arc<dyn Steering>) -> Result<(), Problem> {
        self.steering_cell().set(steering).map_err(|_| Problem::internal("the edge is steered already"))?;
        self.follow().await?;
        self.follow_purges().await
    }

    /// Puts changes in force: this process's at once, those of others soon.
    pub(crate) fn start_following(&self, tasks: &Tasks) {
        let (edge, all) = (self.clone(), tasks.clone());
        tasks.spawn(async move {
            loop {
                tokio::select! {
                    () = all.stopping() => return,
                    () = edge.changed().notified() => {}
                    () = tokio::time::sleep(POLL) => {}
                }
                if let Err(problem) = edge.follow().await {
                    tracing::debug!(?problem, "routes can't be read; those in force stay");
                }
                if let Err(problem) = edge.follow_purges().await {
                    tracing::debug!(?problem, "purges can't be read; they are done later");
                }
            }
        });
    }

    /// Puts the rows in force if they are others than those.
    pub(crate) async fn follow(&self) -> Result<(), Problem> {
        let (Some(steering), Ok(db)) = (self.steering_cell().get(), self.db()) else { return Ok(()) };
        let _turn = self.my_turn().await;
        let caller = Caller::system("edge", SYSTEM_TENANT);
        let known = self.applied().version;
        let read = async |tx: &Tx| -> Result<_, Problem> {
            let version = entries::version(tx).await?;
            Ok(if version == known { None } else { Some((version, rows(tx).await?)) })
        };
        let Some((version, rows)) = db.read(&caller, read).await? else { return Ok(()) };
        let put = steering.put(&rows);
        let mut applied = self.applied();
        applied.version = version;
        match put {
            Ok(size) => {
                (applied.size, applied.problems) = (size, Vec::new());
                tracing::info!(routes = size.0, pools = size.1, version, "the routes are in force");
            }
            Err(problems) => {
                applied.problems = problems.iter().map(told).collect();
                for problem in &applied.problems {
                    tracing::error!(problem, "the routes in the database can't be put in force; the former ones stay");
                }
            }
        }
        Ok(())
    }

    /// Writes a change if all rows hold together with it, and has it put in force after the commit.
    pub(crate) async fn change(&self, tx: &Tx, table: Table, change: &Change) -> Result<(), Error> {
        let steering = self.steering_cell().get().ok_or_else(|| Problem::internal("the edge is not steered"))?;
        match change {
            Change::Insert(entry) => entries::insert(tx, table, entry).await?,
            Change::Update(entry) => entries::update(tx, table, entry).await?,
            Change::Delete(entry) => entries::delete(tx, table, entry.id).await?,
        }
        let rows = rows(tx).await?;
        steering.check(&rows).map_err(|problems| refusal((table, change.name()), &problems))?;
        entries::grow(tx).await?;
        let changed = Arc::clone(self.changed());
        tx.on_commit(move || changed.notify_one());
        Ok(())
    }

    pub(crate) fn steered(&self) -> Result<&Arc<dyn Steering>, Problem> {
        self.steering_cell().get().ok_or_else(|| Problem::internal("the edge is not steered"))
    }

    /// Waits until this process has put in force what was just committed, within reason.
    pub(crate) async fn settled(&self) {
        if let Err(problem) = self.follow().await {
            tracing::debug!(?problem, "routes are put in force later");
        }
    }
}

/// Rung when rows changed.
pub(crate) type Changed = Arc<Notify>;

async fn rows(tx: &Tx) -> Result<RoutingRows, Problem> {
    let route = |entry: Entry| {
        let mut body = entry.body;
        body["id"] = entry.name.into();
        body
    };
    Ok(RoutingRows {
        routes: entries::all(tx, Table::Routes).await?.into_iter().map(route).collect(),
        pools: entries::all(tx, Table::Pools).await?.into_iter().map(|entry| (entry.name, entry.body)).collect(),
    })
}

/// What is wrong, by field where it is about the row that changes.
fn refusal((table, changing): (Table, &str), problems: &[RoutingProblem]) -> Error {
    let own = |problem: &RoutingProblem| {
        problem.name.as_deref() == Some(changing) && problem.of_pool == (table == Table::Pools)
    };
    let field = |problem: &RoutingProblem| FieldError {
        path: if own(problem) { problem.path.clone() } else { place(problem) },
        code: problem.code.into(),
        detail: problem.sentence.clone(),
    };
    let detail = "The routes and pools don't hold together like this; nothing was changed. See errors.";
    let mut refusal = Problem::new(Kind::Invalid, "edge.routes_invalid", detail);
    refusal.fields = problems.iter().map(field).collect();
    refusal.into()
}

fn place(problem: &RoutingProblem) -> String {
    format!("{}.{}", problem.name.as_deref().unwrap_or("file"), problem.path)
}

fn told(problem: &RoutingProblem) -> String {
    format!("{}: {} ({})", place(problem), problem.sentence, problem.code)
}

/// Only the operators steer the edge.
pub(crate) fn operators_only(caller: &Caller, permission: kernel::Permission) -> Result<(), Problem> {
    caller.require(permission)?;
    if caller.tenant == SYSTEM_TENANT {
        return Ok(());
    }
    Err(Problem::forbidden(&format!("{} in the system tenant", permission.0)))
}
