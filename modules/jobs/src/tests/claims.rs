//! The attempt is the identity: nobody else has it, and who lost it changes nothing.

use std::collections::HashSet;
use std::sync::Arc;

use kernel::{Caller, Problem};
use testkit::Engine;
use tokio::task::JoinSet;

use super::*;

async fn sixty_four_tasks_claim_a_thousand_jobs_each_once(engine: Engine) {
    let db = testkit::db(engine).await;
    let tenant = tenant(&db);
    let caller = Caller::system("test", tenant);
    for _ in 0..4 {
        let batch = db.write(&caller, async |tx| {
            for _ in 0..250 {
                enqueue(tx, probe("succeed")).await?;
            }
            Ok::<_, Problem>(())
        });
        batch.await.unwrap();
    }
    let process = enter(&db).await;

    let mut claimers = JoinSet::new();
    for _ in 0..64 {
        let db = db.clone();
        claimers.spawn(async move {
            let mut holds = Vec::new();
            let mut misses = 0;
            while misses < 3 {
                let claimed = claim(&db, process, 7).await;
                assert!(claimed.len() <= 7, "never more than asked for");
                misses = if claimed.is_empty() { misses + 1 } else { 0 };
                holds.extend(claimed.into_iter().map(|claimed| claimed.hold));
            }
            holds
        });
    }
    let holds: Vec<_> = claimers.join_all().await.into_iter().flatten().collect();

    let jobs: HashSet<_> = holds.iter().map(|hold| hold.job).collect();
    assert_eq!((holds.len(), jobs.len()), (1000, 1000));
    assert!(holds.iter().all(|hold| hold.attempt == 1));
    let settled = across(&db, async |tx| Ok(store::succeed(tx, &holds).await?)).await;
    assert_eq!(settled.len(), 1000);
}

async fn two_processes_do_each_job_once(engine: Engine) {
    let db = testkit::db(engine).await;
    let other = db.again().await;
    let tenant = tenant(&db);
    let probe_handler = Arc::new(Probe::default());
    let running = [start(&db, probe_handler.clone()), start(&other, probe_handler.clone())];

    let mut writers = JoinSet::new();
    for _ in 0..64 {
        let db = db.clone();
        writers.spawn(async move {
            let mut ids = Vec::new();
            for _ in 0..5 {
                ids.push(promise(&db, tenant, probe("succeed")).await);
            }
            ids
        });
    }
    let ids: Vec<JobId> = writers.join_all().await.into_iter().flatten().collect();
    for id in &ids {
        until(&db, tenant, *id, JobState::Succeeded).await;
    }
    for tasks in running {
        stop(tasks).await;
    }

    let runs = probe_handler.runs();
    let distinct: HashSet<_> = runs.iter().collect();
    assert_eq!((runs.len(), distinct.len()), (320, 320));
    assert!(runs.iter().all(|(_, attempt)| *attempt == 1));
}

async fn a_stale_attempt_changes_nothing_and_its_effect_is_gone(engine: Engine) {
    let db = testkit::db(engine).await;
    let tenant = tenant(&db);
    let id = promise(&db, tenant, probe("succeed")).await;
    let effect = |key: &'static str| NewJob::new("test.effect", nothing()).unique(key);
    let (first_process, second_process) = (enter(&db).await, enter(&db).await);
    let first = claim(&db, first_process, 1).await.remove(0);
    let (first_run, _keep) = held(&db, &first);

    bury(&db, first_process).await;
    let second = claim(&db, second_process, 1).await.remove(0);
    let (second_run, _keep_too) = held(&db, &second);
    let stale = first_run.settle_with(async |tx| enqueue(tx, effect("stale")).await).await;
    let stale_progress = first_run.progress(1, 2, "").await;
    let stale_plain = across(&db, async |tx| Ok(store::succeed(tx, &[first.hold]).await?)).await;
    let stale_failure = across(&db, async |tx| Ok(store::fail(tx, first.hold, tx.now(), "").await?)).await;
    let stale_return = across(&db, async |tx| Ok(store::hand_back(tx, first.hold).await?)).await;

    assert_eq!((first.hold.attempt, second.hold.attempt), (1, 2));
    assert_eq!(stale.unwrap_err().code, "jobs.stale_attempt");
    assert_eq!(stale_progress.unwrap_err().code, "jobs.stale_attempt");
    assert_eq!((stale_plain, stale_failure, stale_return), (vec![], None, None));
    assert_eq!(look(&db, tenant, id).await.state, JobState::Running);
    let fresh = second_run.settle_with(async |tx| enqueue(tx, effect("fresh")).await).await.unwrap();
    assert_eq!(look(&db, tenant, id).await.state, JobState::Succeeded);
    assert_eq!(look(&db, tenant, fresh).await.unique_key.as_deref(), Some("fresh"));
    let jobs = Jobs::new(db.clone(), JobsConfig::default());
    let (_, page) = jobs.list(&Caller::system("test", tenant), &kernel::ListParams::default()).await.unwrap();
    assert_eq!(page.items.len(), 2, "the stale effect was rolled back");
}

async fn an_effect_that_fails_leaves_the_job_unsettled(engine: Engine) {
    let db = testkit::db(engine).await;
    let tenant = tenant(&db);
    let id = promise(&db, tenant, probe("succeed")).await;
    let process = enter(&db).await;
    let claimed = claim(&db, process, 1).await.remove(0);
    let (run, _keep) = held(&db, &claimed);

    let failed: Result<(), Problem> = run.settle_with(async |_| Err(Problem::not_found())).await;

    assert!(failed.is_err());
    assert!(!run.is_settled());
    assert_eq!(look(&db, tenant, id).await.state, JobState::Running);
}

async fn the_most_urgent_and_then_the_oldest_goes_first(engine: Engine) {
    let db = testkit::db(engine).await;
    let tenant = tenant(&db);
    let now = db.clock().now();
    let ago = |seconds| now - chrono::TimeDelta::seconds(seconds);
    let young = promise(&db, tenant, probe("").at(ago(10))).await;
    let old = promise(&db, tenant, probe("").at(ago(20))).await;
    let later = promise(&db, tenant, probe("").priority(9).at(now + chrono::TimeDelta::hours(1))).await;
    let urgent = promise(&db, tenant, probe("").priority(1)).await;
    let process = enter(&db).await;

    let order: Vec<_> = claim(&db, process, 10).await.into_iter().map(|claimed| claimed.hold.job).collect();

    assert_eq!(order, [urgent, old, young]);
    assert_eq!(look(&db, tenant, later).await.state, JobState::Scheduled);
}

async fn jobs_of_an_unknown_kind_are_left_alone(engine: Engine) {
    let db = testkit::db(engine).await;
    let tenant = tenant(&db);
    let probe_handler = Arc::new(Probe::default());
    let unknown = promise(&db, tenant, NewJob::new("test.newer", nothing()).priority(5)).await;
    let tasks = start(&db, probe_handler);

    let known = promise(&db, tenant, probe("succeed")).await;
    until(&db, tenant, known, JobState::Succeeded).await;

    assert_eq!(look(&db, tenant, unknown).await.state, JobState::Ready);
    stop(tasks).await;
}

testkit::on_both_engines!(
    sixty_four_tasks_claim_a_thousand_jobs_each_once,
    two_processes_do_each_job_once,
    a_stale_attempt_changes_nothing_and_its_effect_is_gone,
    an_effect_that_fails_leaves_the_job_unsettled,
    the_most_urgent_and_then_the_oldest_goes_first,
    jobs_of_an_unknown_kind_are_left_alone,
);
