//! Every rung of the ladder, by breaking the one above it.

use std::fs;

use knowledge::{Mode, RungName};
use testkit::{Engine, on_both_engines};

use crate::house::{House, config, house, run, until};

/// The same database and data folder in a process that begins anew.
async fn restarted(house: House, damage: impl FnOnce(&std::path::Path)) -> House {
    house.stop().await;
    let folder = house.db.store().folder().to_owned();
    damage(&folder.join("knowledge"));
    let db = house.db.again().await;
    let running = run(&db, &house.tenancy, &folder, config());
    House { running, ..house }
}

async fn without_a_model_words_answer_and_say_why(engine: Engine) {
    let house = house(engine).await;
    let owner = house.member("editor").await;
    let papers = house.collection(&owner, true).await;
    house.add(&owner, papers, "a.txt", "The ferry leaves at dawn.").await;

    let found = until(async || {
        let found = house.search(&owner, "ferry", Mode::Hybrid).await;
        // For a moment the reason is that the index of vectors has not looked yet.
        let settled = found.rung.reason.as_ref().is_some_and(|reason| reason.contains("models"));
        settled.then_some(found)
    })
    .await;

    assert_eq!((found.items.len(), found.rung.name), (1, RungName::Text));
    house.stop().await;
}

async fn a_lost_or_damaged_text_index_is_made_anew_and_the_database_answers_meanwhile(engine: Engine) {
    let house = house(engine).await;
    let owner = house.member("editor").await;
    let papers = house.collection(&owner, true).await;
    for number in 0..5 {
        let text = format!("Report {number} on the lighthouse at Skerry. ").repeat(number + 1);
        house.add(&owner, papers, &format!("{number}.txt"), &text).await;
    }
    let whole = house.search(&owner, "lighthouse skerry", Mode::Text).await;

    let lost = restarted(house, |folder| fs::remove_dir_all(folder).unwrap()).await;
    let meanwhile = lost.search(&owner, "lighthouse skerry", Mode::Text).await;
    lost.indexed(&owner).await;
    let after = lost.search(&owner, "lighthouse skerry", Mode::Text).await;
    let damaged = restarted(lost, damage_every_file).await;
    let while_damaged = damaged.search(&owner, "lighthouse skerry", Mode::Text).await;
    damaged.indexed(&owner).await;
    let mended = damaged.search(&owner, "lighthouse skerry", Mode::Text).await;

    for found in [&whole, &meanwhile, &after, &while_damaged, &mended] {
        assert_eq!(found.items.len(), whole.items.len(), "{:?}", found.rung);
    }
    for found in [&meanwhile, &while_damaged] {
        assert!([RungName::Database, RungName::Text].contains(&found.rung.name), "{:?}", found.rung);
    }
    assert_eq!((after.rung.name, mended.rung.name), (RungName::Text, RungName::Text));
    damaged.stop().await;
}

fn damage_every_file(folder: &std::path::Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            damage_every_file(&path);
        } else {
            fs::write(&path, b"rubbish").unwrap();
        }
    }
}

async fn a_typing_error_and_a_beginning_are_taken_for_words_that_are_known(engine: Engine) {
    let house = house(engine).await;
    let owner = house.member("editor").await;
    let papers = house.collection(&owner, true).await;
    house
        .add(&owner, papers, "a.txt", "Vacuuming reclaims the storage of dead tuples; autovacuum does it alone.")
        .await;

    let wrong = house.search(&owner, "strorage tupels", Mode::Text).await;
    let begun = house.search(&owner, "auto", Mode::Text).await;
    let unknown = house.search(&owner, "qqqqqq", Mode::Text).await;

    assert_eq!((wrong.items.len(), wrong.rung.name), (1, RungName::Trigram), "{:?}", wrong.rung);
    assert!(!wrong.items[0].highlights.is_empty());
    assert_eq!(begun.items.len(), 1, "{:?}", begun.rung);
    assert!([RungName::Prefix, RungName::Trigram].contains(&begun.rung.name), "{:?}", begun.rung);
    assert_eq!((unknown.items.len(), unknown.rung.name), (0, RungName::Nothing));
    house.stop().await;
}

on_both_engines!(
    without_a_model_words_answer_and_say_why,
    a_lost_or_damaged_text_index_is_made_anew_and_the_database_answers_meanwhile,
    a_typing_error_and_a_beginning_are_taken_for_words_that_are_known,
);
