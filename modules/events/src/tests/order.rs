//! Readers never outrun a transaction in flight.

use kernel::{Caller, Problem, Tasks};
use sea_orm::FromQueryResult;
use serde_json::json;
use testkit::Engine;
use tokio::sync::oneshot;

use super::{Echo, echoes, say, tenant, until_echoed};
use crate::delivery::{Delivery, Turn};
use crate::{Events, publish};

#[derive(FromQueryResult)]
struct Seq {
    seq: i64,
}

/// What a reader would see that goes by the rows' numbers alone.
async fn naive(db: &kernel::Db, after: i64) -> Vec<i64> {
    let sql = "SELECT seq FROM events_log WHERE kind = 'test.said' AND seq > $1 ORDER BY seq";
    let caller = Caller::platform("test");
    let rows = db.read(&caller, async |tx| Ok::<Vec<Seq>, Problem>(tx.all(sql, [after.into()]).await?)).await;
    rows.unwrap().into_iter().map(|row| row.seq).collect()
}

/// Only PostgreSQL has writers at the same time.
#[tokio::test]
async fn an_event_that_commits_late_is_not_passed_by() {
    let db = testkit::db(Engine::Postgres).await;
    let tenant = tenant(&db);
    let echo = Echo::named("echo");
    let mut delivery = Delivery::new(db.clone(), echo.clone());
    let (written, is_written) = oneshot::channel();
    let (release, released) = oneshot::channel::<()>();
    let gates = std::sync::Mutex::new(Some((written, released)));
    let early = async {
        let caller = Caller::system("test", tenant);
        db.write(&caller, async |tx| {
            publish(tx, "test.said", "a", json!({ "word": "early" })).await?;
            let (written, released) = gates.lock().unwrap().take().unwrap();
            written.send(()).unwrap();
            released.await.unwrap();
            Ok::<_, Problem>(())
        })
        .await
        .unwrap();
    };
    let others = async {
        is_written.await.unwrap();
        say(&db, tenant, "b", "late").await;
        let passed = naive(&db, 0).await;
        let tasks = Tasks::default();
        for _ in 0..5 {
            assert_eq!(delivery.turn(&tasks).await.unwrap(), Turn::Idle, "the early one is still in flight");
        }
        release.send(()).unwrap();
        passed
    };

    let ((), passed) = tokio::join!(early, others);

    assert_eq!(passed.len(), 1, "the late one alone is visible");
    assert_eq!(naive(&db, passed[0]).await, [] as [i64; 0], "whoever went on from there has lost the early one");
    until_echoed(&db, &mut delivery, &["early", "late"]).await;
}

/// As after a restore on a server that has counted fewer transactions; only PostgreSQL counts them.
#[tokio::test]
async fn a_log_from_another_server_goes_on_where_it_was() {
    let db = testkit::db(Engine::Postgres).await;
    let tenant = tenant(&db);
    let mut delivery = Delivery::new(db.clone(), Echo::named("echo"));
    let events = Events::new(db.clone());
    events.prepare().await.unwrap();
    say(&db, tenant, "a", "done before").await;
    until_echoed(&db, &mut delivery, &["done before"]).await;
    say(&db, tenant, "a", "still to do").await;
    let moved = async |tx: &kernel::Tx| {
        for table in ["events_log", "events_subscriber"] {
            tx.execute(&format!("UPDATE {table} SET txid = txid + 1000000"), []).await?;
        }
        Ok::<_, Problem>(())
    };
    db.write(&Caller::platform("test"), moved).await.unwrap();
    let unprepared = Delivery::new(db.clone(), Echo::named("echo")).turn(&Tasks::default()).await.unwrap();

    events.prepare().await.unwrap();
    say(&db, tenant, "a", "new").await;

    assert_eq!(unprepared, Turn::Idle, "without help nothing is heard");
    let mut successor = Delivery::new(db.clone(), Echo::named("echo"));
    until_echoed(&db, &mut successor, &["done before", "still to do", "new"]).await;
}

async fn what_is_rolled_back_is_never_heard(engine: Engine) {
    let db = testkit::db(engine).await;
    let tenant = tenant(&db);
    let mut delivery = Delivery::new(db.clone(), Echo::named("echo"));
    let caller = Caller::system("test", tenant);

    let failed = db
        .write(&caller, async |tx| {
            publish(tx, "test.said", "a", json!({ "word": "never" })).await?;
            Err::<(), _>(Problem::not_found())
        })
        .await;
    say(&db, tenant, "a", "said").await;

    assert!(failed.is_err());
    until_echoed(&db, &mut delivery, &["said"]).await;
    assert_eq!(echoes(&db).await, ["said"]);
}

async fn data_that_is_too_large_or_too_deep_is_refused(engine: Engine) {
    let db = testkit::db(engine).await;
    let caller = Caller::system("test", tenant(&db));
    let publish_it = async |key: &str, data: serde_json::Value| {
        let publishing = db.write(&caller, async |tx| publish(tx, "test.said", key, data.clone()).await);
        publishing.await.map_err(|problem| problem.code.to_string())
    };
    let deep = (0..200).fold(json!(1), |inner, _| json!([inner]));

    assert_eq!(publish_it("", json!({})).await.unwrap_err(), "events.key_invalid");
    assert_eq!(publish_it(&"k".repeat(201), json!({})).await.unwrap_err(), "events.key_invalid");
    assert_eq!(publish_it("k", json!("x".repeat(70_000))).await.unwrap_err(), "events.data_too_large");
    assert_eq!(publish_it("k", deep).await.unwrap_err(), "events.data_too_deep");
    publish_it("k'; DROP TABLE events_log; --", json!({ "word": "\u{0001}\"'" })).await.unwrap();
}

testkit::on_both_engines!(what_is_rolled_back_is_never_heard, data_that_is_too_large_or_too_deep_is_refused);
