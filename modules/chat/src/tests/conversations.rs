//! Conversations and their branches.

use kernel::{Expected, Patch};
use testkit::{Engine, on_both_engines};

use super::*;
use crate::{Error, UpdateConversation};

async fn a_conversation_lives_its_life(engine: Engine) {
    let world = world(engine).await;
    let new = NewConversation { title: Some("  Plans ".to_owned()) };
    let made = world.chat.create_conversation(&world.asker, new).await.unwrap();
    assert_eq!((made.title.as_str(), made.version), ("Plans", 1));

    let update = || UpdateConversation { title: Patch::Set("Other".to_owned()) };
    let stale =
        world.chat.update_conversation(&world.asker, made.id, Expected::Version(7), update()).await.unwrap_err();
    let renamed = world.chat.update_conversation(&world.asker, made.id, Expected::Version(1), update()).await.unwrap();
    let (_, page) = world.chat.list_conversations(&world.asker, &kernel::ListParams::default()).await.unwrap();
    world.chat.delete_conversation(&world.asker, made.id, Expected::Unnamed).await.unwrap();
    let gone = world.chat.get_conversation(&world.asker, made.id).await.unwrap_err();

    assert_eq!(Problem::from(stale).code, "kernel.stale");
    assert_eq!(page.items, std::slice::from_ref(&renamed));
    assert_eq!(gone, Error::Kernel(Problem::not_found()));
}

async fn a_question_beside_another_makes_a_branch_that_the_other_does_not_see(engine: Engine) {
    let world = world(engine).await;
    world.provider("steady").await;
    let one = world.ask("First?").await;
    world.all(one.id).await;
    let send = |new| world.chat.send_message(&world.asker, one.conversation, new);

    let left = send(ask("Left?")).await.unwrap();
    world.all(left.id).await;
    let right = send(NewMessage { parent: Some(one.message), ..ask("Right?") }).await.unwrap();
    world.all(right.id).await;
    let anew = send(NewMessage { from_start: true, ..ask("Anew?") }).await.unwrap();
    world.all(anew.id).await;

    let branch = world.chat.list_messages(&world.asker, one.conversation, Some(right.message)).await.unwrap();
    let said: Vec<_> = branch.items.iter().step_by(2).map(|message| message.content.as_str()).collect();
    assert_eq!(said, ["First?", "Right?"]);
    assert_eq!(branch.items[2].siblings, [left.question, right.question]);
    assert_eq!(branch.items[0].siblings, [one.question, anew.question]);
    let asked = world.script.calls("steady");
    let heard = |call: &Value| call["messages"].to_string();
    assert!(heard(&asked[2]).contains("Right?") && !heard(&asked[2]).contains("Left?"), "{}", heard(&asked[2]));
    assert!(!heard(&asked[3]).contains("First?"));
    let whole = world.chat.get_conversation(&world.asker, one.conversation).await.unwrap();
    assert_eq!(whole.messages, 8);
}

async fn a_question_that_does_not_fit_is_refused(engine: Engine) {
    let world = world(engine).await;
    world.provider("gated").await;
    let running = world.ask("First?").await;
    let send = |new| world.chat.send_message(&world.asker, running.conversation, new);
    let nobody: crate::MessageId = Id::from_uuid(Uuid::from_u128(5));

    let errors = [
        send(ask("  ")).await.unwrap_err(),
        send(ask(&"x".repeat(10_001))).await.unwrap_err(),
        send(ask("Too soon?")).await.unwrap_err(),
        send(NewMessage { parent: Some(nobody), ..ask("?") }).await.unwrap_err(),
        send(NewMessage { model: Some("none".to_owned()), ..ask("?") }).await.unwrap_err(),
        send(NewMessage { provider: Some(Id::from_uuid(Uuid::from_u128(5))), ..ask("?") }).await.unwrap_err(),
    ];

    let expected = [
        Error::MessageInvalid(10_000),
        Error::MessageInvalid(10_000),
        Error::ParentInvalid,
        Error::ParentUnknown,
        Error::ModelUnknown("none".to_owned()),
        Error::ProviderUnknown,
    ];
    assert_eq!(errors, expected);
}

async fn deleting_a_conversation_ends_its_answer_under_way(engine: Engine) {
    let world = world(engine).await;
    world.provider("gated").await;
    let answer = world.ask("?").await;
    world.script.shared.gate.add_permits(1);
    let mut events = Box::pin(world.chat.follow(&world.asker, answer.id, 0).await.unwrap());
    while events.next().await.unwrap().kind != EventKind::Token {}

    world.chat.delete_conversation(&world.asker, answer.conversation, Expected::Any).await.unwrap();
    world.script.shared.gate.add_permits(1);

    let rest: Vec<_> = tokio::time::timeout(PATIENCE, events.collect()).await.expect("the stream ends");
    assert_eq!(rest.last().unwrap().kind, EventKind::Interrupted);
    tokio::time::timeout(PATIENCE, world.script.shared.left.notified()).await.expect("the call ends");
}

on_both_engines!(
    a_conversation_lives_its_life,
    a_question_beside_another_makes_a_branch_that_the_other_does_not_see,
    a_question_that_does_not_fit_is_refused,
    deleting_a_conversation_ends_its_answer_under_way,
);
