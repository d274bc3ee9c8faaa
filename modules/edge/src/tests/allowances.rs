//! Replicas share one budget, on both engines.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use gateway::{Allowances, Claim, Grant};
use testkit::{Engine, TestDb, on_both_engines};

use crate::AllowanceRows;

fn claim(spent: i64, want: u32) -> Claim {
    let (per_minute, burst) = (NonZeroU32::new(60).unwrap(), NonZeroU32::new(10).unwrap());
    Claim { limit: "search".into(), key: [7; 16], per_minute, burst, spent, want }
}

async fn grant(rows: &AllowanceRows, spent: i64, want: u32) -> Grant {
    rows.settle(&[claim(spent, want)]).await.unwrap().grants[0]
}

async fn replicas(db: &TestDb, count: usize) -> Vec<Arc<AllowanceRows>> {
    let mut all = Vec::new();
    for _ in 0..count {
        all.push(Arc::new(AllowanceRows::new(db.again().await)));
    }
    all
}

async fn what_replicas_lease_together_is_the_budget(engine: Engine) {
    let db = testkit::db(engine).await;
    let all = replicas(&db, 4).await;
    let mut tasks = tokio::task::JoinSet::new();
    // As in a process, which settles once at a time.
    for rows in all.clone() {
        tasks.spawn(async move {
            let mut leased = 0;
            for _ in 0..16 {
                leased += grant(&rows, 0, 1).await.tokens;
            }
            leased
        });
    }

    let leased: u32 = tasks.join_all().await.iter().sum();

    // A token comes back each second, and the race may take some.
    assert!((10..=40).contains(&leased), "{leased}");
    let names: Vec<_> = all.iter().map(|rows| rows.name("search", b"ali")).collect();
    assert!(names.iter().all(|name| *name == names[0]), "a key has one name at all replicas");
    assert_eq!(all[0].settle(&[]).await.unwrap().replicas, 4);
}

async fn what_is_spent_lessens_the_budget_and_what_goes_back_restores_it(engine: Engine) {
    let db = testkit::db(engine).await;
    let rows = AllowanceRows::new((*db).clone());

    assert_eq!(grant(&rows, 0, 4).await.tokens, 4);
    assert_eq!(grant(&rows, 4, 9).await.tokens, 2);
    let empty = grant(&rows, 0, 1).await;
    assert_eq!(empty.tokens, 0);
    assert!(empty.wait > Duration::ZERO && empty.wait <= Duration::from_secs(1), "{empty:?}");
    assert_eq!(grant(&rows, -3, 9).await.tokens, 3);

    db.clock().shift(TimeDelta::seconds(5));
    assert_eq!(grant(&rows, 0, 9).await.tokens, 5);
    db.clock().shift(TimeDelta::hours(1));
    assert_eq!(grant(&rows, 0, 50).await.tokens, 10);
}

async fn a_store_that_is_away_is_told_and_waits_for_nobody(engine: Engine) {
    let db = testkit::db(engine).await;
    let rows = AllowanceRows::new(db.again().await);
    assert!(rows.settle(&[]).await.is_some());

    let closed = db.again().await;
    let away = AllowanceRows::new(closed.clone());
    closed.close().await;

    assert!(away.settle(&[claim(1, 1)]).await.is_none());
}

on_both_engines!(
    what_replicas_lease_together_is_the_budget,
    what_is_spent_lessens_the_budget_and_what_goes_back_restores_it,
    a_store_that_is_away_is_told_and_waits_for_nobody,
);
