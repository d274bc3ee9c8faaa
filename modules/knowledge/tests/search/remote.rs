//! Embedding models at a service.

use std::path::PathBuf;

use knowledge::{IngestState, KnowledgeConfig, Mode, RemoteModelConfig, RungName};
use testkit::{Engine, on_both_engines};

use crate::house::{House, config, house_with, until};
use crate::service::{DIMENSIONS, Mood, Service};

fn with(service: &Service) -> KnowledgeConfig {
    let model = RemoteModelConfig {
        name: "scripted".to_owned(),
        base_url: service.url.clone(),
        model: None,
        api_key: Some("sk-scripted".to_owned().into()),
        dimensions: DIMENSIONS,
        batch: Some(2),
    };
    KnowledgeConfig { default_model: "scripted".to_owned(), remote_models: vec![model], ..config() }
}

/// Waits until both indexes hold all passages.
async fn embedded(house: &House, caller: &kernel::Caller) {
    until(async || {
        let found = house.search(caller, "automobile", Mode::Hybrid).await;
        (found.rung.name == RungName::Hybrid && (found.rung.coverage - 1.0).abs() < f64::EPSILON).then_some(())
    })
    .await;
}

async fn a_service_embeds_passages_and_questions(engine: Engine) {
    let service = Service::start(Mood::Well).await;
    let house = house_with(engine, with(&service)).await;
    let owner = house.member("editor").await;
    let papers = house.collection(&owner, true).await;
    let cars = house.add(&owner, papers, "a.txt", "The automobile needs petrol.").await;
    house.add(&owner, papers, "b.txt", "Beat the eggs with sugar.").await;
    embedded(&house, &owner).await;

    let found = house.search(&owner, "car fuel", Mode::Vector).await;
    let models = house.running.knowledge.embedding_models(&owner).unwrap().items;

    assert_eq!((found.items[0].document, found.rung.name), (cars, RungName::Vector));
    assert_eq!(service.authorization().as_deref(), Some("bearer sk-scripted"));
    assert!(models.iter().any(|model| model.name == "scripted" && model.usable && model.default));
    house.stop().await;
}

async fn a_service_that_is_away_keeps_nothing_back_and_its_vectors_come_later(engine: Engine) {
    let service = Service::start(Mood::Unavailable).await;
    let house = house_with(engine, with(&service)).await;
    let owner = house.member("editor").await;
    let papers = house.collection(&owner, true).await;
    let cars = house.add(&owner, papers, "a.txt", "The automobile needs petrol.").await;

    let without = house.search(&owner, "automobile", Mode::Hybrid).await;
    service.becomes(Mood::Well);
    embedded(&house, &owner).await;
    let with = house.search(&owner, "car fuel", Mode::Vector).await;

    assert_eq!((without.items[0].document, without.rung.name), (cars, RungName::Text));
    assert!(without.rung.reason.is_some(), "{:?}", without.rung);
    assert_eq!(with.items[0].document, cars);
    house.stop().await;
}

async fn a_question_does_not_wait_for_a_service_that_fails(engine: Engine) {
    let service = Service::start(Mood::Well).await;
    let house = house_with(engine, with(&service)).await;
    let owner = house.member("editor").await;
    let papers = house.collection(&owner, true).await;
    house.add(&owner, papers, "a.txt", "The automobile needs petrol.").await;
    embedded(&house, &owner).await;

    for mood in [Mood::Silent, Mood::Garbage] {
        service.becomes(mood);
        let found = house.search(&owner, "automobile", Mode::Hybrid).await;

        assert_eq!((found.items.len(), found.rung.name), (1, RungName::Text), "{mood:?}");
        assert!(found.rung.reason.unwrap().contains("scripted"), "{mood:?}");
    }
    house.stop().await;
}

async fn vectors_of_another_size_are_never_kept(engine: Engine) {
    let service = Service::start(Mood::WrongSize).await;
    let house = house_with(engine, with(&service)).await;
    let owner = house.member("editor").await;
    let papers = house.collection(&owner, true).await;
    house.add(&owner, papers, "a.txt", "The automobile needs petrol.").await;

    let error = house.running.knowledge.embed(&owner, None, vec!["automobile".to_owned()]).await.unwrap_err();

    assert!(error.to_string().contains("5 numbers"), "{error}");
    assert_eq!(house.search(&owner, "automobile", Mode::Hybrid).await.rung.name, RungName::Text);
    house.stop().await;
}

async fn a_document_that_can_not_be_read_for_our_reasons_ends_in_a_named_state(engine: Engine) {
    let reader = Some((PathBuf::from("/nonexistent/reader"), Vec::new()));
    let house = house_with(engine, KnowledgeConfig { reader, ..config() }).await;
    let owner = house.member("editor").await;
    let papers = house.collection(&owner, true).await;

    let document = house.upload(&owner, papers, "a.txt", "A text.").await.id;
    let settled = house.settled(&owner, document).await;

    assert_eq!((settled.state, settled.reason.as_deref()), (IngestState::Failed, Some("gave_up")));
    house.stop().await;
}

on_both_engines!(
    a_service_embeds_passages_and_questions,
    a_service_that_is_away_keeps_nothing_back_and_its_vectors_come_later,
    a_question_does_not_wait_for_a_service_that_fails,
    vectors_of_another_size_are_never_kept,
    a_document_that_can_not_be_read_for_our_reasons_ends_in_a_named_state,
);
