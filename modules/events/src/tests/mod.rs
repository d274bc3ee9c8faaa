//! The module alone on its floor, on both engines.

mod delivery;
mod lists;
mod order;
mod race;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::TimeDelta;
use kernel::{Caller, Db, Kind, Problem, Tasks, TenantId, Tx};
use serde_json::json;

use crate::delivery::{Delivery, Turn};
use crate::{Event, EventId, Subscriber, publish};

/// Hears `test.said`, notes what it heard, and answers with `test.echoed` in the same transaction.
struct Echo {
    name: &'static str,
    /// What it heard, in the order of hearing, whether it was kept or not.
    heard: Mutex<Vec<String>>,
    /// Words at which it fails, after it did its work.
    fails_at: Mutex<Vec<&'static str>>,
    /// Events that it did since the last commit, and how many commits there were.
    units: Arc<(AtomicUsize, AtomicUsize)>,
    panics: bool,
}

impl Echo {
    fn named(name: &'static str) -> Arc<Self> {
        Arc::new(Self {
            name,
            heard: Mutex::default(),
            fails_at: Mutex::default(),
            units: Arc::default(),
            panics: false,
        })
    }

    fn failing_at(words: &[&'static str]) -> Arc<Self> {
        let echo = Self::named("echo");
        *echo.fails_at.lock().unwrap() = words.to_vec();
        echo
    }

    fn mended(&self) {
        self.fails_at.lock().unwrap().clear();
    }

    /// Units of work that were kept.
    fn units(&self) -> usize {
        self.units.1.load(Ordering::Relaxed)
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

#[async_trait]
impl Subscriber for Echo {
    fn name(&self) -> &'static str {
        self.name
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["test.said"]
    }

    async fn handle(&self, tx: &Tx, event: &Event) -> Result<(), Problem> {
        assert_eq!(tx.tenant(), event.tenant, "it works in the tenant of the event");
        let word = event.data["word"].as_str().unwrap_or_default().to_owned();
        self.heard.lock().unwrap().push(word.clone());
        self.units.0.fetch_add(1, Ordering::Relaxed);
        let units = Arc::clone(&self.units);
        tx.on_commit(move || {
            if units.0.swap(0, Ordering::Relaxed) > 0 {
                units.1.fetch_add(1, Ordering::Relaxed);
            }
        });
        publish(tx, "test.echoed", &event.key, event.data.clone()).await?;
        if self.fails_at.lock().unwrap().contains(&word.as_str()) {
            assert!(!self.panics, "told to");
            return Err(Problem::new(Kind::Conflict, "test.told_to", "It was told to fail."));
        }
        Ok(())
    }
}

fn tenant(db: &Db) -> TenantId {
    db.random().id(db.clock().now())
}

async fn say(db: &Db, tenant: TenantId, key: &str, word: &str) -> EventId {
    let caller = Caller::system("test", tenant);
    db.write(&caller, async |tx| publish(tx, "test.said", key, json!({ "word": word })).await).await.unwrap()
}

/// Publishes what nobody hears.
async fn say_aside(db: &Db, tenant: TenantId) {
    let caller = Caller::system("test", tenant);
    let said = db.write(&caller, async |tx| publish(tx, "test.aside", "aside", json!({})).await).await;
    said.unwrap();
}

/// The words that were echoed and kept, in the order of the log.
async fn echoes(db: &Db) -> Vec<String> {
    let all = crate::store::settled;
    let logged =
        db.read(&Caller::platform("test"), async |tx| all(tx, crate::model::Position::BEGINNING, 10_000).await).await;
    let kept = logged.unwrap().into_iter().filter(|logged| logged.event.kind == "test.echoed");
    kept.map(|logged| logged.event.data["word"].as_str().unwrap().to_owned()).collect()
}

/// Waits until no transaction of a neighbour in the same cluster hides what was just committed.
async fn run_until<F: Future<Output = bool>>(delivery: &mut Delivery, done: impl Fn() -> F) {
    let tasks = Tasks::default();
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
    while !done().await {
        assert!(tokio::time::Instant::now() < deadline, "nothing more came within 30 s");
        if delivery.turn(&tasks).await.unwrap() == Turn::Idle {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
}

async fn until_echoed(db: &Db, delivery: &mut Delivery, words: &[&str]) {
    run_until(delivery, || async { echoes(db).await.len() >= words.len() }).await;
    assert_eq!(echoes(db).await, words);
}

/// Moves the time past every wait of an event that is not dead.
fn wait_for_retries(db: &Db) {
    db.clock().shift(TimeDelta::minutes(20));
}
