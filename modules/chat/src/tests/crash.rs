//! A process that ends in the middle of an answer.

use chrono::TimeDelta;
use testkit::{Engine, on_both_engines};
use tokio::sync::oneshot;

use super::*;

/// Another process that begins an answer and vanishes once a reader of its own has seen three tokens.
fn begin_and_vanish(world: &World, opened: Db) -> oneshot::Receiver<AnswerId> {
    let (told, heard) = oneshot::channel();
    let (library, asker) = (Arc::clone(&world.library), world.asker.clone());
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let id = runtime.block_on(async {
            let chat = open(&opened, &library, config());
            let tasks = Tasks::default();
            chat.start(&tasks);
            let conversation = chat.create_conversation(&asker, NewConversation::default()).await.unwrap();
            let answer = chat.send_message(&asker, conversation.id, ask("?")).await.unwrap();
            let mut events = Box::pin(chat.follow(&asker, answer.id, 0).await.unwrap());
            let mut tokens = 0;
            while tokens < 3 {
                tokens += i32::from(events.next().await.unwrap().kind == EventKind::Token);
            }
            answer.id
        });
        runtime.shutdown_background(); // no task ends, none is asked to
        told.send(id).unwrap();
    });
    heard
}

async fn an_answer_of_a_process_that_is_gone_ends_with_interrupted(engine: Engine) {
    let world = world(engine).await;
    world.provider("gated").await;
    world.script.shared.gate.add_permits(3);
    let id = begin_and_vanish(&world, world.db.again().await).await.unwrap();

    world.db.clock().shift(TimeDelta::seconds(20));

    // The watch of the process that is left finds it.
    let events = world.all(id).await;
    let end = events.last().unwrap();
    assert_eq!(end.kind, EventKind::Interrupted);
    assert_gap_free(&events, 1);
    let tokens: String = (0..3).fold(String::new(), |text, number| text + &format!("t{number} "));
    assert!(tokens.starts_with(&text(&events)), "{events:?}");
    for after in [end.seq - 1, end.seq, end.seq + 1, end.seq + 40] {
        let resumed = follow(&world.chat, &world.asker, id, after).await;
        assert_eq!(kinds(&resumed), ["interrupted"], "after {after}");
    }
    let answer = world.chat.get_answer(&world.asker, id).await.unwrap();
    assert_eq!(answer.reason.as_ref().map(|reason| reason.code.as_str()), data(end)["code"].as_str());
    let messages = world.chat.list_messages(&world.asker, answer.conversation, Branch::default()).await.unwrap();
    assert_eq!(messages.items[1].content, text(&events));
    assert_eq!(world.audited("chat.answered").await.len(), 1);
}

async fn a_process_that_stops_in_order_ends_its_answers_with_interrupted(engine: Engine) {
    let world = world(engine).await;
    world.provider("gated").await;
    let answer = world.ask("?").await;
    world.script.shared.gate.add_permits(2);
    let mut events = Box::pin(world.chat.follow(&world.asker, answer.id, 0).await.unwrap());
    while events.next().await.unwrap().kind != EventKind::Token {}

    assert!(world.tasks.stop(PATIENCE).await);

    let rest: Vec<_> = events.collect().await;
    assert_eq!(rest.last().unwrap().kind, EventKind::Interrupted);
    let kept = world.chat.get_answer(&world.asker, answer.id).await.unwrap();
    assert_eq!(kept.state, crate::AnswerState::Interrupted);
    assert_eq!(kept.reason.unwrap().code, "chat.interrupted");
}

async fn a_log_goes_after_its_time_and_the_message_stays(engine: Engine) {
    let world = world(engine).await;
    world.provider("steady").await;
    let answer = world.ask("?").await;
    world.all(answer.id).await;
    let platform = Caller::platform("test");
    let prune = async |before| {
        world.db.write(&platform, async |tx: &Tx| crate::store::events::prune(tx, before).await).await.unwrap()
    };

    let early: u64 = prune(world.db.clock().now() - TimeDelta::seconds(600)).await;
    let late: u64 = prune(world.db.clock().now() + TimeDelta::seconds(1)).await;

    assert_eq!(early, 0);
    assert!(late > 0);
    let expired = world.chat.follow(&world.asker, answer.id, 0).await.map(drop).unwrap_err();
    assert_eq!(expired, crate::Error::StreamExpired);
    let messages = world.chat.list_messages(&world.asker, answer.conversation, Branch::default()).await.unwrap();
    assert!(messages.items[1].content.starts_with("t0 t1 "));
}

on_both_engines!(
    an_answer_of_a_process_that_is_gone_ends_with_interrupted,
    a_process_that_stops_in_order_ends_its_answers_with_interrupted,
    a_log_goes_after_its_time_and_the_message_stays,
);
