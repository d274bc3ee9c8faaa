//! Nobody finds what they may not read.

use knowledge::{Mode, RungName};
use testkit::{Engine, on_both_engines};
use vault::{Access, NewGrant, SubjectKind};

use crate::house::{House, house};

async fn grant_all(house: &House, owner: &kernel::Caller, document: vault::DocumentId) -> vault::GrantId {
    let new = NewGrant {
        collection_id: None,
        document_id: Some(document),
        subject: SubjectKind::Everyone,
        subject_id: None,
        access: Access::Read,
        valid_from: None,
        valid_until: None,
    };
    house.running.vault.create_grant(owner, new).await.unwrap().id
}

async fn only_what_is_granted_is_found_and_a_grant_taken_away_is_felt_at_once(engine: Engine) {
    let house = house(engine).await;
    let (owner, reader) = (house.member("editor").await, house.member("viewer").await);
    let papers = house.collection(&owner, true).await;
    let shown = house.add(&owner, papers, "shown.txt", "Marmalade recipe with oranges.").await;
    house.add(&owner, papers, "hidden.txt", "Marmalade recipe with a secret spice.").await;

    let before = house.search(&reader, "marmalade", Mode::Hybrid).await;
    let grant = grant_all(&house, &owner, shown).await;
    let with = house.search(&reader, "marmalade secret", Mode::Text).await;
    house.running.vault.delete_grant(&owner, grant).await.unwrap();
    let after = house.search(&reader, "marmalade", Mode::Text).await;

    assert_eq!((before.items.len(), before.rung.name), (0, RungName::Nothing));
    assert_eq!(with.items.iter().map(|hit| hit.document).collect::<Vec<_>>(), [shown]);
    assert!(after.items.is_empty());
    house.stop().await;
}

async fn every_search_is_on_record_with_purpose_and_documents(engine: Engine) {
    let house = house(engine).await;
    let owner = house.member("editor").await;
    let papers = house.collection(&owner, true).await;
    let document = house.add(&owner, papers, "a.txt", "Quinces ripen late.").await;

    house.search(&owner, "quinces", Mode::Text).await;

    let system = kernel::Caller::system("test", house.tenant);
    let params = kernel::ListParams {
        filter: Some("action eq \"knowledge.searched\"".to_owned()),
        ..kernel::ListParams::default()
    };
    let entries = audit::Audit::new(house.db.clone()).list(&system, &params).await.unwrap().1.items;
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].details["purpose"], "test");
    assert_eq!(entries[0].details["documents"], serde_json::json!([document]));
    assert!(!entries[0].details.to_string().contains("quince"));
    house.stop().await;
}

async fn what_is_not_searchable_is_never_taken_apart(engine: Engine) {
    let house = house(engine).await;
    let owner = house.member("editor").await;
    let (private, public) = (house.collection(&owner, false).await, house.collection(&owner, true).await);
    let hidden = house.upload(&owner, private, "diary.txt", "Xylophone concert at midnight.").await;
    house.add(&owner, public, "poster.txt", "Concert at noon.").await;

    let found = house.search(&owner, "xylophone concert", Mode::Text).await;

    assert_eq!(found.items.len(), 1);
    assert!(house.running.knowledge.ingest(&owner, hidden.id).await.is_err());
    house.stop().await;
}

on_both_engines!(
    only_what_is_granted_is_found_and_a_grant_taken_away_is_felt_at_once,
    every_search_is_on_record_with_purpose_and_documents,
    what_is_not_searchable_is_never_taken_apart,
);
