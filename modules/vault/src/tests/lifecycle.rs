//! Deleted with grace, restored, purged; what a crash leaves behind; the end of a tenant.

use std::time::Duration;

use chrono::TimeDelta;
use events::Subscriber;
use kernel::{Caller, Expected, Tasks, Tx};
use testkit::{Engine, on_both_engines};

use super::{all, code, house, plain, status};
use crate::{Access, Vault};

const ANY: Expected = Expected::Any;

async fn a_deleted_document_is_gone_for_readers_and_can_be_restored(engine: Engine) {
    let house = house(engine).await;
    let (author, reader) = (house.member("editor").await, house.member("viewer").await);
    let collection = house.collection(&author, true, None).await;
    let document = house.upload(&author, &collection, "a.txt", b"one").await;
    house.grant(&author, &document, &reader, Access::Read).await;
    let vault = &house.vault;
    assert_eq!(status(vault.delete_document(&author, document.id, Expected::Unnamed).await.unwrap_err()), 428);
    assert_eq!(status(vault.delete_document(&reader, document.id, ANY).await.unwrap_err()), 403);

    let deleted = vault.delete_document(&author, document.id, ANY).await.unwrap();
    assert!(deleted.purge_at.is_some());
    assert_eq!(status(vault.document(&author, document.id).await.unwrap_err()), 404);
    assert_eq!(status(vault.get_document(&reader, document.id).await.unwrap_err()), 404);
    assert_eq!(status(house.read(&author, document.id).await.unwrap_err()), 404);
    assert!(vault.get_document(&author, document.id).await.is_ok(), "who can restore it sees it");
    assert_eq!(vault.list_documents(&author, &all(), false).await.unwrap().1.items, []);
    assert_eq!(vault.list_documents(&author, &all(), true).await.unwrap().1.items.len(), 1);
    assert_eq!(code(vault.delete_document(&author, document.id, ANY).await.unwrap_err()), "vault.document_deleted");
    assert_eq!(
        code(vault.delete_collection(&author, collection.id, Expected::Unnamed).await.unwrap_err()),
        "kernel.if_match_required"
    );

    let restored = vault.restore_document(&author, document.id, Expected::Version(2)).await.unwrap();
    assert_eq!((restored.deleted_at, restored.version), (None, 3));
    assert_eq!(house.read(&reader, document.id).await.unwrap(), b"one");
    assert_eq!(code(vault.restore_document(&author, document.id, ANY).await.unwrap_err()), "vault.not_deleted");
}

async fn when_the_grace_is_over_rows_key_and_bytes_go(engine: Engine) {
    let house = house(engine).await;
    let author = house.member("editor").await;
    let collection = house.collection(&author, true, None).await;
    let kept = house.upload(&author, &collection, "b.txt", b"two").await;
    let document = house.upload(&author, &collection, "a.txt", b"one").await;
    house.vault.delete_document(&author, document.id, ANY).await.unwrap();
    house.db.clock().shift(TimeDelta::days(29));
    assert_eq!(house.vault.purge_due().await.unwrap(), 0);
    house.db.clock().shift(TimeDelta::days(1));

    assert_eq!(code(house.vault.restore_document(&author, document.id, ANY).await.unwrap_err()), "vault.not_deleted");
    assert_eq!(house.vault.purge_due().await.unwrap(), 1);

    assert_eq!(status(house.vault.get_document(&author, document.id).await.unwrap_err()), 404);
    assert_eq!(house.blobs().len(), 1);
    assert_eq!(house.read(&author, kept.id).await.unwrap(), b"two");
    let kinds: Vec<_> =
        house.events().await.into_iter().map(|(kind, _)| kind).filter(|kind| kind.starts_with("vault.doc")).collect();
    assert_eq!(
        kinds,
        ["vault.document_created", "vault.document_created", "vault.document_deleted", "vault.document_purged"]
    );
}

async fn a_collection_goes_when_it_is_empty_and_its_trash_with_it(engine: Engine) {
    let house = house(engine).await;
    let author = house.member("editor").await;
    let collection = house.collection(&author, true, None).await;
    let document = house.upload(&author, &collection, "a.txt", b"one").await;
    let vault = &house.vault;
    assert_eq!(
        code(vault.delete_collection(&author, collection.id, ANY).await.unwrap_err()),
        "vault.collection_not_empty"
    );
    vault.delete_document(&author, document.id, ANY).await.unwrap();

    vault.delete_collection(&author, collection.id, Expected::Version(1)).await.unwrap();
    assert_eq!(status(vault.get_collection(&author, collection.id).await.unwrap_err()), 404);
    assert_eq!(status(vault.restore_document(&author, document.id, ANY).await.unwrap_err()), 404);
    assert_eq!(vault.purge_due().await.unwrap(), 1);
    assert_eq!(vault.purge_due().await.unwrap(), 0);

    assert_eq!(house.blobs(), Vec::<std::path::PathBuf>::new());
    let caller = Caller::platform("test");
    let left =
        async |tx: &Tx| Ok::<_, kernel::Problem>(tx.execute("UPDATE vault_collection SET version = 1", []).await?);
    assert_eq!(house.db.write(&caller, left).await.unwrap(), 0);
}

async fn a_sweep_takes_what_no_row_names_and_nothing_else(engine: Engine) {
    let house = house(engine).await;
    let author = house.member("editor").await;
    let collection = house.collection(&author, true, None).await;
    let document = house.upload(&author, &collection, "a.txt", &plain(100_000)).await;
    let real = house.blobs().pop().unwrap();
    let orphan = real.with_file_name("01900000000070008000000000000009");
    let draft = real.with_file_name("01900000000070008000000000000009#1");
    std::fs::copy(&real, &orphan).unwrap();
    std::fs::copy(&real, &draft).unwrap();
    let now = house.db.clock().now();

    assert_eq!(house.vault.sweep(now - TimeDelta::hours(1)).await.unwrap(), 0, "it may still get its row");
    assert_eq!(house.vault.sweep(now + TimeDelta::hours(1)).await.unwrap(), 2);

    assert_eq!(house.blobs(), [real]);
    assert_eq!(house.read(&author, document.id).await.unwrap().len(), 100_000);
}

async fn a_purged_tenant_leaves_no_row_and_no_bytes(engine: Engine) {
    let house = house(engine).await;
    let author = house.member("editor").await;
    let collection = house.collection(&author, true, None).await;
    let document = house.upload(&author, &collection, "a.txt", b"one").await;
    house.grant(&author, &document, &author, Access::Read).await;
    let farewell = house.vault.subscribers().pop().unwrap();
    let event = events::Event {
        id: house.db.random().id(house.db.clock().now()),
        tenant: house.tenant,
        kind: "tenancy.tenant_purged".to_owned(),
        key: house.tenant.to_string(),
        data: serde_json::Value::Null,
        occurred_at: house.db.clock().now(),
    };

    let caller = Caller::system("test", house.tenant);
    house.db.write(&caller, async |tx: &Tx| Subscriber::handle(&*farewell, tx, &event).await).await.unwrap();
    house.vault.remove_doomed().await;

    assert_eq!(house.blobs(), Vec::<std::path::PathBuf>::new());
    for table in ["key", "collection", "document", "version", "record", "grant"] {
        let sql = format!("DELETE FROM vault_{table} WHERE tenant_id = $1");
        let left = async |tx: &Tx| Ok::<_, kernel::Problem>(tx.execute(&sql, [house.tenant.into()]).await?);
        assert_eq!(house.db.write(&caller, left).await.unwrap(), 0, "{table}");
    }
}

async fn at_the_start_what_a_crash_left_behind_goes(engine: Engine) {
    let house = house(engine).await;
    let author = house.member("editor").await;
    let collection = house.collection(&author, true, None).await;
    house.upload(&author, &collection, "a.txt", b"one").await;
    let real = house.blobs().pop().unwrap();
    std::fs::copy(&real, real.with_file_name("01900000000070008000000000000009#1")).unwrap();
    std::fs::copy(&real, real.with_file_name("01900000000070008000000000000009")).unwrap();
    house.db.clock().shift(TimeDelta::seconds(5));

    let tasks = Tasks::default();
    let vault: &Vault = &house.vault;
    vault.start(&tasks);
    for _ in 0..500 {
        if house.blobs().len() == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(tasks.stop(Duration::from_secs(10)).await);

    assert_eq!(house.blobs(), [real]);
}

on_both_engines!(
    a_deleted_document_is_gone_for_readers_and_can_be_restored,
    when_the_grace_is_over_rows_key_and_bytes_go,
    a_collection_goes_when_it_is_empty_and_its_trash_with_it,
    a_sweep_takes_what_no_row_names_and_nothing_else,
    a_purged_tenant_leaves_no_row_and_no_bytes,
    at_the_start_what_a_crash_left_behind_goes,
);
