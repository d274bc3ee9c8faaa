//! What can be promised, and when it is done.

use std::collections::HashSet;
use std::sync::Arc;

use kernel::Expected;
use testkit::Engine;
use tokio::task::JoinSet;

use super::*;

async fn a_unique_key_is_held_by_one_job_whoever_races_for_it(engine: Engine) {
    let db = testkit::db(engine).await;
    let tenant = tenant(&db);
    let mut racers = JoinSet::new();
    for _ in 0..64 {
        let db = db.clone();
        racers.spawn(async move { promise(&db, tenant, probe("").unique("only one")).await });
    }

    let ids: HashSet<JobId> = racers.join_all().await.into_iter().collect();

    assert_eq!(ids.len(), 1);
    let stranger = promise(&db, super::tenant(&db), probe("").unique("only one")).await;
    assert!(!ids.contains(&stranger), "another tenant has keys of its own");
}

async fn a_key_is_free_again_when_its_job_has_ended(engine: Engine) {
    let db = testkit::db(engine).await;
    let tenant = tenant(&db);
    let caller = Caller::system("test", tenant);
    let jobs = Jobs::new(db.clone(), JobsConfig::default());
    let first = promise(&db, tenant, probe("").unique("k")).await;
    jobs.cancel(&caller, first, Expected::Unnamed).await.unwrap();

    let second = promise(&db, tenant, probe("").unique("k")).await;
    let taken = jobs.retry(&caller, first, Expected::Unnamed).await.map_err(Problem::from).unwrap_err();

    assert_ne!(first, second);
    assert_eq!((taken.kind.status(), taken.code.as_ref()), (409, "jobs.unique_key_taken"));
    assert_eq!(look(&db, tenant, first).await.state, JobState::Cancelled);
}

async fn work_is_not_promised_by_a_transaction_that_fails(engine: Engine) {
    let db = testkit::db(engine).await;
    let tenant = tenant(&db);
    let caller = Caller::system("test", tenant);

    let failed = db.write(&caller, async |tx| {
        enqueue(tx, probe("succeed")).await?;
        Err::<(), _>(Problem::not_found())
    });

    assert!(failed.await.is_err());
    let process = enter(&db).await;
    assert_eq!(claim(&db, process, 1).await, []);
}

async fn a_scheduled_job_waits_for_its_time(engine: Engine) {
    let db = testkit::db(engine).await;
    let tenant = tenant(&db);
    let tasks = start(&db, Arc::new(Probe::default()));
    let soon = db.clock().now() + chrono::TimeDelta::milliseconds(400);
    let id = promise(&db, tenant, probe("succeed").at(soon)).await;
    let before = look(&db, tenant, id).await;

    let done = until(&db, tenant, id, JobState::Succeeded).await;

    assert_eq!(before.state, JobState::Scheduled);
    assert!(done.finished_at.unwrap() >= soon);
    stop(tasks).await;
}

async fn a_payload_that_is_too_large_or_too_deep_is_refused(engine: Engine) {
    let db = testkit::db(engine).await;
    let caller = Caller::system("test", tenant(&db));
    let promise_it = async |job: NewJob| {
        let promising = db.write(&caller, async |tx| enqueue(tx, job.clone()).await);
        promising.await.map_err(|problem| problem.code.to_string())
    };
    let deep = (0..200).fold(json!(1), |inner, _| json!([inner]));
    let of = |payload| NewJob::new("test.probe", payload);

    assert_eq!(promise_it(of(json!("x".repeat(300_000)))).await.unwrap_err(), "jobs.payload_too_large");
    assert_eq!(promise_it(of(deep)).await.unwrap_err(), "jobs.payload_too_deep");
    assert_eq!(promise_it(probe("").unique("")).await.unwrap_err(), "jobs.unique_key_invalid");
    promise_it(probe("'; DROP TABLE jobs_job; --").unique("\u{1F980}'\"")).await.unwrap();
}

async fn what_has_ended_can_be_pruned(engine: Engine) {
    let db = testkit::db(engine).await;
    let tenant = tenant(&db);
    let caller = Caller::system("test", tenant);
    let ended = promise(&db, tenant, probe("")).await;
    let waiting = promise(&db, tenant, probe("")).await;
    db.write(&caller, async |tx| crate::cancel(tx, ended).await).await.unwrap();

    let later = db.clock().now() + chrono::TimeDelta::hours(1);
    let gone = across(&db, async |tx| crate::prune(tx, later).await).await;

    assert_eq!(gone, 1);
    assert_eq!(look(&db, tenant, waiting).await.state, JobState::Ready);
}

async fn of_a_tenant_that_is_gone_nothing_is_kept(engine: Engine) {
    let db = testkit::db(engine).await;
    let (gone, stays) = (tenant(&db), tenant(&db));
    let forgotten = promise(&db, gone, probe("")).await;
    let kept = promise(&db, stays, probe("")).await;

    db.write(&Caller::system("test", gone), async |tx| crate::forget(tx).await).await.unwrap();

    let found = db.read(&Caller::system("test", gone), async |tx| crate::find(tx, forgotten).await).await.unwrap();
    assert!(found.is_none());
    assert_eq!(look(&db, stays, kept).await.state, JobState::Ready);
}

testkit::on_both_engines!(
    a_unique_key_is_held_by_one_job_whoever_races_for_it,
    a_key_is_free_again_when_its_job_has_ended,
    work_is_not_promised_by_a_transaction_that_fails,
    a_scheduled_job_waits_for_its_time,
    a_payload_that_is_too_large_or_too_deep_is_refused,
    what_has_ended_can_be_pruned,
    of_a_tenant_that_is_gone_nothing_is_kept,
);
