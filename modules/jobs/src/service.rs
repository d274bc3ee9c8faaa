//! The jobs of this installation: what people see of them and do with them.

use std::sync::Arc;

use kernel::{
    Caller, Db, Expected, Field, FieldKind, Level, ListParams, ListRequest, Listing, Page, Permission, PermissionSpec,
    Problem, SYSTEM_TENANT, Tasks, Tx,
};

use crate::config::JobsConfig;
use crate::enqueue::{self, BELL};
use crate::error::Error;
use crate::handler::Handler;
use crate::model::{Job, JobId, JobState, QueueStats};
use crate::process::Process;
use crate::store;

/// Allows to see the tenant's jobs.
pub const READ: Permission = Permission("jobs.read");
/// Allows to retry and cancel the tenant's jobs.
pub const WRITE: Permission = Permission("jobs.write");

/// The permissions of this module.
pub const PERMISSIONS: &[PermissionSpec] = &[
    PermissionSpec { permission: READ, level: Level::Viewer, description: "See the tenant's jobs" },
    PermissionSpec { permission: WRITE, level: Level::Admin, description: "Retry and cancel the tenant's jobs" },
];

pub(crate) const JOBS: Listing = Listing {
    resource: "jobs.jobs",
    fields: &[
        Field::new("id", "id", FieldKind::Id("job")),
        Field::new("kind", "kind", FieldKind::Text),
        Field::new("queue", "queue", FieldKind::Text),
        Field::new("state", "state", FieldKind::OneOf(JobState::WORDS)),
        Field::new("attempt", "attempt", FieldKind::Integer),
        Field::new("max_attempts", "max_attempts", FieldKind::Integer),
        Field::new("priority", "priority", FieldKind::Integer),
        Field::sorted("run_at", "run_at", FieldKind::Time),
        Field::shown("progress"),
        Field::shown("last_error"),
        Field::new("unique_key", "unique_key", FieldKind::Text),
        Field::sorted("created_at", "created_at", FieldKind::Time),
        Field::sorted("updated_at", "updated_at", FieldKind::Time),
        Field::new("finished_at", "finished_at", FieldKind::Time),
        Field::new("version", "version", FieldKind::Integer),
    ],
    default_sort: "-created_at",
    tie_break: "id",
};

/// The jobs of this installation. Cheap to clone.
#[derive(Clone)]
pub struct Jobs {
    db: Db,
    config: JobsConfig,
    handlers: Vec<Arc<dyn Handler>>,
}

impl Jobs {
    /// Jobs without handlers.
    pub fn new(db: Db, config: JobsConfig) -> Self {
        Self { db, config, handlers: Vec::new() }
    }

    /// Adds a handler; to be done before [`Self::start`]. Jobs of a kind without a handler are left alone: a newer
    /// version may know them.
    pub fn register(&mut self, handler: Arc<dyn Handler>) {
        self.handlers.push(handler);
    }

    /// Starts to work. Any number of processes may do so over one database.
    pub fn start(&self, tasks: &Tasks) {
        let process = self.process(tasks);
        tasks.spawn(process.run());
    }

    /// A worker that is driven by whoever holds its future, and dies with it.
    pub(crate) fn process(&self, tasks: &Tasks) -> Process {
        Process::new(self.db.clone(), self.config.clone(), &self.handlers, tasks.clone())
    }

    /// The jobs of the caller's tenant.
    ///
    /// # Errors
    /// The caller lacks [`READ`], or a parameter is wrong.
    pub async fn list(&self, caller: &Caller, params: &ListParams) -> Result<(ListRequest, Page<Job>), Error> {
        caller.require(READ)?;
        let request = ListRequest::new(&JOBS, params, caller, self.db.keys())?;
        let items = self.db.read(caller, async |tx| store::list(tx, &request).await).await?;
        let page = request.page(items)?;
        Ok((request, page))
    }

    /// One job of the caller's tenant.
    ///
    /// # Errors
    /// The caller lacks [`READ`], or there is no such job.
    pub async fn get(&self, caller: &Caller, id: JobId) -> Result<Job, Error> {
        caller.require(READ)?;
        let found = self.db.read(caller, async |tx| enqueue::find(tx, id).await).await?;
        found.ok_or_else(|| Problem::not_found().into())
    }

    /// Gives a dead or cancelled job all its attempts again.
    ///
    /// # Errors
    /// The caller lacks [`WRITE`], there is no such job, its version is another, [`Error::NotRetryable`], or
    /// [`Error::UniqueKeyTaken`].
    pub async fn retry(&self, caller: &Caller, id: JobId, expected: Expected) -> Result<Job, Error> {
        caller.require(WRITE)?;
        self.db
            .write_once(caller, "jobs.retry", &id, async |tx| {
                let job = held(tx, id, expected).await?;
                if !matches!(job.state, JobState::Dead | JobState::Cancelled) {
                    return Err(Error::NotRetryable(job.state));
                }
                store::retry(tx, id).await?;
                tx.ring_on_commit(BELL);
                Ok(again(tx, id).await?)
            })
            .await
    }

    /// Ends a waiting job at once; tells a running one to stop.
    ///
    /// # Errors
    /// The caller lacks [`WRITE`], there is no such job, its version is another, or [`Error::NotCancellable`].
    pub async fn cancel(&self, caller: &Caller, id: JobId, expected: Expected) -> Result<Job, Error> {
        caller.require(WRITE)?;
        self.db
            .write_once(caller, "jobs.cancel", &id, async |tx| {
                let job = held(tx, id, expected).await?;
                if !enqueue::cancel(tx, id).await? {
                    return Err(Error::NotCancellable(job.state));
                }
                Ok(again(tx, id).await?)
            })
            .await
    }

    /// How full the queues are: of the caller's tenant; in the system tenant, of all tenants together.
    ///
    /// # Errors
    /// The caller lacks [`READ`].
    pub async fn stats(&self, caller: &Caller) -> Result<Vec<QueueStats>, Problem> {
        caller.require(READ)?;
        if caller.tenant == SYSTEM_TENANT {
            let across = caller.across_tenants();
            return self.db.read(&across, async |tx| store::stats(tx, None).await).await;
        }
        self.db.read(caller, async |tx| store::stats(tx, Some(tx.tenant())).await).await
    }
}

/// The job, which nobody else changes until the commit, if it has the expected version.
async fn held(tx: &Tx, id: JobId, expected: Expected) -> Result<Job, Problem> {
    let job = store::find(tx, id, tx.engine().for_update()).await?.ok_or_else(Problem::not_found)?;
    expected.check(job.version)?;
    Ok(job)
}

async fn again(tx: &Tx, id: JobId) -> Result<Job, Problem> {
    enqueue::find(tx, id).await?.ok_or_else(Problem::not_found)
}
