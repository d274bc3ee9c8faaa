//! Many writers, and several processes with the same subscriber.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::json;
use testkit::Engine;
use tokio::task::JoinSet;

use super::{Echo, echoes, tenant};
use crate::{Events, publish};
use kernel::{Caller, Problem, Tasks};

const WRITERS: usize = 64;
const EACH: usize = 8;

async fn sixty_four_writers_and_three_processes_do_each_event_once_and_in_order(engine: Engine) {
    let db = testkit::db(engine).await;
    let tenant = tenant(&db);
    let mut running = Vec::new();
    for number in 0..3 {
        let mut events = Events::new(if number == 0 { db.clone() } else { db.again().await });
        // One of them fails now and then, so that parking takes part in the race.
        let echo = if number == 1 { Echo::failing_at(&["3:2", "9:0"]) } else { Echo::named("echo") };
        events.subscribe(echo);
        let tasks = Tasks::default();
        events.start(&tasks);
        running.push(tasks);
    }
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let db = db.clone();
        writers.spawn(async move {
            for number in 0..EACH {
                let word = json!({ "word": format!("{writer}:{number}") });
                let key = format!("key {}", writer % 16);
                let caller = Caller::system("test", tenant);
                let said = db.write(&caller, async |tx| publish(tx, "test.said", &key, word.clone()).await);
                said.await.unwrap();
            }
            Ok::<_, Problem>(())
        });
    }
    while let Some(ended) = writers.join_next().await {
        ended.unwrap().unwrap();
    }

    let all = async {
        while echoes(&db).await.len() < WRITERS * EACH {
            db.clock().shift(chrono::TimeDelta::seconds(1));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(2), all).await.expect("all are done");
    for tasks in running {
        assert!(tasks.stop(Duration::from_secs(10)).await);
    }

    let words = echoes(&db).await;
    assert_eq!(words.len(), WRITERS * EACH, "none twice");
    let mut last: HashMap<&str, usize> = HashMap::new();
    for word in &words {
        let (writer, number) = word.split_once(':').unwrap();
        let number: usize = number.parse().unwrap();
        let expected = last.insert(writer, number).map_or(0, |last| last + 1);
        assert_eq!(number, expected, "writer {writer} is heard in its order");
    }
}

testkit::on_both_engines!(sixty_four_writers_and_three_processes_do_each_event_once_and_in_order);
