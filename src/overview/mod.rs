//! The state of the installation for operators: parts, traffic, queues, hash pool. A face of the root's own, since it
//! looks into every module.

pub mod graphql;
pub mod rest;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use kernel::rest::Etag;
use kernel::{Caller, Db, DbFigures, Level, Permission, PermissionSpec, Problem, SYSTEM_TENANT};
use serde::Serialize;

use crate::traffic::Traffic;

/// May see the state of the installation.
pub const READ: Permission = Permission("system.read");
/// For the catalogue.
pub const PERMISSIONS: &[PermissionSpec] =
    &[PermissionSpec { permission: READ, level: Level::Viewer, description: "See the state of the installation." }];

/// How long a part may take to answer before it counts as down.
const PATIENCE: Duration = Duration::from_secs(2);

/// The state of the installation.
#[derive(Clone, Debug, Serialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct SystemOverview {
    /// The version that runs.
    pub version: String,
    /// Seconds since the process started.
    pub uptime_seconds: u64,
    /// `sqlite` or `postgres`.
    pub engine: String,
    /// The parts and how they are.
    pub parts: Vec<SystemPart>,
    /// Requests of the last five minutes.
    pub requests: SystemRequests,
    /// Depth of each queue, over all tenants.
    pub queues: Vec<jobs::QueueStats>,
    /// The pool that hashes passwords.
    pub hash_pool: SystemHashPool,
}

/// One part of the installation.
#[derive(Clone, Debug, Serialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct SystemPart {
    /// Its name.
    pub name: String,
    /// `up`, `degraded` or `down`.
    pub status: PartStatus,
    /// What is wrong, or a figure.
    pub detail: String,
    /// How long it took to answer, in milliseconds.
    pub latency_ms: f64,
}

/// How a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, poem_openapi::Enum, async_graphql::Enum)]
#[serde(rename_all = "lowercase")]
#[oai(rename_all = "lowercase")]
pub enum PartStatus {
    /// It works.
    Up,
    /// It works, but not well.
    Degraded,
    /// It does not work.
    Down,
}

/// Requests over time.
#[derive(Clone, Debug, Serialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct SystemRequests {
    /// The length of a sample in seconds.
    pub sample_seconds: u64,
    /// The samples, the oldest first.
    pub samples: Vec<SystemSample>,
}

/// Requests of a few seconds.
#[derive(Clone, Debug, Serialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct SystemSample {
    /// When the sample began.
    pub at: DateTime<Utc>,
    /// Requests answered.
    pub requests: u64,
    /// Those that ended in a 5xx.
    pub errors: u64,
    /// The median latency in milliseconds.
    pub p50_ms: f64,
    /// The 99th percentile in milliseconds.
    pub p99_ms: f64,
}

/// The pool that hashes passwords.
#[derive(Clone, Debug, Serialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct SystemHashPool {
    /// Hashes being computed.
    pub busy: u64,
    /// Requests that wait.
    pub waiting: u64,
    /// The most hashes at once.
    pub capacity: u64,
}

impl Etag for SystemOverview {
    fn version(&self) -> Option<i64> {
        None
    }
}

/// Looks into every part. Cheap to clone.
#[derive(Clone)]
pub struct Overview {
    db: Db,
    jobs: jobs::Jobs,
    identity: identity::Identity,
    traffic: Arc<Traffic>,
}

impl Overview {
    /// An overview of these parts.
    pub const fn new(db: Db, jobs: jobs::Jobs, identity: identity::Identity, traffic: Arc<Traffic>) -> Self {
        Self { db, jobs, identity, traffic }
    }

    /// The pool that hashes passwords.
    pub fn hash_pool(&self) -> identity::PoolFigures {
        self.identity.hash_pool()
    }

    /// The connections to the database.
    pub fn connections(&self) -> DbFigures {
        self.db.figures()
    }

    /// How long this process has been up.
    pub fn uptime(&self) -> Duration {
        self.traffic.uptime()
    }

    /// The state of the installation.
    ///
    /// # Errors
    /// The caller is no operator with [`READ`].
    pub async fn get(&self, caller: &Caller) -> Result<SystemOverview, Problem> {
        caller.require(READ)?;
        if caller.tenant != SYSTEM_TENANT {
            return Err(Problem::forbidden(READ.0));
        }
        let queues = self.jobs.stats(caller).await;
        let pool = self.identity.hash_pool();
        let mut parts = vec![self.database().await];
        parts.push(queue_part(&queues));
        parts.push(hash_part(pool.waiting as u64, pool.capacity as u64));
        Ok(SystemOverview {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_seconds: self.traffic.uptime().as_secs(),
            engine: self.db.engine().name().to_owned(),
            parts,
            requests: self.requests(),
            queues: queues.unwrap_or_default(),
            hash_pool: SystemHashPool {
                busy: pool.busy as u64,
                waiting: pool.waiting as u64,
                capacity: pool.capacity as u64,
            },
        })
    }

    /// How the database is.
    pub async fn database(&self) -> SystemPart {
        let begun = Instant::now();
        let outcome = self.db.ping(PATIENCE).await;
        let latency_ms = begun.elapsed().as_secs_f64() * 1000.0;
        let (status, detail) = match outcome {
            Ok(()) => (PartStatus::Up, self.db.engine().name().to_owned()),
            Err(reason) => (PartStatus::Down, reason),
        };
        SystemPart { name: "database".to_owned(), status, detail, latency_ms }
    }

    fn requests(&self) -> SystemRequests {
        let sample = |sample: crate::traffic::Sample| SystemSample {
            at: sample.at,
            requests: sample.requests,
            errors: sample.errors,
            p50_ms: sample.p50_ms,
            p99_ms: sample.p99_ms,
        };
        let samples = self.traffic.samples(self.db.clock().now()).into_iter().map(sample).collect();
        SystemRequests { sample_seconds: crate::traffic::SLOT_SECONDS, samples }
    }
}

fn queue_part(queues: &Result<Vec<jobs::QueueStats>, Problem>) -> SystemPart {
    let (status, detail) = match queues {
        Err(problem) => (PartStatus::Down, problem.detail.clone()),
        Ok(queues) => {
            let waiting: i64 = queues.iter().map(|queue| queue.ready).sum();
            let dead: i64 = queues.iter().map(|queue| queue.dead).sum();
            let status = if dead > 0 { PartStatus::Degraded } else { PartStatus::Up };
            (status, format!("{waiting} ready, {dead} dead"))
        }
    };
    SystemPart { name: "jobs".to_owned(), status, detail, latency_ms: 0.0 }
}

fn hash_part(waiting: u64, capacity: u64) -> SystemPart {
    let status = if waiting > capacity { PartStatus::Degraded } else { PartStatus::Up };
    SystemPart { name: "sign_in".to_owned(), status, detail: format!("{waiting} waiting"), latency_ms: 0.0 }
}
