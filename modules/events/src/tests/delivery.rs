//! Failing, waiting, dying and going on.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use kernel::{Caller, ListParams, Problem, SYSTEM_TENANT, Tasks, Tx};
use testkit::Engine;
use tokio::sync::Notify;

use super::{Echo, echoes, run_until, say, say_aside, tenant, until_echoed, wait_for_retries};
use crate::delivery::Delivery;
use crate::model::SubscriberView;
use crate::{Event, Events, Subscriber};

async fn status(db: &kernel::Db) -> SubscriberView {
    let events = Events::new(db.clone());
    let caller = Caller::system("test", SYSTEM_TENANT);
    let (_, page) = events.subscribers(&caller, &ListParams::default()).await.unwrap();
    page.items.into_iter().next().unwrap()
}

async fn a_failed_event_holds_back_its_key_and_no_other(engine: Engine) {
    let db = testkit::db(engine).await;
    let tenant = tenant(&db);
    let echo = Echo::failing_at(&["a1"]);
    let mut delivery = Delivery::new(db.clone(), echo.clone());
    for (key, word) in [("a", "a1"), ("b", "b1"), ("a", "a2"), ("a", "a3"), ("b", "b2")] {
        say(&db, tenant, key, word).await;
    }

    until_echoed(&db, &mut delivery, &["b1", "b2"]).await;
    assert_eq!(status(&db).await.parked, 3);
    echo.mended();
    wait_for_retries(&db);

    until_echoed(&db, &mut delivery, &["b1", "b2", "a1", "a2", "a3"]).await;
    assert_eq!(status(&db).await.parked, 0);
    assert_eq!(status(&db).await.last_error, None);
}

async fn one_that_fails_in_a_burst_takes_none_of_its_neighbours_along(engine: Engine) {
    let db = testkit::db(engine).await;
    let (one, two) = (tenant(&db), tenant(&db));
    let echo = Echo::failing_at(&["a20"]);
    let mut delivery = Delivery::new(db.clone(), echo.clone());
    let words: Vec<String> = (0..40).map(|number| format!("a{number}")).collect();
    for (number, word) in words.iter().enumerate() {
        say(&db, if number % 10 < 7 { one } else { two }, word, word).await;
        say_aside(&db, one).await;
    }

    let kept: Vec<&str> = words.iter().map(String::as_str).filter(|word| *word != "a20").collect();
    until_echoed(&db, &mut delivery, &kept).await;
    assert_eq!(status(&db).await.parked, 1);
    echo.mended();
    wait_for_retries(&db);

    until_echoed(&db, &mut delivery, &[&kept[..], &["a20"]].concat()).await;
}

async fn a_burst_is_done_in_few_units_of_work(engine: Engine) {
    let db = testkit::db(engine).await;
    let tenant = tenant(&db);
    let words: Vec<String> = (0..32).map(|number| format!("a{number}")).collect();
    for word in &words {
        say(&db, tenant, word, word).await;
    }
    let echo = Echo::named("echo");
    let mut delivery = Delivery::new(db.clone(), echo.clone());

    until_echoed(&db, &mut delivery, &words.iter().map(String::as_str).collect::<Vec<_>>()).await;

    assert!(echo.units() <= 4, "{} units of work", echo.units());
}

async fn the_same_key_in_another_tenant_is_another_key(engine: Engine) {
    let db = testkit::db(engine).await;
    let mut delivery = Delivery::new(db.clone(), Echo::failing_at(&["mine"]));
    say(&db, tenant(&db), "a", "mine").await;
    say(&db, tenant(&db), "a", "theirs").await;

    until_echoed(&db, &mut delivery, &["theirs"]).await;
}

async fn a_failure_leaves_no_effect(engine: Engine) {
    let db = testkit::db(engine).await;
    let echo = Echo::failing_at(&["a1"]);
    let mut delivery = Delivery::new(db.clone(), echo.clone());
    say(&db, tenant(&db), "a", "a1").await;

    run_until(&mut delivery, || async { echo.heard() == ["a1"] }).await;

    assert_eq!(echoes(&db).await, [] as [&str; 0]);
}

async fn a_panic_is_a_failure(engine: Engine) {
    let db = testkit::db(engine).await;
    let tenant = tenant(&db);
    let mut echo = Arc::into_inner(Echo::failing_at(&["a1"])).unwrap();
    echo.panics = true;
    let echo = Arc::new(echo);
    let mut delivery = Delivery::new(db.clone(), echo.clone());
    say(&db, tenant, "a", "a1").await;
    say(&db, tenant, "b", "b1").await;

    until_echoed(&db, &mut delivery, &["b1"]).await;

    assert!(status(&db).await.last_error.unwrap().contains("panicked"));
}

async fn after_ten_failures_an_event_is_dead_and_its_error_is_shown(engine: Engine) {
    let db = testkit::db(engine).await;
    let echo = Echo::failing_at(&["a1"]);
    let mut delivery = Delivery::new(db.clone(), echo.clone());
    say(&db, tenant(&db), "a", "a1").await;

    for failures in 1..=10 {
        run_until(&mut delivery, || async { echo.heard().len() == failures }).await;
        wait_for_retries(&db);
    }
    let dead = status(&db).await;
    delivery.turn(&Tasks::default()).await.unwrap();
    let tries_within_the_hour = echo.heard().len();
    echo.mended();
    db.clock().shift(TimeDelta::hours(1));

    assert_eq!((dead.parked, dead.dead), (1, 1));
    assert_eq!(dead.last_error.unwrap(), "test.told_to: It was told to fail.");
    assert_eq!(tries_within_the_hour, 10);
    until_echoed(&db, &mut delivery, &["a1"]).await;
}

/// Never comes to an end, but says when it began.
struct Stuck(Notify);

#[async_trait]
impl Subscriber for Stuck {
    fn name(&self) -> &'static str {
        "echo"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &[]
    }

    async fn handle(&self, tx: &Tx, event: &Event) -> Result<(), Problem> {
        crate::publish(tx, "test.echoed", &event.key, event.data.clone()).await?;
        self.0.notify_one();
        std::future::pending().await
    }
}

async fn a_subscriber_that_dies_in_the_middle_goes_on_from_there(engine: Engine) {
    let db = testkit::db(engine).await;
    let tenant = tenant(&db);
    say(&db, tenant, "a", "a1").await;
    say(&db, tenant, "a", "a2").await;
    let stuck = Arc::new(Stuck(Notify::new()));
    let mut dying = Delivery::new(db.clone(), stuck.clone());
    let tasks = Tasks::default();
    let life = async {
        while dying.turn(&tasks).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };

    tokio::select! {
        () = life => panic!("it can't come to an end"),
        () = stuck.0.notified() => {} // here it dies, in the middle of its transaction
    }

    let mut successor = Delivery::new(db.clone(), Echo::named("echo"));
    until_echoed(&db, &mut successor, &["a1", "a2"]).await;
    let mut another = Delivery::new(db.clone(), Echo::named("echo"));
    another.turn(&tasks).await.unwrap();
    assert_eq!(echoes(&db).await, ["a1", "a2"]);
}

async fn what_was_done_is_not_done_again_though_the_place_is_lost(engine: Engine) {
    let db = testkit::db(engine).await;
    let tenant = tenant(&db);
    say(&db, tenant, "a", "a1").await;
    until_echoed(&db, &mut Delivery::new(db.clone(), Echo::named("echo")), &["a1"]).await;

    let forget = async |tx: &Tx| Ok::<_, Problem>(tx.execute("DELETE FROM events_subscriber", []).await?);
    db.write(&Caller::platform("test"), forget).await.unwrap();
    say(&db, tenant, "a", "a2").await;

    until_echoed(&db, &mut Delivery::new(db.clone(), Echo::named("echo")), &["a1", "a2"]).await;
}

async fn what_is_published_is_heard_at_once(engine: Engine) {
    let db = testkit::db(engine).await;
    let tenant = tenant(&db);
    let (one, two) = (Echo::named("one"), Echo::named("two"));
    let mut events = Events::new(db.clone());
    events.subscribe(one.clone());
    events.subscribe(two.clone());
    let tasks = Tasks::default();
    events.start(&tasks);

    say(&db, tenant, "a", "a1").await;
    let all = async {
        while one.heard().is_empty() || two.heard().is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), all).await.expect("both hear it");

    assert!(tasks.stop(Duration::from_secs(10)).await, "the loops end with the process");
}

testkit::on_both_engines!(
    a_failed_event_holds_back_its_key_and_no_other,
    one_that_fails_in_a_burst_takes_none_of_its_neighbours_along,
    a_burst_is_done_in_few_units_of_work,
    the_same_key_in_another_tenant_is_another_key,
    a_failure_leaves_no_effect,
    a_panic_is_a_failure,
    after_ten_failures_an_event_is_dead_and_its_error_is_shown,
    a_subscriber_that_dies_in_the_middle_goes_on_from_there,
    what_was_done_is_not_done_again_though_the_place_is_lost,
    what_is_published_is_heard_at_once,
);
