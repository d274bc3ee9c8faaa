//! Search by meaning, and by both.

use knowledge::{Mode, RungName};
use testkit::{Engine, on_both_engines};

use crate::house::{config_with_models, house_with, until};

async fn meaning_finds_what_no_word_says_and_both_rankers_are_named(engine: Engine) {
    let house = house_with(engine, config_with_models()).await;
    let owner = house.member("editor").await;
    let papers = house.collection(&owner, true).await;
    let cars = house.add(&owner, papers, "cars.txt", "The automobile needs petrol and new tyres.").await;
    house.add(&owner, papers, "cake.txt", "Beat the eggs with sugar and bake for an hour.").await;
    until(async || {
        let status = house.running.knowledge.status(&owner).await.unwrap();
        (status.vector_seq >= status.seq).then_some(())
    })
    .await;

    let meaning = house.search(&owner, "car fuel", Mode::Vector).await;
    let both = house.search(&owner, "automobile", Mode::Hybrid).await;

    assert_eq!((meaning.items[0].document, meaning.rung.name), (cars, RungName::Vector));
    assert_eq!((both.items[0].document, both.rung.name), (cars, RungName::Hybrid));
    let rankers: Vec<&str> = both.items[0].parts.iter().map(|part| part.ranker.as_str()).collect();
    assert_eq!(rankers, ["text", "vector"]);
    assert!((both.rung.coverage - 1.0).abs() < f64::EPSILON);
    house.stop().await;
}

async fn equal_passages_are_embedded_once_and_their_vector_goes_with_the_last(engine: Engine) {
    let house = house_with(engine, config_with_models()).await;
    let owner = house.member("editor").await;
    let papers = house.collection(&owner, true).await;
    let first = house.add(&owner, papers, "same.txt", "A sentence that stands twice.").await;
    let second = house.add(&owner, papers, "same.txt", "A sentence that stands twice.").await;

    let (_, vectors) = house.running.knowledge.embed(&owner, None, vec!["a".to_owned(), "b".to_owned()]).await.unwrap();
    let found = house.search(&owner, "sentence twice", Mode::Hybrid).await;
    for document in [first, second] {
        let version = house.running.vault.get_document(&owner, document).await.unwrap().version;
        let expected = kernel::Expected::from_argument(Some(version));
        house.running.vault.delete_document(&owner, document, expected).await.unwrap();
    }
    until(async || {
        let status = house.running.knowledge.status(&owner).await.unwrap();
        (status.documents == 0).then_some(())
    })
    .await;

    assert_eq!((vectors.len(), vectors[0].len()), (2, 256));
    assert_eq!(found.items.len(), 2);
    assert_eq!(house.search(&owner, "sentence", Mode::Vector).await.items.len(), 0);
    house.stop().await;
}

on_both_engines!(
    meaning_finds_what_no_word_says_and_both_rankers_are_named,
    equal_passages_are_embedded_once_and_their_vector_goes_with_the_last,
);
