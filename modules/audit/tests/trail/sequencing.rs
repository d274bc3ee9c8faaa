//! Numbers without a gap, whoever writes and whoever numbers.

use std::collections::BTreeMap;
use std::time::Duration;

use audit::{Audit, Entry};
use kernel::{Caller, Db, Problem, Tasks};
use testkit::{Engine, on_both_engines};

use crate::fixture::{auditor, caller, sql, tenant, verify, write};

const TASKS: u128 = 64;
const ENTRIES: usize = 12;
const TENANTS: u128 = 5;

/// Waits until nothing is pending in the tenant.
async fn settled(db: &Db, number: u128) {
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while verify(db, tenant(number)).await.unsequenced > 0 {
        assert!(std::time::Instant::now() < deadline, "entries were not numbered within 60 s");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn sixty_four_writers_and_two_sequencers_leave_no_gap_and_no_twin(engine: Engine) {
    let db = testkit::db(engine).await;
    let other = db.again().await;
    let tasks = Tasks::default();
    Audit::new(db.clone()).start(&tasks);
    Audit::new(other.clone()).start(&tasks);

    let mut writers = tokio::task::JoinSet::new();
    for task in 0..TASKS {
        let db = if task % 2 == 0 { db.clone() } else { other.clone() };
        writers.spawn(async move {
            for number in 0..ENTRIES {
                let entry = Entry::success("test.raced").target("task", format!("{task}-{number}"));
                audit::record(&db, &caller(tenant(task % TENANTS), &[]), entry).await.unwrap();
            }
        });
    }
    writers.join_all().await;
    for number in 0..TENANTS {
        settled(&db, number).await;
    }
    assert!(tasks.stop(Duration::from_secs(10)).await);

    let mut seen = BTreeMap::new();
    for number in 0..TENANTS {
        let found = verify(&db, tenant(number)).await;
        assert!(found.ok, "{found:?}");
        assert_eq!(found.checked, found.size);
        let filter = "action eq \"test.raced\"";
        let lines = crate::reading::export(&db, &auditor(tenant(number)), Some(filter)).await;
        for line in &lines[..lines.len() - 1] {
            let text = line["entry"].as_str().unwrap();
            let entry: serde_json::Value = serde_json::from_str(text).unwrap();
            *seen.entry(entry["target"]["id"].as_str().unwrap().to_owned()).or_insert(0) += 1;
        }
    }
    assert_eq!(seen.len(), usize::try_from(TASKS).unwrap() * ENTRIES);
    assert!(seen.values().all(|times| *times == 1));
}

async fn an_entry_of_a_transaction_that_fails_leaves_no_trace_and_no_gap(engine: Engine) {
    let db = testkit::db(engine).await;
    write(&db, tenant(1), 2).await;

    let failed: Result<(), Problem> = db
        .write(&caller(tenant(1), &[]), async |tx| {
            audit::append(tx, &caller(tenant(1), &[]), Entry::success("test.undone")).await?;
            Err(Problem::not_found())
        })
        .await;
    write(&db, tenant(1), 2).await;

    assert!(failed.is_err());
    let found = verify(&db, tenant(1)).await;
    assert!(found.ok, "{found:?}");
    assert_eq!(found.size, 4);
}

async fn more_entries_than_fit_one_batch_are_numbered_in_the_order_of_their_ids(engine: Engine) {
    let db = testkit::db(engine).await;
    let many = 1100;
    db.write(&caller(tenant(1), &[]), async |tx| {
        for number in 0..many {
            audit::append(tx, &caller(tenant(1), &[]), Entry::success("test.done").target("thing", number)).await?;
        }
        Ok::<_, Problem>(())
    })
    .await
    .unwrap();

    Audit::new((*db).clone()).number().await.unwrap();

    let found = verify(&db, tenant(1)).await;
    assert!(found.ok, "{found:?}");
    assert_eq!(found.size, many);
    let disordered = "UPDATE audit_entry SET outcome = outcome WHERE EXISTS (SELECT 1 FROM audit_entry AS other \
                      WHERE other.sequence < audit_entry.sequence AND other.id > audit_entry.id)";
    assert_eq!(sql(&db, disordered).await, 0);
}

async fn the_loop_numbers_soon_after_the_commit_and_stops_when_told(engine: Engine) {
    let db = testkit::db(engine).await;
    let tasks = Tasks::default();
    Audit::new((*db).clone()).start(&tasks);

    audit::record(&db, &caller(tenant(1), &[]), Entry::success("test.done")).await.unwrap();
    settled(&db, 1).await;

    assert!(tasks.stop(Duration::from_secs(10)).await);
    assert!(verify(&db, tenant(1)).await.size >= 1);
}

async fn a_forged_head_is_not_extended_and_holds_nobody_else_up(engine: Engine) {
    let db = testkit::db(engine).await;
    write(&db, tenant(1), 3).await;
    sql(&db, "UPDATE audit_head SET size = 2").await;

    write(&db, tenant(1), 1).await;
    write(&db, tenant(2), 3).await;

    let forged = verify(&db, tenant(1)).await;
    assert_eq!((forged.ok, forged.size), (false, 2));
    assert!(forged.unsequenced >= 1);
    let other = verify(&db, tenant(2)).await;
    assert_eq!((other.ok, other.size), (true, 3));
}

async fn a_leaf_of_a_wrong_length_holds_nobody_else_up(engine: Engine) {
    let db = testkit::db(engine).await;
    audit::record(&db, &caller(tenant(1), &[]), Entry::success("test.done")).await.unwrap();
    sql(&db, "UPDATE audit_entry SET leaf_hash = salt").await;

    write(&db, tenant(2), 3).await;

    assert_eq!(verify(&db, tenant(2)).await.size, 3);
    assert_eq!(verify(&db, tenant(1)).await.size, 0);
}

async fn the_process_itself_writes_as_system(engine: Engine) {
    let db = testkit::db(engine).await;

    audit::record(&db, &Caller::system("jobs", tenant(1)), Entry::failure("test.tried")).await.unwrap();
    let (_, page) = Audit::new((*db).clone()).list(&auditor(tenant(1)), &kernel::ListParams::default()).await.unwrap();

    let entry = &page.items[0];
    assert_eq!((entry.actor.kind.as_str(), entry.actor.name.as_str()), ("system", "jobs"));
    assert_eq!(entry.outcome, audit::Outcome::Failure);
    assert_eq!(entry.sequence, None);
}

async fn the_trail_of_a_tenant_that_is_gone_goes_and_no_other(engine: Engine) {
    let db = testkit::db(engine).await;
    write(&db, tenant(1), 3).await;
    write(&db, tenant(2), 2).await;
    audit::record(&db, &caller(tenant(1), &[]), Entry::success("test.pending")).await.unwrap();

    db.write(&Caller::system("test", tenant(1)), async |tx| audit::forget(tx).await).await.unwrap();
    Audit::new(db.clone()).number().await.unwrap();

    let (gone, kept) = (verify(&db, tenant(1)).await, verify(&db, tenant(2)).await);
    assert_eq!((gone.ok, gone.size, gone.unsequenced), (true, 0, 0));
    assert_eq!((kept.ok, kept.size), (true, 2));
}

on_both_engines!(
    the_trail_of_a_tenant_that_is_gone_goes_and_no_other,
    sixty_four_writers_and_two_sequencers_leave_no_gap_and_no_twin,
    an_entry_of_a_transaction_that_fails_leaves_no_trace_and_no_gap,
    more_entries_than_fit_one_batch_are_numbered_in_the_order_of_their_ids,
    the_loop_numbers_soon_after_the_commit_and_stops_when_told,
    a_forged_head_is_not_extended_and_holds_nobody_else_up,
    a_leaf_of_a_wrong_length_holds_nobody_else_up,
    the_process_itself_writes_as_system,
);
