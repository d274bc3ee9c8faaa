//! Answers and their streams.

use std::sync::Arc;

use futures_util::StreamExt;
use testkit::{Engine, on_both_engines};
use tokio::task::JoinSet;

use super::*;
use crate::{AnswerState, MessageRole};

async fn a_stream_shows_passages_then_tokens_then_citations_and_becomes_a_message(engine: Engine) {
    let world = world(engine).await;
    world.provider("cites").await;
    world.holds(vec![passage(1, "alpha"), passage(2, "beta"), passage(3, "gamma")]);

    let answer = world.ask("Is it so?").await;
    let events = world.all(answer.id).await;

    assert_eq!(kinds(&events), ["passages", "token", "citations", "usage", "done"]);
    assert_gap_free(&events, 1);
    let cited = data(&events[events.len() - 3])["citations"].clone();
    assert_eq!(cited.as_array().unwrap().len(), 2, "{cited}");
    assert_eq!((&cited[1]["number"], &cited[1]["start"], &cited[1]["end"]), (&2.into(), &5.into(), &9.into()));
    let messages = world.chat.list_messages(&world.asker, answer.conversation, Branch::default()).await.unwrap();
    assert_eq!(messages.items.iter().map(|it| it.position).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(messages.items[1].content, text(&events));
    assert_eq!(messages.items[1].citations.len(), 2);
    let kept = world.chat.get_answer(&world.asker, answer.id).await.unwrap();
    assert_eq!(
        (kept.state, kept.provider.as_deref(), kept.model.as_deref()),
        (AnswerState::Done, Some("cites"), Some("small"))
    );
    assert_eq!((kept.prompt_tokens, kept.completion_tokens), (Some(11), Some(7)));
    let used = world.audited("chat.documents_used").await;
    assert_eq!(used.len(), 1);
    assert_eq!(used[0].actor.name, "ada");
    assert_eq!(world.audited("chat.answered").await.len(), 1);
}

async fn readers_who_resume_anywhere_all_get_the_same_tokens(engine: Engine) {
    let world = Arc::new(world(engine).await);
    world.provider("gated").await;
    let answer = world.ask("Count.").await;
    let mut readers = JoinSet::new();
    for reader in 0..64_usize {
        let world = Arc::clone(&world);
        readers.spawn(async move {
            let mut got: Vec<ChatEvent> = Vec::new();
            // Leaves after a few events, again and again, each reader in its own rhythm.
            for turn in 0.. {
                let after = got.last().map_or(0, |event| event.seq);
                let events = world.chat.follow(&world.asker, answer.id, after).await.unwrap();
                let take = 1 + (reader * 7 + turn * 3) % 13;
                got.extend(tokio::time::timeout(PATIENCE, events.take(take).collect::<Vec<_>>()).await.unwrap());
                if got.last().is_some_and(|event| event.kind.is_end()) {
                    return got;
                }
            }
            got
        });
    }
    for _ in 0..50 {
        world.script.shared.gate.add_permits(4);
        tokio::task::yield_now().await;
    }
    // The gate closes once all is taken.
    while world.script.shared.gate.available_permits() > 0 {
        tokio::task::yield_now().await;
    }
    world.script.shared.gate.close();
    let got = tokio::time::timeout(PATIENCE, readers.join_all()).await.expect("all readers end");

    let expected: String = (0..200).fold(String::new(), |text, number| text + &format!("t{number} "));
    for events in &got {
        assert_gap_free(events, 1);
        assert_eq!(text(events), expected);
    }
    assert_eq!(world.all(answer.id).await, got[0], "and so does whoever comes after the end");
}

async fn a_repeated_question_is_one_message_and_one_answer(engine: Engine) {
    let world = Arc::new(world(engine).await);
    world.provider("steady").await;
    let conversation = world.conversation().await.id;
    let mut twins = JoinSet::new();
    for _ in 0..64 {
        let world = Arc::clone(&world);
        twins.spawn(async move {
            let asker = with_key(&world.asker, "same");
            let answer = world.chat.send_message(&asker, conversation, ask("Once.")).await;
            answer.ok().map(|answer| answer.id)
        });
    }
    let answers: BTreeSet<_> = twins.join_all().await.into_iter().flatten().collect();

    assert_eq!(answers.len(), 1);
    let events = world.all(*answers.first().unwrap()).await;
    assert_eq!(events.last().unwrap().kind, EventKind::Done);
    assert_eq!(world.script.calls("steady").len(), 1);
    let whole = world.chat.get_conversation(&world.asker, conversation).await.unwrap();
    assert_eq!(whole.messages, 2);
}

async fn a_stop_ends_the_providers_call_and_keeps_what_came(engine: Engine) {
    let world = world(engine).await;
    world.provider("gated").await;
    let answer = world.ask("Go on for ever.").await;
    world.script.shared.gate.add_permits(3);
    let events = world.chat.follow(&world.asker, answer.id, 0).await.unwrap();
    let first: Vec<_> = events.take(4).collect().await;
    assert_eq!(text(&first), "t0 t1 ");

    world.chat.stop_answer(&world.asker, answer.id).await.unwrap();

    let left = world.script.shared.left.notified();
    tokio::time::timeout(PATIENCE, left).await.expect("the call ends");
    let events = world.all(answer.id).await;
    assert_eq!(events.last().unwrap().kind, EventKind::Stopped);
    let messages = world.chat.list_messages(&world.asker, answer.conversation, Branch::default()).await.unwrap();
    assert_eq!(messages.items[1].content, text(&events));
    assert_eq!(messages.items[1].role, MessageRole::Assistant);
}

async fn an_answer_goes_on_without_readers_and_one_in_another_process_reads_the_log(engine: Engine) {
    let world = world(engine).await;
    world.provider("gated").await;
    let answer = world.ask("Count.").await;
    let other = world.db.again().await;
    let elsewhere = open(&other, &world.library, config());
    let asker = world.asker.clone();
    let mut readers = JoinSet::new();
    readers.spawn(async move { follow(&elsewhere, &asker, answer.id, 0).await });

    world.script.shared.gate.add_permits(30);
    while world.script.shared.gate.available_permits() > 0 {
        tokio::task::yield_now().await;
    }
    world.script.shared.gate.close();

    let far = tokio::time::timeout(PATIENCE, readers.join_next()).await.unwrap().unwrap().unwrap();
    assert_eq!(far, world.all(answer.id).await);
    assert_gap_free(&far, 1);
    assert_eq!(far.last().unwrap().kind, EventKind::Done);
}

async fn too_many_answers_at_once_are_refused_and_places_come_back(engine: Engine) {
    let world = world_with(engine, ChatConfig { max_answers_per_account: 2, ..config() }).await;
    world.provider("gated").await;
    let (one, _two) = (world.ask("1").await, world.ask("2").await);
    let conversation = world.conversation().await.id;

    let third = world.chat.send_message(&world.asker, conversation, ask("3")).await.unwrap_err();
    assert_eq!(third, crate::Error::TooManyAnswers);

    world.chat.stop_answer(&world.asker, one.id).await.unwrap();
    world.all(one.id).await;
    world.chat.send_message(&world.asker, conversation, ask("3")).await.unwrap();
}

async fn a_repetition_takes_no_place_and_asks_nobody(engine: Engine) {
    let world = world_with(engine, ChatConfig { max_answers_per_account: 1, ..config() }).await;
    let provider = world.provider("gated").await;
    let conversation = world.conversation().await.id;
    let asker = with_key(&world.asker, "same");
    let new = || NewMessage { provider: Some(provider.id), ..ask("Once.") };
    let first = world.chat.send_message(&asker, conversation, new()).await.unwrap();
    let version = kernel::Expected::Version(provider.version);
    world.chat.delete_provider(&world.asker, provider.id, version).await.unwrap();

    let again = world.chat.send_message(&with_key(&world.asker, "same"), conversation, new()).await.unwrap();

    assert_eq!(again, first);
    let another = world.chat.send_message(&world.asker, conversation, ask("Twice.")).await.unwrap_err();
    assert_eq!(another, crate::Error::TooManyAnswers, "the one place is still taken");
}

on_both_engines!(
    a_stream_shows_passages_then_tokens_then_citations_and_becomes_a_message,
    readers_who_resume_anywhere_all_get_the_same_tokens,
    a_repeated_question_is_one_message_and_one_answer,
    a_stop_ends_the_providers_call_and_keeps_what_came,
    an_answer_goes_on_without_readers_and_one_in_another_process_reads_the_log,
    too_many_answers_at_once_are_refused_and_places_come_back,
    a_repetition_takes_no_place_and_asks_nobody,
);
