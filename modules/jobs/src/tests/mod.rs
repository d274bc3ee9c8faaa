//! The module alone on its floor, on both engines.

mod calling_off;
mod claims;
mod failing;
mod lists;
mod periodic;
mod processes;
mod promises;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use kernel::{Caller, Db, Kind, Problem, Tasks, TenantId, Tx};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::model::{Claimed, ProcessId};
use crate::{Handler, Job, JobId, JobState, Jobs, JobsConfig, NewJob, Run, enqueue, find, store};

/// Does what its payload says: `succeed`, `fail`, `panic`, `hang` (deaf), `obey` (until told to stop), `fail_once`.
#[derive(Default)]
struct Probe {
    runs: Mutex<Vec<(JobId, u32)>>,
    began: Notify,
}

impl Probe {
    fn runs(&self) -> Vec<(JobId, u32)> {
        self.runs.lock().unwrap().clone()
    }

    /// Waits until so many runs have begun.
    async fn until_begun(&self, count: usize) {
        within(30, async {
            while self.runs.lock().unwrap().len() < count {
                tokio::select! {
                    () = self.began.notified() => {}
                    () = tokio::time::sleep(Duration::from_millis(5)) => {}
                }
            }
        })
        .await;
    }
}

#[async_trait]
impl Handler for Probe {
    fn kind(&self) -> &'static str {
        "test.probe"
    }

    fn timeout(&self) -> Option<Duration> {
        Some(Duration::from_secs(20))
    }

    async fn run(&self, run: &Run) -> Result<(), Problem> {
        self.runs.lock().unwrap().push((run.job, run.attempt));
        self.began.notify_one();
        let refused = || Problem::new(Kind::Conflict, "test.told_to", "It was told to fail.");
        match run.payload.as_str().unwrap_or_default() {
            "fail" => Err(refused()),
            "fail_once" if run.attempt == 1 => Err(refused()),
            "panic" => panic!("told to"),
            "hang" => std::future::pending().await,
            "hang_once" if run.attempt == 1 => std::future::pending().await,
            "obey" if run.attempt == 1 => {
                run.cancelled().await;
                Err(refused())
            }
            _ => Ok(()),
        }
    }
}

async fn within<T>(seconds: u64, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(seconds), work).await.unwrap_or_else(|_| panic!("not within {seconds} s"))
}

fn jobs_with(db: &Db, config: JobsConfig, handler: Arc<dyn Handler>) -> Jobs {
    let mut jobs = Jobs::new(db.clone(), config);
    jobs.register(handler);
    jobs
}

fn quick_to_drain() -> JobsConfig {
    JobsConfig { drain_seconds: 0, ..JobsConfig::default() }
}

/// Starts a process with this handler.
fn start(db: &Db, handler: Arc<dyn Handler>) -> Tasks {
    let tasks = Tasks::default();
    jobs_with(db, quick_to_drain(), handler).start(&tasks);
    tasks
}

async fn stop(tasks: Tasks) {
    assert!(tasks.stop(Duration::from_secs(20)).await, "the process ends");
}

fn tenant(db: &Db) -> TenantId {
    db.random().id(db.clock().now())
}

async fn promise(db: &Db, tenant: TenantId, job: NewJob) -> JobId {
    let caller = Caller::system("test", tenant);
    db.write(&caller, async |tx| enqueue(tx, job.clone()).await).await.unwrap()
}

fn probe(what: &str) -> NewJob {
    NewJob::new("test.probe", json!(what))
}

async fn look(db: &Db, tenant: TenantId, id: JobId) -> Job {
    let caller = Caller::system("test", tenant);
    db.read(&caller, async |tx| find(tx, id).await).await.unwrap().expect("the job is there")
}

async fn until(db: &Db, tenant: TenantId, id: JobId, state: JobState) -> Job {
    within(30, async {
        loop {
            let job = look(db, tenant, id).await;
            if job.state == state {
                return job;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
}

/// What a process does, without a process.
async fn across<T>(db: &Db, work: impl AsyncFnOnce(&Tx) -> Result<T, Problem> + Clone) -> T {
    db.write(&Caller::platform("test"), work).await.unwrap()
}

async fn enter(db: &Db) -> ProcessId {
    let id = db.random().id(db.clock().now());
    across(db, async |tx| Ok(store::register(tx, id).await?)).await;
    id
}

async fn claim(db: &Db, process: ProcessId, limit: usize) -> Vec<Claimed> {
    across(db, async |tx| store::claim(tx, process, &["test.probe"], limit).await).await
}

async fn bury(db: &Db, process: ProcessId) {
    let buried = across(db, async |tx| {
        let beats = store::beats(tx, db.random().id(tx.now())).await?;
        let beat = beats.iter().find(|(id, _)| *id == process).map_or(0, |(_, beat)| *beat);
        Ok(store::bury(tx, process, beat).await?)
    });
    assert!(buried.await.is_some());
}

fn held(db: &Db, claimed: &Claimed) -> (Run, tokio::sync::watch::Sender<crate::handler::Stop>) {
    let (sender, receiver) = tokio::sync::watch::channel(crate::handler::Stop::No);
    (Run::new(db.clone(), claimed.clone(), receiver), sender)
}

fn nothing() -> Value {
    Value::Null
}
