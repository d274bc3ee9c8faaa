//! Processes that die, stop, lose their jobs, and lose the answer to a claim.

use std::sync::Arc;

use testkit::Engine;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::*;

/// A process that dies with the returned set: aborted, it settles nothing and gives no more signs.
fn mortal(db: &Db, handler: Arc<dyn Handler>) -> JoinSet<()> {
    let mut life = JoinSet::new();
    life.spawn(jobs_with(db, quick_to_drain(), handler).process(&Tasks::default()).run());
    life
}

async fn a_dead_process_has_its_jobs_running_again_within_five_seconds(engine: Engine) {
    let db = testkit::db(engine).await;
    let tenant = tenant(&db);
    let (first, second) = (Arc::new(Probe::default()), Arc::new(Probe::default()));
    let mut life = mortal(&db, first.clone());
    let ids = [promise(&db, tenant, probe("hang_once")).await, promise(&db, tenant, probe("hang_once")).await];
    first.until_begun(2).await;
    // The wall clock of the machine jumps back meanwhile, which must not matter.
    db.clock().shift(chrono::TimeDelta::hours(-5));

    life.abort_all();
    let died = Instant::now();
    let other = db.again().await;
    let tasks = start(&other, second.clone()); // as after a restart: it never saw the dead one alive
    second.until_begun(2).await;
    let took = died.elapsed();

    assert!(took < Duration::from_secs(5), "it took {took:?}");
    assert!(second.runs().iter().all(|(_, attempt)| *attempt == 2));
    for id in ids {
        until(&db, tenant, id, JobState::Succeeded).await;
    }
    stop(tasks).await;
}

async fn an_attempt_that_took_its_process_down_counts_as_failed(engine: Engine) {
    let db = testkit::db(engine).await;
    let tenant = tenant(&db);
    let id = promise(&db, tenant, probe("").attempts(1)).await;
    let process = enter(&db).await;
    claim(&db, process, 1).await;

    bury(&db, process).await;

    let job = look(&db, tenant, id).await;
    assert_eq!(job.state, JobState::Dead);
    assert_eq!(job.last_error.unwrap(), "The process that ran it died.");
}

async fn a_process_that_stirs_is_not_buried(engine: Engine) {
    let db = testkit::db(engine).await;
    let process = enter(&db).await;
    across(&db, async |tx| Ok(store::beat(tx, process).await?)).await;

    let buried = across(&db, async |tx| Ok(store::bury(tx, process, 0).await?)).await;

    assert_eq!(buried, None);
}

async fn a_stopping_process_hands_back_what_does_not_end(engine: Engine) {
    let db = testkit::db(engine).await;
    let tenant = tenant(&db);
    let (first, second) = (Arc::new(Probe::default()), Arc::new(Probe::default()));
    let tasks = start(&db, first.clone());
    // One attempt only: were the hand-back a failure, they would be dead.
    let deaf = promise(&db, tenant, probe("hang_once").attempts(1)).await;
    let obedient = promise(&db, tenant, probe("obey").attempts(1)).await;
    first.until_begun(2).await;

    stop(tasks).await;

    for id in [deaf, obedient] {
        let job = look(&db, tenant, id).await;
        assert_eq!((job.state, job.attempt), (JobState::Ready, 1));
    }
    let left = across(&db, async |tx| Ok(store::beats(tx, db.random().id(tx.now())).await?)).await;
    assert_eq!(left, [], "the process has left");
    let tasks = start(&db, second.clone());
    for id in [deaf, obedient] {
        assert_eq!(until(&db, tenant, id, JobState::Succeeded).await.attempt, 2);
    }
    stop(tasks).await;
}

async fn a_process_that_was_buried_alive_drops_its_jobs_and_goes_on(engine: Engine) {
    let db = testkit::db(engine).await;
    let tenant = tenant(&db);
    let probe_handler = Arc::new(Probe::default());
    let tasks = start(&db, probe_handler.clone());
    let id = promise(&db, tenant, probe("hang_once")).await;
    probe_handler.until_begun(1).await;

    let processes = across(&db, async |tx| Ok(store::beats(tx, db.random().id(tx.now())).await?)).await;
    bury(&db, processes[0].0).await;

    assert_eq!(until(&db, tenant, id, JobState::Succeeded).await.attempt, 2);
    assert_eq!(probe_handler.runs(), [(id, 1), (id, 2)]);
    stop(tasks).await;
}

async fn a_claim_whose_answer_was_lost_is_given_back(engine: Engine) {
    let db = testkit::db(engine).await;
    let tenant = tenant(&db);
    let probe_handler = Arc::new(Probe::default());
    let later = db.clock().now() + chrono::TimeDelta::hours(1);
    let id = promise(&db, tenant, probe("succeed").at(later)).await;
    let tasks = start(&db, probe_handler.clone());
    let warm_up = promise(&db, tenant, probe("succeed")).await;
    until(&db, tenant, warm_up, JobState::Succeeded).await;
    let processes = across(&db, async |tx| Ok(store::beats(tx, db.random().id(tx.now())).await?)).await;

    // Behind its back the job is made ready and given to it.
    let past = db.clock().now() - chrono::TimeDelta::hours(1);
    let given = across(&db, async |tx| {
        let sql = "UPDATE jobs_job SET state = 'ready', run_at = $2 WHERE id = $1";
        tx.execute(sql, [id.into(), past.into()]).await?;
        store::claim(tx, processes[0].0, &["test.probe"], 1).await
    });

    assert_eq!(given.await.len(), 1);
    assert_eq!(until(&db, tenant, id, JobState::Succeeded).await.attempt, 2);
    stop(tasks).await;
}

async fn no_more_jobs_run_at_once_than_configured(engine: Engine) {
    let db = testkit::db(engine).await;
    let tenant = tenant(&db);
    let probe_handler = Arc::new(Probe::default());
    let config = JobsConfig { concurrency: 2, ..quick_to_drain() };
    let tasks = Tasks::default();
    jobs_with(&db, config, probe_handler.clone()).start(&tasks);
    for _ in 0..5 {
        promise(&db, tenant, probe("hang")).await;
    }

    probe_handler.until_begun(2).await;
    // Two more signs of life: time enough to claim too much.
    let signs = async || across(&db, async |tx| Ok(store::beats(tx, db.random().id(tx.now())).await?)).await[0].1;
    let enough = signs().await + 2;
    while signs().await < enough {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let caller = Caller::system("test", tenant);
    let stats = Jobs::new(db.clone(), JobsConfig::default()).stats(&caller).await.unwrap();

    assert_eq!((stats[0].running, stats[0].ready), (2, 3));
    assert_eq!(probe_handler.runs().len(), 2);
    stop(tasks).await;
}

testkit::on_both_engines!(
    a_dead_process_has_its_jobs_running_again_within_five_seconds,
    an_attempt_that_took_its_process_down_counts_as_failed,
    a_process_that_stirs_is_not_buried,
    a_stopping_process_hands_back_what_does_not_end,
    a_process_that_was_buried_alive_drops_its_jobs_and_goes_on,
    a_claim_whose_answer_was_lost_is_given_back,
    no_more_jobs_run_at_once_than_configured,
);
