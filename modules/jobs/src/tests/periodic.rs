//! Work that comes round.

use std::collections::HashSet;
use std::sync::Arc;

use kernel::{ListParams, SYSTEM_TENANT};
use testkit::Engine;

use super::*;

#[derive(Default)]
struct Sweep(Probe);

#[async_trait]
impl Handler for Sweep {
    fn kind(&self) -> &'static str {
        "test.sweep"
    }

    fn every(&self) -> Option<Duration> {
        Some(Duration::from_millis(300))
    }

    async fn run(&self, run: &Run) -> Result<(), Problem> {
        self.0.run(run).await
    }
}

async fn periodic_work_comes_round_once_whatever_the_number_of_processes(engine: Engine) {
    let db = testkit::db(engine).await;
    let other = db.again().await;
    let sweep = Arc::new(Sweep::default());
    let running = [start(&db, sweep.clone()), start(&other, sweep.clone())];

    sweep.0.until_begun(4).await;
    for tasks in running {
        stop(tasks).await;
    }

    let jobs = Jobs::new(db.clone(), JobsConfig::default());
    let caller = Caller::system("test", SYSTEM_TENANT);
    let params = ListParams { limit: Some(200), ..ListParams::default() };
    let (_, page) = jobs.list(&caller, &params).await.unwrap();
    let slots: HashSet<_> = page.items.iter().map(|job| job.run_at).collect();
    let first = page.items.iter().map(|job| job.run_at.timestamp_millis()).min().unwrap();
    assert_eq!(slots.len(), page.items.len(), "each point of the grid once");
    assert!(page.items.iter().all(|job| (job.run_at.timestamp_millis() - first) % 300 == 0), "no drift");
    let waiting = page.items.iter().filter(|job| job.state != JobState::Succeeded).count();
    assert_eq!(waiting, 1, "the next run is promised");
}

testkit::on_both_engines!(periodic_work_comes_round_once_whatever_the_number_of_processes);
