//! The loop that lets this process's indexes follow the rows.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use kernel::{Caller, Db, Engine, Problem, Tasks, TenantId};
use tokio::time::Instant;

use super::follow;
use super::shelves::Shelves;
use crate::ingest::CHANGE_BELL;
use crate::models::ModelRoom;
use crate::store::changes;

/// What comes within this time is applied together: a commit of an index is dearer than a passage. When much comes, it is
/// as long as the round before took, so that at most half of the time goes into commits.
const GATHER: Duration = Duration::from_millis(100);
const GATHER_MOST: Duration = Duration::from_secs(1);
/// How often other processes' changes are looked for: with a database of its own, a process has all bells itself.
const LOOK_POSTGRES: Duration = Duration::from_secs(1);
const LOOK_SQLITE: Duration = Duration::from_secs(30);
/// A writer costs memory; without a change for this long it goes.
const IDLE: Duration = Duration::from_secs(20);

/// Removed passages leave the disk when their tenant is idle, but a large index is not written anew more often than this.
const EXPUNGE_EVERY: Duration = Duration::from_secs(600);

/// Follows the rows of every tenant whose rows change or whose indexes are open.
pub(crate) struct Keeper {
    pub(crate) db: Db,
    pub(crate) shelves: Arc<Shelves>,
    pub(crate) models: Arc<ModelRoom>,
    followed: HashMap<TenantId, i64>,
    writing: HashMap<TenantId, Instant>,
    expunged: HashMap<TenantId, Instant>,
}

impl Keeper {
    pub(crate) fn new(db: Db, shelves: Arc<Shelves>, models: Arc<ModelRoom>) -> Self {
        Self { db, shelves, models, followed: HashMap::new(), writing: HashMap::new(), expunged: HashMap::new() }
    }

    /// Runs until the process stops.
    pub(crate) async fn run(mut self, tasks: Tasks) {
        let bell = self.db.signals().bell(CHANGE_BELL);
        let look = if self.db.engine() == Engine::Postgres { LOOK_POSTGRES } else { LOOK_SQLITE };
        let mut first = true;
        loop {
            let began = Instant::now();
            if let Err(problem) = self.round(first).await {
                tracing::warn!(code = %problem.code, detail = problem.detail, "the indexes wait for the rows");
            } else {
                first = false;
            }
            let gather = began.elapsed().clamp(GATHER, GATHER_MOST);
            let wait = if self.writing.is_empty() { look } else { look.min(IDLE) };
            tokio::select! {
                () = tasks.stopping() => break,
                _ = tokio::time::timeout(wait, bell.notified()) => {}
            }
            if !tasks.pause(gather).await {
                break;
            }
        }
    }

    /// Brings up to date what changed. The first round only notes where everybody stands: an index is opened when it
    /// is first searched or changed, so that a start does not depend on the number of tenants.
    async fn round(&mut self, first: bool) -> Result<(), Problem> {
        let caller = Caller::platform("knowledge");
        let heads = self.db.read(&caller, async |tx| changes::heads(tx).await).await?;
        self.discard_gone(&heads, first).await?;
        for (tenant, seq) in heads {
            if first {
                self.followed.insert(tenant, seq);
            }
            let behind = self.followed.get(&tenant).is_none_or(|followed| *followed < seq);
            if behind {
                self.catch_up(tenant).await?;
                self.followed.insert(tenant, seq);
                self.writing.insert(tenant, Instant::now());
            }
        }
        self.rest().await
    }

    /// Removes the indexes of tenants that have nothing here any more: those that were followed, and at the start all that
    /// lie in the folder.
    async fn discard_gone(&mut self, heads: &[(TenantId, i64)], first: bool) -> Result<(), Problem> {
        let known: HashSet<TenantId> = heads.iter().map(|(tenant, _)| *tenant).collect();
        let mut gone: Vec<TenantId> = self.followed.keys().filter(|tenant| !known.contains(tenant)).copied().collect();
        if first {
            gone.extend(self.shelves.on_disk().await?.into_iter().filter(|tenant| !known.contains(tenant)));
        }
        for tenant in gone {
            self.followed.remove(&tenant);
            self.expunged.remove(&tenant);
            self.shelves.discard(tenant).await?;
        }
        Ok(())
    }

    async fn catch_up(&self, tenant: TenantId) -> Result<(), Problem> {
        let shelf = self.shelves.open(tenant).await?;
        follow::catch_up(&self.db, &shelf, |model| self.models.dimensions(model)).await
    }

    async fn rest(&mut self) -> Result<(), Problem> {
        let idle: Vec<TenantId> =
            self.writing.iter().filter(|(_, since)| since.elapsed() >= IDLE).map(|(tenant, _)| *tenant).collect();
        for tenant in idle {
            let due = self.expunged.get(&tenant).is_none_or(|last| last.elapsed() >= EXPUNGE_EVERY);
            match self.shelves.peek(tenant) {
                Some(shelf) if due => {
                    follow::expunge(&shelf).await?;
                    self.expunged.insert(tenant, Instant::now());
                }
                Some(shelf) => {
                    follow::rest(&shelf).await?;
                    continue;
                }
                None => {}
            }
            self.writing.remove(&tenant);
        }
        Ok(())
    }
}

/// Opens a tenant's indexes and brings them up to the rows: for the first search after a start.
pub(crate) async fn wake(db: &Db, shelves: &Shelves, models: &ModelRoom, tenant: TenantId) -> Result<(), Problem> {
    let shelf = shelves.open(tenant).await?;
    follow::catch_up(db, &shelf, |model| models.dimensions(model)).await
}
