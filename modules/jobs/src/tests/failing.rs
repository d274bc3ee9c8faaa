//! Failing, trying again, dying, and being given another chance.

use std::sync::Arc;

use kernel::Expected;
use testkit::Engine;

use super::*;

async fn a_failed_job_is_tried_again_after_a_while(engine: Engine) {
    let db = testkit::db(engine).await;
    let tenant = tenant(&db);
    let tasks = start(&db, Arc::new(Probe::default()));
    let id = promise(&db, tenant, probe("fail_once")).await;

    let job = until(&db, tenant, id, JobState::Succeeded).await;

    assert_eq!((job.attempt, job.last_error), (2, None));
    stop(tasks).await;
}

async fn a_job_that_fails_as_often_as_it_may_is_dead_until_it_is_retried(engine: Engine) {
    let db = testkit::db(engine).await;
    let tenant = tenant(&db);
    let caller = Caller::system("test", tenant);
    let probe_handler = Arc::new(Probe::default());
    let jobs = jobs_with(&db, quick_to_drain(), probe_handler.clone());
    let tasks = Tasks::default();
    jobs.start(&tasks);
    let id = promise(&db, tenant, probe("fail").attempts(2)).await;

    let dead = until(&db, tenant, id, JobState::Dead).await;
    let again = jobs.retry(&caller, id, Expected::Version(dead.version)).await.unwrap();
    probe_handler.until_begun(4).await;
    until(&db, tenant, id, JobState::Dead).await;

    assert_eq!(dead.last_error.unwrap(), "test.told_to: It was told to fail.");
    assert!(dead.finished_at.is_some() && again.finished_at.is_none());
    assert_eq!(again.state, JobState::Ready);
    let attempts: Vec<u32> = probe_handler.runs().into_iter().map(|(_, attempt)| attempt).collect();
    assert_eq!(attempts, [1, 2, 3, 4], "no attempt has the number of another");
    stop(tasks).await;
}

async fn a_panic_is_a_failure(engine: Engine) {
    let db = testkit::db(engine).await;
    let tenant = tenant(&db);
    let tasks = start(&db, Arc::new(Probe::default()));
    let id = promise(&db, tenant, probe("panic").attempts(1)).await;

    let job = until(&db, tenant, id, JobState::Dead).await;

    assert!(job.last_error.unwrap().contains("panicked"));
    stop(tasks).await;
}

struct Slow;

#[async_trait]
impl Handler for Slow {
    fn kind(&self) -> &'static str {
        "test.slow"
    }

    fn timeout(&self) -> Option<Duration> {
        Some(Duration::from_millis(50))
    }

    async fn run(&self, _: &Run) -> Result<(), Problem> {
        std::future::pending().await
    }
}

async fn an_attempt_that_takes_too_long_has_failed(engine: Engine) {
    let db = testkit::db(engine).await;
    let tenant = tenant(&db);
    let tasks = start(&db, Arc::new(Slow));
    let id = promise(&db, tenant, NewJob::new("test.slow", nothing()).attempts(1)).await;

    let job = until(&db, tenant, id, JobState::Dead).await;

    assert_eq!(job.last_error.unwrap(), "It was not done within 0.05 s.");
    stop(tasks).await;
}

/// Reports, settles with an effect, and reports once more.
struct Reporter;

#[async_trait]
impl Handler for Reporter {
    fn kind(&self) -> &'static str {
        "test.reporter"
    }

    async fn run(&self, run: &Run) -> Result<(), Problem> {
        run.progress(1, 3, "begun").await?;
        run.progress(2, 3, "too soon to be written").await?;
        run.progress(3, 3, "done").await?;
        run.settle_with(async |tx| enqueue(tx, NewJob::new("test.effect", nothing())).await).await?;
        Err(Problem::new(Kind::Conflict, "test.late", "What comes after settling does not count."))
    }
}

async fn progress_and_the_effect_of_settling_are_kept(engine: Engine) {
    let db = testkit::db(engine).await;
    let tenant = tenant(&db);
    let tasks = start(&db, Arc::new(Reporter));
    let id = promise(&db, tenant, NewJob::new("test.reporter", nothing())).await;

    let job = until(&db, tenant, id, JobState::Succeeded).await;
    stop(tasks).await;

    let progress = job.progress.unwrap();
    assert_eq!((progress.done, progress.total, progress.note.as_str()), (3, 3, "done"));
    assert_eq!(look(&db, tenant, id).await.state, JobState::Succeeded);
}

testkit::on_both_engines!(
    a_failed_job_is_tried_again_after_a_while,
    a_job_that_fails_as_often_as_it_may_is_dead_until_it_is_retried,
    a_panic_is_a_failure,
    an_attempt_that_takes_too_long_has_failed,
    progress_and_the_effect_of_settling_are_kept,
);
