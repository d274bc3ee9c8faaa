//! Verifying by a job.

use std::time::Duration;

use audit::Audit;
use jobs::{Job, JobState, Jobs, JobsConfig};
use kernel::{Db, Kind, ListParams, Tasks};
use testkit::{Engine, on_both_engines};

use crate::fixture::{auditor, caller, sql, tenant, write};

/// Has the trail of tenant 1 verified by a worker, and waits for it.
async fn verified(db: &Db) -> Job {
    let audit = Audit::new(db.clone());
    let tasks = Tasks::default();
    let mut jobs = Jobs::new(db.clone(), JobsConfig::default());
    jobs.register(audit.verify_job());
    jobs.start(&tasks);
    let asked = audit.start_verification(&auditor(tenant(1))).await.unwrap();

    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    loop {
        let caller = auditor(tenant(1));
        let found = db.read(&caller, async |tx| jobs::find(tx, asked.id).await).await.unwrap().unwrap();
        if found.finished_at.is_some() {
            assert!(tasks.stop(Duration::from_secs(10)).await);
            return found;
        }
        assert!(std::time::Instant::now() < deadline, "{found:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn a_job_verifies_the_trail_and_its_finding_is_on_record(engine: Engine) {
    let db = testkit::db(engine).await;
    write(&db, tenant(1), 300).await;

    let job = verified(&db).await;

    assert_eq!(job.state, JobState::Succeeded);
    let progress = job.progress.unwrap();
    assert_eq!((progress.done, progress.total), (300, 300));
    assert!(progress.note.starts_with("All 300 entries are in order; root "), "{}", progress.note);
    let filter = ListParams { filter: Some("action eq \"audit.verified\"".to_owned()), ..ListParams::default() };
    let (_, told) = Audit::new((*db).clone()).list(&auditor(tenant(1)), &filter).await.unwrap();
    assert_eq!(told.items.len(), 1);
    assert_eq!(told.items[0].details["checked"], 300);
    assert_eq!(told.items[0].details["asked_by"]["kind"], "account");
    assert_eq!(told.items[0].target.as_ref().unwrap().id, job.id.to_string());
}

async fn a_job_finds_what_was_changed(engine: Engine) {
    let db = testkit::db(engine).await;
    write(&db, tenant(1), 10).await;
    sql(&db, "UPDATE audit_entry SET action = 'test.undone' WHERE sequence = 7").await;

    let job = verified(&db).await;

    assert_eq!(job.state, JobState::Succeeded);
    let note = job.progress.unwrap().note;
    assert!(note.starts_with("NOT IN ORDER at entry 7: The column action"), "{note}");
}

async fn asking_twice_makes_one_job_and_needs_the_permission(engine: Engine) {
    let db = testkit::db(engine).await;
    let audit = Audit::new((*db).clone());

    let first = audit.start_verification(&auditor(tenant(1))).await.unwrap();
    let second = audit.start_verification(&auditor(tenant(1))).await.unwrap();
    let other = audit.start_verification(&auditor(tenant(2))).await.unwrap();
    let refused = audit.start_verification(&caller(tenant(1), &["audit.export"])).await;

    assert_eq!(first.id, second.id);
    assert_ne!(first.id, other.id);
    assert_eq!(kernel::Problem::from(refused.unwrap_err()).kind, Kind::Forbidden);
}

on_both_engines!(
    a_job_verifies_the_trail_and_its_finding_is_on_record,
    a_job_finds_what_was_changed,
    asking_twice_makes_one_job_and_needs_the_permission,
);
