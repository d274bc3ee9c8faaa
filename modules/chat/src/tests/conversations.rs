//! Conversations and their branches.

use kernel::{Expected, Patch};
use testkit::{Engine, on_both_engines};

use super::*;
use crate::{Error, MessageId, UpdateConversation};

fn leaf(leaf: MessageId) -> Branch {
    Branch { leaf: Some(leaf), through: None }
}

fn through(message: MessageId) -> Branch {
    Branch { leaf: None, through: Some(message) }
}

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

    let branch = world.chat.list_messages(&world.asker, one.conversation, leaf(right.message)).await.unwrap();
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

async fn a_branch_is_followed_down_to_its_newest_message(engine: Engine) {
    let world = world(engine).await;
    world.provider("steady").await;
    let one = world.ask("First?").await;
    world.all(one.id).await;
    let send = async |parent, content| {
        let new = NewMessage { parent: Some(parent), ..ask(content) };
        let answer = world.chat.send_message(&world.asker, one.conversation, new).await.unwrap();
        world.all(answer.id).await;
        answer
    };
    let left = send(one.message, "Left?").await;
    let right = send(one.message, "Right?").await;
    let deep = send(left.message, "Left, further?").await;
    let late = send(right.message, "Right, further?").await;
    let list = async |branch| world.chat.list_messages(&world.asker, one.conversation, branch).await;
    let ids = async |branch| list(branch).await.unwrap().items.iter().map(|it| it.id).collect::<Vec<_>>();

    let down_left = [one.question, one.message, left.question, left.message, deep.question, deep.message];
    assert_eq!(ids(through(left.question)).await, down_left);
    assert_eq!(ids(through(deep.message)).await, down_left, "a leaf is its own end");
    let down_right = ids(through(right.question)).await;
    assert_eq!(down_right.last(), Some(&late.message));
    assert_eq!(ids(through(one.question)).await, down_right, "the newest of all that follow");
    assert_eq!(ids(Branch::default()).await, down_right);

    let other = world.ask("Elsewhere?").await;
    let foreign = list(through(other.question)).await.unwrap_err();
    assert_eq!(foreign, Error::Kernel(Problem::not_found()));
    let both = list(Branch { leaf: Some(left.message), ..through(left.message) }).await.unwrap_err();
    assert_eq!(both, Error::BranchInvalid);
}

/// 64 tasks ask in one conversation, each beside the others.
async fn messages_keep_a_gap_free_order_under_many_askers(engine: Engine) {
    let limits = ChatConfig { max_answers_per_account: 64, ..config() };
    let world = Arc::new(world_with(engine, limits).await);
    world.provider("steady").await;
    let conversation = world.conversation().await.id;
    let mut askers = tokio::task::JoinSet::new();
    for number in 0..64 {
        let world = Arc::clone(&world);
        askers.spawn(async move {
            let new = NewMessage { from_start: true, ..ask(&format!("Question {number}?")) };
            let answer = world.chat.send_message(&world.asker, conversation, new).await.unwrap();
            let events = world.all(answer.id).await;
            assert_gap_free(&events, 1);
            assert_eq!(events.last().unwrap().kind, EventKind::Done);
            let path = Branch { leaf: Some(answer.message), through: None };
            let list = world.chat.list_messages(&world.asker, conversation, path).await.unwrap();
            list.items.iter().map(|message| message.position).collect::<Vec<_>>()
        });
    }

    let mut positions: Vec<i64> = askers.join_all().await.into_iter().flatten().collect();

    positions.sort_unstable();
    assert_eq!(positions, (1..=128).collect::<Vec<i64>>());
    let whole = world.chat.get_conversation(&world.asker, conversation).await.unwrap();
    assert_eq!(whole.messages, 128);
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
    a_branch_is_followed_down_to_its_newest_message,
    messages_keep_a_gap_free_order_under_many_askers,
    a_question_that_does_not_fit_is_refused,
    deleting_a_conversation_ends_its_answer_under_way,
);
