//! What a provider may do wrong, and what its asker is told.

use testkit::{Engine, on_both_engines};

use super::*;
use crate::AnswerState;

/// Scenario, the text that is kept, the last event, and the code in it.
const SCENARIOS: &[(&str, &str, EventKind, &str)] = &[
    ("half", "begun ", EventKind::Error, "chat.provider_broke_off"),
    ("cut", "so ", EventKind::Error, "chat.provider_broke_off"),
    ("error", "so ", EventKind::Error, "chat.provider_broke_off"),
    ("stall", "one ", EventKind::Error, "chat.provider_broke_off"),
    ("huge", "one ", EventKind::Error, "chat.provider_broke_off"),
    ("garbage", "fine", EventKind::Done, ""),
    ("crlf", "ünï ", EventKind::Done, ""),
    ("limited", "later", EventKind::Done, ""),
    ("half_first", "", EventKind::Error, "chat.providers_failed"),
    ("only_garbage", "", EventKind::Error, "chat.providers_failed"),
    ("binary", "", EventKind::Error, "chat.providers_failed"),
    ("failing", "", EventKind::Error, "chat.providers_failed"),
    ("limited_long", "", EventKind::Error, "chat.providers_failed"),
    ("nothing", "", EventKind::Error, "chat.providers_failed"),
    ("empty", "", EventKind::Error, "chat.providers_failed"),
    ("hang", "", EventKind::Error, "chat.providers_failed"),
    ("refusing", "", EventKind::Error, "chat.provider_refused"),
    ("redirecting", "", EventKind::Error, "chat.provider_refused"),
];

async fn whatever_a_provider_does_the_stream_ends_with_a_clear_event(engine: Engine) {
    let world = world_with(engine, ChatConfig { max_answers_per_account: 64, ..config() }).await;
    let nowhere = |provider| NewMessage { collections: Some(Vec::new()), provider: Some(provider), ..ask("?") };
    let mut asked = Vec::new();
    for scenario in SCENARIOS {
        let provider = world.provider(scenario.0).await.id;
        let conversation = world.conversation().await.id;
        let answer = world.chat.send_message(&world.asker, conversation, nowhere(provider)).await.unwrap();
        asked.push((scenario, answer));
    }

    for ((name, kept, last, code), answer) in asked {
        let events = world.all(answer.id).await;
        let end = events.last().unwrap();
        assert_eq!((text(&events).as_str(), end.kind), (*kept, *last), "{name}: {events:?}");
        assert_eq!(data(end)["code"].as_str().unwrap_or_default(), *code, "{name}: {}", end.data);
        let reason = world.chat.get_answer(&world.asker, answer.id).await.unwrap().reason;
        assert_eq!(reason.as_ref().map(|it| it.code.as_str()).unwrap_or_default(), *code, "{name}");
        assert_eq!(reason.map(|it| it.detail).as_deref(), data(end)["detail"].as_str(), "{name}");
        assert_gap_free(&events, 1);
        assert!(!events.iter().any(|event| event.data.contains("canary")), "{name}");
    }
    assert_eq!(world.script.calls("limited").len(), 2);
    assert_eq!(world.script.calls("refusing").len(), 1, "a refusal is not repeated");
    assert_eq!(world.script.calls("limited_long").len(), 1, "nobody waits an hour");
    assert_eq!(world.script.calls("cut").len(), 1, "nothing is repeated after the first token");
}

async fn the_next_provider_answers_when_one_does_not_and_one_that_fails_is_left_alone(engine: Engine) {
    let world = world(engine).await;
    world.provider("failing").await;
    world.provider("steady").await;

    for _ in 0..4 {
        let answer = world.ask("?").await;
        let events = world.all(answer.id).await;
        assert_eq!(events.last().unwrap().kind, EventKind::Done, "{events:?}");
        let kept = world.chat.get_answer(&world.asker, answer.id).await.unwrap();
        assert_eq!(kept.provider.as_deref(), Some("steady"));
    }

    assert_eq!(world.script.calls("failing").len(), 4, "then the circuit is open");
}

async fn without_any_provider_the_passages_themselves_answer_and_say_so(engine: Engine) {
    let world = world(engine).await;
    world.provider("failing").await;
    world.holds(vec![passage(1, "The sky is blue."), passage(2, "Grass is green.")]);

    let answer = world.ask("What colour?").await;
    let events = world.all(answer.id).await;

    assert_eq!(kinds(&events), ["passages", "token", "citations", "usage", "done"]);
    assert!(text(&events).contains("The sky is blue.") && text(&events).contains("No model answered"));
    let kept = world.chat.get_answer(&world.asker, answer.id).await.unwrap();
    assert_eq!((kept.provider.as_deref(), kept.state), (Some("extractive"), AnswerState::Done));
}

async fn an_answer_without_evidence_says_so(engine: Engine) {
    let world = world(engine).await;
    world.provider("steady").await;

    let (first, second) = (world.ask("?").await.id, world.conversation().await.id);
    let nothing = world.all(first).await;
    world.holds(vec![passage(1, "alpha")]);
    let second = world.chat.send_message(&world.asker, second, ask("?")).await.unwrap().id;
    let uncited = world.all(second).await;

    assert_eq!(kinds(&nothing), ["passages", "no_evidence", "token", "citations", "usage", "done"]);
    assert_eq!(kinds(&uncited), ["passages", "token", "citations", "no_evidence", "usage", "done"]);
    let asked = world.script.calls("steady");
    assert!(asked[0]["messages"][0]["content"].as_str().unwrap().contains("nothing was found"));
    assert!(asked[1]["messages"][0]["content"].as_str().unwrap().contains("<<passage 1: doc1.md"));
    for (answer, code) in [(first, "chat.nothing_found"), (second, "chat.nothing_cited")] {
        let kept = world.chat.get_answer(&world.asker, answer).await.unwrap();
        assert_eq!((kept.state, kept.reason.unwrap().code.as_str()), (AnswerState::Done, code));
    }
}

async fn an_answer_ends_where_it_is_too_long(engine: Engine) {
    let world = world_with(engine, ChatConfig { max_answer_bytes: 10, ..config() }).await;
    world.provider("steady").await;

    let events = world.all(world.ask("?").await.id).await;

    assert_eq!(text(&events), "t0 t1 t2 t3 ");
    assert_eq!(events.last().unwrap().kind, EventKind::Done);
}

on_both_engines!(
    whatever_a_provider_does_the_stream_ends_with_a_clear_event,
    the_next_provider_answers_when_one_does_not_and_one_that_fails_is_left_alone,
    without_any_provider_the_passages_themselves_answer_and_say_so,
    an_answer_without_evidence_says_so,
    an_answer_ends_where_it_is_too_long,
);
