//! Who may read and change what.

use chrono::TimeDelta;
use kernel::{Caller, Expected, Patch, PermissionSet, Problem};
use testkit::{Engine, on_both_engines};

use super::{House, all, code, house, incoming, new_tenant, status};
use crate::{Access, Document, Error, NewGrant, Reach, SubjectKind, UpdateDocument};

async fn sees(house: &House, caller: &Caller, document: &Document) -> bool {
    let listed = house.vault.list_documents(caller, &all(), false).await.unwrap().1.items;
    let reach: Reach = house.vault.reach(caller).await.unwrap();
    let answers = [
        house.vault.document(caller, document.id).await.is_ok(),
        house.read(caller, document.id).await.is_ok(),
        house.vault.list_document_versions(caller, document.id, &all()).await.is_ok(),
        listed.iter().any(|one| one.id == document.id),
        reach.covers(document.collection_id, document.id),
    ];
    assert!(answers.iter().all(|answer| *answer == answers[0]), "one rule, {answers:?}");
    answers[0]
}

fn everyone(document: &Document, access: Access) -> NewGrant {
    NewGrant {
        collection_id: None,
        document_id: Some(document.id),
        subject: SubjectKind::Everyone,
        subject_id: None,
        access,
        valid_from: None,
        valid_until: None,
    }
}

async fn a_document_is_seen_by_its_owners_managers_and_whom_a_grant_names(engine: Engine) {
    let house = house(engine).await;
    let (author, manager) = (house.member("editor").await, house.member("owner").await);
    let (reader, clerk) = (house.member("viewer").await, house.member("editor").await);
    let collection = house.collection(&author, false, None).await;
    let document = house.upload(&author, &collection, "a.txt", b"one").await;
    let neighbour = house.upload(&author, &collection, "b.txt", b"two").await;
    assert!(sees(&house, &author, &document).await && sees(&house, &manager, &document).await);
    assert!(!sees(&house, &reader, &document).await && !sees(&house, &clerk, &document).await);

    let to_account = house.grant(&author, &document, &reader, Access::Read).await;
    assert!(sees(&house, &reader, &document).await && !sees(&house, &reader, &neighbour).await);
    house.vault.delete_grant(&author, to_account.id).await.unwrap();
    assert!(!sees(&house, &reader, &document).await);

    let role = house.role(house.tenant, "viewer").await.id.to_string();
    let to_role = NewGrant { subject: SubjectKind::Role, subject_id: Some(role), ..everyone(&document, Access::Read) };
    let to_role = house.vault.create_grant(&author, to_role).await.unwrap();
    assert!(sees(&house, &reader, &document).await && !sees(&house, &clerk, &document).await);
    house.vault.delete_grant(&author, to_role.id).await.unwrap();

    let whole = NewGrant { collection_id: Some(collection.id), document_id: None, ..everyone(&document, Access::Read) };
    house.vault.create_grant(&author, whole).await.unwrap();
    assert!(sees(&house, &clerk, &document).await && sees(&house, &clerk, &neighbour).await);
    let mut powerless = clerk.clone();
    powerless.permissions = PermissionSet::of(["vault.write"]);
    assert_eq!(status(house.vault.document(&powerless, document.id).await.unwrap_err()), 403);
}

async fn a_grant_counts_from_its_beginning_to_its_end(engine: Engine) {
    let house = house(engine).await;
    let (author, reader) = (house.member("editor").await, house.member("viewer").await);
    let collection = house.collection(&author, true, None).await;
    let document = house.upload(&author, &collection, "a.txt", b"one").await;
    let now = house.db.clock().now();
    let timed = |from, until| NewGrant {
        valid_from: Some(now + TimeDelta::hours(from)),
        valid_until: Some(now + TimeDelta::hours(until)),
        ..everyone(&document, Access::Read)
    };

    assert_eq!(code(house.vault.create_grant(&author, timed(2, 1)).await.unwrap_err()), "vault.grant_times");
    assert_eq!(code(house.vault.create_grant(&author, timed(-2, -1)).await.unwrap_err()), "vault.grant_times");
    house.vault.create_grant(&author, timed(1, 2)).await.unwrap();

    assert!(!sees(&house, &reader, &document).await);
    house.db.clock().shift(TimeDelta::minutes(61));
    assert!(sees(&house, &reader, &document).await);
    house.db.clock().shift(TimeDelta::minutes(60));
    assert!(!sees(&house, &reader, &document).await);
}

async fn who_reads_does_not_write_and_who_writes_does_not_share(engine: Engine) {
    let house = house(engine).await;
    let (author, other) = (house.member("editor").await, house.member("editor").await);
    let collection = house.collection(&author, true, None).await;
    let document = house.upload(&author, &collection, "a.txt", b"one").await;
    let rename = || UpdateDocument { name: Patch::Set("b.txt".to_owned()) };
    let renamed =
        async |version| house.vault.update_document(&other, document.id, Expected::Version(version), rename()).await;
    let replaced =
        async || house.vault.upload_document_version(&other, document.id, Expected::Any, incoming("", b"two", 9)).await;
    assert_eq!(Problem::from(renamed(1).await.unwrap_err()), Problem::not_found());
    assert_eq!(Problem::from(replaced().await.unwrap_err()), Problem::not_found());

    let read = house.grant(&author, &document, &other, Access::Read).await;
    assert_eq!(code(renamed(1).await.unwrap_err()), "vault.not_writable");
    assert_eq!(status(replaced().await.unwrap_err()), 403);
    let into = house.vault.upload_document(&other, Some(collection.id), incoming("c", b"1", 1)).await;
    assert_eq!(
        Problem::from(into.unwrap_err()),
        Problem::not_found(),
        "a document's grant does not show its collection"
    );

    house.grant(&author, &document, &other, Access::Write).await;
    assert_eq!(renamed(1).await.unwrap().name, "b.txt");
    assert_eq!(status(renamed(1).await.unwrap_err()), 412);
    assert!(replaced().await.is_ok());
    let shared = house.vault.create_grant(&other, everyone(&document, Access::Read)).await;
    assert!(matches!(shared, Err(Error::NotWritable(_))));
    assert_eq!(house.vault.list_grants(&other, &all()).await.unwrap().1.items, []);
    assert_eq!(status(house.vault.get_grant(&other, read.id).await.unwrap_err()), 404);
    assert_eq!(status(house.vault.delete_grant(&other, read.id).await.unwrap_err()), 404);
    assert_eq!(house.vault.list_grants(&author, &all()).await.unwrap().1.items.len(), 2);
}

async fn another_tenant_sees_and_changes_nothing(engine: Engine) {
    let house = house(engine).await;
    let author = house.member("editor").await;
    let collection = house.collection(&author, true, None).await;
    let document = house.upload(&author, &collection, "a.txt", b"one").await;
    house.vault.create_grant(&author, everyone(&document, Access::Write)).await.unwrap();
    let globex = new_tenant(&house.tenancy, "globex").await;
    let stranger = house.member_of(globex, "owner").await;

    let hidden = [
        house.vault.document(&stranger, document.id).await.unwrap_err(),
        house.vault.get_collection(&stranger, collection.id).await.unwrap_err().into(),
        house.read(&stranger, document.id).await.unwrap_err().into(),
        house.vault.delete_document(&stranger, document.id, Expected::Any).await.unwrap_err().into(),
        house.vault.upload_document(&stranger, Some(collection.id), incoming("a", b"", 1)).await.unwrap_err().into(),
        house.vault.create_grant(&stranger, everyone(&document, Access::Read)).await.unwrap_err().into(),
    ];
    for problem in hidden {
        assert_eq!(problem, Problem::not_found());
    }
    assert_eq!(house.vault.list_documents(&stranger, &all(), false).await.unwrap().1.items, []);
}

async fn every_read_is_on_record_with_its_purpose(engine: Engine) {
    let house = house(engine).await;
    let (author, reader) = (house.member("editor").await, house.member("viewer").await);
    let collection = house.collection(&author, true, None).await;
    let document = house.upload(&author, &collection, "a.txt", b"one").await;
    house.grant(&author, &document, &reader, Access::Read).await;

    sees(&house, &reader, &document).await;
    let system = Caller::system("indexer", house.tenant);
    let mut source = house.vault.source(&system, document.id, document.version_id, "index").await.unwrap();
    assert_eq!(source.chunk().await.unwrap().unwrap(), "one");
    assert_eq!((source.name.as_str(), source.size, source.collection), ("a.txt", 3, collection.id));

    for (action, purpose) in [("vault.document_read", "metadata"), ("vault.documents_listed", "list")] {
        let entries = house.audited(action).await;
        let entry = entries.iter().find(|entry| entry.actor.id == reader.actor.id()).expect(action);
        assert_eq!(entry.details["purpose"], purpose);
    }
    let downloads = house.audited("vault.document_downloaded").await;
    let mut purposes: Vec<_> = downloads
        .iter()
        .filter(|entry| entry.target.as_ref().is_some_and(|target| target.id == document.id.to_string()))
        .map(|entry| (entry.actor.name.clone(), entry.details["purpose"].as_str().unwrap().to_owned()))
        .collect();
    purposes.sort();
    assert_eq!(purposes, [("ada".to_owned(), "download".to_owned()), ("indexer".to_owned(), "index".to_owned())]);
}

on_both_engines!(
    a_document_is_seen_by_its_owners_managers_and_whom_a_grant_names,
    a_grant_counts_from_its_beginning_to_its_end,
    who_reads_does_not_write_and_who_writes_does_not_share,
    another_tenant_sees_and_changes_nothing,
    every_read_is_on_record_with_its_purpose,
);
