//! From an upload to what is found, through crashes.

use knowledge::{IngestState, Mode};
use testkit::{Engine, on_both_engines};

use crate::house::{house, incoming, until};

async fn an_uploaded_text_is_found_with_exact_offsets(engine: Engine) {
    let house = house(engine).await;
    let owner = house.member("editor").await;
    let papers = house.collection(&owner, true).await;
    let text = "The walrus keeps a ledger.\n\nIts tusks are insured against frost damage since 1998.";
    let document = house.add(&owner, papers, "walrus.txt", text).await;

    let found = house.search(&owner, "tusks insured", Mode::Text).await;

    let hit = &found.items[0];
    assert_eq!(hit.document, document);
    assert_eq!(hit.name, "walrus.txt");
    let (start, end) = (usize::try_from(hit.start).unwrap(), usize::try_from(hit.end).unwrap());
    assert_eq!(&text[start..end], hit.text);
    let marked: Vec<&str> = hit
        .highlights
        .iter()
        .map(|mark| &hit.text[usize::try_from(mark.start).unwrap()..usize::try_from(mark.end).unwrap()])
        .collect();
    assert_eq!(marked, ["tusks", "insured"]);
    let cited =
        house.running.knowledge.text(&owner, document, Some(hit.version), (Some(hit.start), Some(hit.end))).await;
    assert_eq!(cited.unwrap().text, hit.text);
    house.stop().await;
}

async fn a_new_version_takes_the_place_of_the_old_one(engine: Engine) {
    let house = house(engine).await;
    let owner = house.member("editor").await;
    let papers = house.collection(&owner, true).await;
    let document = house.add(&owner, papers, "plan.txt", "We plant barley in the north field.").await;

    let vault = &house.running.vault;
    let old = vault.get_document(&owner, document).await.unwrap();
    let new = incoming("plan.txt", "We plant oats in the south field.");
    let expected = kernel::Expected::from_argument(Some(old.version));
    vault.upload_document_version(&owner, document, expected, new).await.unwrap();
    until(async || {
        let found = house.search(&owner, "oats", Mode::Text).await;
        (!found.items.is_empty()).then_some(())
    })
    .await;

    assert!(house.search(&owner, "barley", Mode::Text).await.items.is_empty());
    house.stop().await;
}

async fn a_deleted_document_leaves_nothing_behind(engine: Engine) {
    let house = house(engine).await;
    let owner = house.member("editor").await;
    let papers = house.collection(&owner, true).await;
    let kept = house.add(&owner, papers, "kept.txt", "Zeppelins need helium.").await;
    let gone = house.add(&owner, papers, "gone.txt", "Zeppelins need secrecy.").await;

    let vault = &house.running.vault;
    let version = vault.get_document(&owner, gone).await.unwrap().version;
    vault.delete_document(&owner, gone, kernel::Expected::from_argument(Some(version))).await.unwrap();
    until(async || {
        let found = house.search(&owner, "zeppelins", Mode::Text).await;
        (found.items.len() == 1).then_some(())
    })
    .await;

    assert_eq!(house.search(&owner, "zeppelins", Mode::Text).await.items[0].document, kept);
    assert!(house.search(&owner, "secrecy", Mode::Text).await.items.is_empty());
    assert_eq!(
        house.running.knowledge.ingest(&owner, gone).await.unwrap_err().to_string(),
        "There is nothing here, or you may not see it."
    );
    house.stop().await;
}

async fn a_file_that_can_t_be_read_ends_in_a_named_state(engine: Engine) {
    let house = house(engine).await;
    let owner = house.member("editor").await;
    let papers = house.collection(&owner, true).await;

    let picture = house.upload(&owner, papers, "cat.png", "\u{89}PNG\r\n\u{1a}\n").await;
    let empty = house.upload(&owner, papers, "empty.txt", "   \n ").await;

    for (document, reasons) in [(picture.id, ["unsupported_type", "no_text"]), (empty.id, ["no_text", "no_text"])] {
        let found = house.settled(&owner, document).await;
        assert_eq!(found.state, IngestState::Failed);
        let reason = found.reason.unwrap();
        assert!(reasons.contains(&reason.as_str()), "{reason}");
        assert!(found.detail.unwrap().len() > 20);
    }
    house.stop().await;
}

on_both_engines!(
    an_uploaded_text_is_found_with_exact_offsets,
    a_new_version_takes_the_place_of_the_old_one,
    a_deleted_document_leaves_nothing_behind,
    a_file_that_can_t_be_read_ends_in_a_named_state,
);
