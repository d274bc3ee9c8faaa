//! Calling jobs off.

use std::sync::Arc;

use kernel::Expected;
use testkit::Engine;
use tokio::time::Instant;

use super::*;

async fn a_waiting_job_is_cancelled_at_once(engine: Engine) {
    let db = testkit::db(engine).await;
    let tenant = tenant(&db);
    let caller = Caller::system("test", tenant);
    let jobs = Jobs::new(db.clone(), JobsConfig::default());
    let id = promise(&db, tenant, probe("succeed")).await;

    let stale = jobs.cancel(&caller, id, Expected::Version(7)).await.map_err(Problem::from).unwrap_err();
    let job = jobs.cancel(&caller, id, Expected::Version(1)).await.unwrap();
    let twice = jobs.cancel(&caller, id, Expected::Unnamed).await.map_err(Problem::from).unwrap_err();

    assert_eq!(stale.kind.status(), 412);
    assert_eq!((job.state, job.finished_at.is_some()), (JobState::Cancelled, true));
    assert_eq!((twice.kind.status(), twice.code.as_ref()), (409, "jobs.not_cancellable"));
    let process = enter(&db).await;
    assert_eq!(claim(&db, process, 1).await, []);
}

async fn a_running_job_is_told_to_stop_and_then_cancelled(engine: Engine) {
    let db = testkit::db(engine).await;
    let tenant = tenant(&db);
    let caller = Caller::system("test", tenant);
    let probe_handler = Arc::new(Probe::default());
    let jobs = jobs_with(&db, JobsConfig::default(), probe_handler.clone());
    let tasks = Tasks::default();
    jobs.start(&tasks);
    let id = promise(&db, tenant, probe("obey")).await;
    probe_handler.until_begun(1).await;

    let asked = jobs.cancel(&caller, id, Expected::Unnamed).await.unwrap();
    let asked_at = Instant::now();
    let job = until(&db, tenant, id, JobState::Cancelled).await;

    assert_eq!(asked.state, JobState::Running);
    assert!(asked_at.elapsed() < Duration::from_secs(3), "its handler hears of it soon");
    assert_eq!(job.attempt, 1);
    stop(tasks).await;
}

async fn a_deaf_handler_is_dropped_and_its_job_cancelled(engine: Engine) {
    let db = testkit::db(engine).await;
    let tenant = tenant(&db);
    let probe_handler = Arc::new(Probe::default());
    let tasks = start(&db, probe_handler.clone());
    let id = promise(&db, tenant, probe("hang")).await;
    probe_handler.until_begun(1).await;

    let caller = Caller::system("test", tenant);
    let told = db.write(&caller, async |tx| crate::cancel(tx, id).await).await.unwrap();

    assert!(told);
    until(&db, tenant, id, JobState::Cancelled).await;
    stop(tasks).await;
}

async fn a_job_that_is_called_off_while_its_process_dies_is_cancelled(engine: Engine) {
    let db = testkit::db(engine).await;
    let tenant = tenant(&db);
    let id = promise(&db, tenant, probe("")).await;
    let process = enter(&db).await;
    claim(&db, process, 1).await;
    let caller = Caller::system("test", tenant);
    db.write(&caller, async |tx| crate::cancel(tx, id).await).await.unwrap();

    bury(&db, process).await;

    assert_eq!(look(&db, tenant, id).await.state, JobState::Cancelled);
}

async fn another_tenants_job_can_be_neither_seen_nor_cancelled_nor_retried(engine: Engine) {
    let db = testkit::db(engine).await;
    let (mine, theirs) = (tenant(&db), tenant(&db));
    let id = promise(&db, theirs, probe("")).await;
    let jobs = Jobs::new(db.clone(), JobsConfig::default());
    let caller = Caller::system("test", mine);

    let answers = [
        jobs.get(&caller, id).await,
        jobs.cancel(&caller, id, Expected::Any).await,
        jobs.retry(&caller, id, Expected::Any).await,
    ];

    assert!(answers.into_iter().all(|answer| Problem::from(answer.unwrap_err()).kind.status() == 404));
    assert!(!db.write(&caller, async |tx| crate::cancel(tx, id).await).await.unwrap());
    assert_eq!(look(&db, theirs, id).await.state, JobState::Ready);
}

testkit::on_both_engines!(
    a_waiting_job_is_cancelled_at_once,
    a_running_job_is_told_to_stop_and_then_cancelled,
    a_deaf_handler_is_dropped_and_its_job_cancelled,
    a_job_that_is_called_off_while_its_process_dies_is_cancelled,
    another_tenants_job_can_be_neither_seen_nor_cancelled_nor_retried,
);
