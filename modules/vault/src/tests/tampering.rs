//! What is changed behind Holdfast's back does not open, and is told.

use std::fs;
use std::path::PathBuf;

use kernel::{Caller, Problem, Tx};
use serde_json::json;
use testkit::{Engine, on_both_engines};

use super::{House, all, code, house, new_tenant, plain};
use crate::{Collection, Document, NewRecord};

fn blob(house: &House, document: &Document) -> PathBuf {
    let name = document.version_id.uuid().simple().to_string();
    house.blobs().into_iter().find(|path| path.file_name().is_some_and(|file| file == name.as_str())).unwrap()
}

async fn fixture(engine: Engine) -> (House, Caller, Collection, Document, Document) {
    let house = house(engine).await;
    let author = house.member("editor").await;
    let collection = house.collection(&author, false, None).await;
    let one = house.upload(&author, &collection, "a.bin", &plain(200_000)).await;
    let other = house.upload(&author, &collection, "b.bin", &plain(200_000)).await;
    (house, author, collection, one, other)
}

async fn assert_told(house: &House, count: usize) {
    let told = house.events().await.into_iter().filter(|(kind, _)| kind == "vault.tampering_detected").count();
    assert_eq!((told, house.audited("vault.tampering_detected").await.len()), (count, count));
}

async fn bytes_that_were_swapped_cut_or_flipped_do_not_open_and_are_told(engine: Engine) {
    let (house, author, _, one, other) = fixture(engine).await;
    let (path, from) = (blob(&house, &one), blob(&house, &other));
    let good = fs::read(&path).unwrap();
    let mut flipped = good.clone();
    flipped[100_000] ^= 1;
    let mut swapped_segments = good.clone();
    swapped_segments[40..40 + 65_552].copy_from_slice(&good[40 + 65_552..40 + 2 * 65_552]);
    let cases = [
        fs::read(&from).unwrap(),
        flipped,
        swapped_segments,
        good[..good.len() - 1].to_vec(),
        good[..40 + 65_552].to_vec(),
        [good.as_slice(), b"more"].concat(),
        Vec::new(),
    ];

    for (number, bytes) in cases.iter().enumerate() {
        fs::write(&path, bytes).unwrap();
        assert_eq!(code(house.read(&author, one.id).await.unwrap_err()), "vault.tampered", "case {number}");
        assert_told(&house, number + 1).await;
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(code(house.read(&author, one.id).await.unwrap_err()), "vault.tampered");
    fs::write(&path, good).unwrap();
    assert_eq!(house.read(&author, one.id).await.unwrap(), plain(200_000));
    assert_told(&house, cases.len() + 1).await;
}

/// Runs SQL as somebody who holds the database.
async fn alter(house: &House, sql: &str) {
    let caller = Caller::platform("test");
    let changed = async |tx: &Tx| Ok::<_, Problem>(tx.execute(sql, []).await?);
    assert!(house.db.write(&caller, changed).await.unwrap() > 0, "{sql}");
}

/// A UUID as a literal of either engine.
fn literal(engine: Engine, id: uuid::Uuid) -> String {
    match engine {
        Engine::Sqlite => format!("x'{}'", id.simple()),
        Engine::Postgres => format!("'{id}'"),
    }
}

async fn rows_that_were_swapped_do_not_open(engine: Engine) {
    let (house, author, collection, one, other) = fixture(engine).await;
    let lit = |id| literal(engine, id);
    let (a, b) = (lit(one.id.uuid()), lit(other.id.uuid()));
    let read = async || code(house.vault.document(&author, one.id).await.unwrap_err());

    let sealed =
        format!("UPDATE vault_document SET sealed = (SELECT sealed FROM vault_document WHERE id = {b}) WHERE id = {a}");
    let keys = format!(
        "UPDATE vault_key SET wrapped = (SELECT wrapped FROM vault_key WHERE owner_id = {b}) WHERE owner_id = {a}"
    );
    alter(&house, &sealed).await;
    assert_eq!(read().await, "vault.tampered");
    alter(&house, &keys).await;
    assert_eq!(read().await, "vault.tampered", "not even with its key");
    assert_eq!(code(house.vault.list_documents(&author, &all(), false).await.unwrap_err()), "vault.tampered");

    let version = lit(other.version_id.uuid());
    alter(&house, &format!("UPDATE vault_document SET current_id = {version} WHERE id = {b}")).await;
    alter(&house, &format!("UPDATE vault_document SET size = 7 WHERE id = {b}")).await;
    assert_eq!(code(house.vault.document(&author, other.id).await.unwrap_err()), "vault.tampered", "another size");

    let new = |n: i32| NewRecord { collection_id: collection.id, data: json!({ "n": n }) };
    let first = house.vault.create_record(&author, new(1)).await.unwrap();
    let second = house.vault.create_record(&author, new(2)).await.unwrap();
    let (a, b) = (lit(first.id.uuid()), lit(second.id.uuid()));
    alter(
        &house,
        &format!("UPDATE vault_record SET sealed = (SELECT sealed FROM vault_record WHERE id = {b}) WHERE id = {a}"),
    )
    .await;
    assert_eq!(code(house.vault.get_record(&author, first.id).await.unwrap_err()), "vault.tampered");
    assert!(house.vault.get_record(&author, second.id).await.is_ok());
}

async fn what_is_moved_to_another_tenant_does_not_open_there(engine: Engine) {
    let (house, author, collection, one, _) = fixture(engine).await;
    let globex = new_tenant(&house.tenancy, "globex").await;
    let thief = house.member_of(globex, "owner").await;
    // So that the other tenant has a key of its own.
    house.collection(&thief, false, None).await;
    let (from, to) = (literal(engine, house.tenant.uuid()), literal(engine, globex.uuid()));
    let lit = |id| literal(engine, id);
    let columns = [
        ("collection", format!("id = {}", lit(collection.id.uuid()))),
        ("key", format!("owner_id IN ({}, {})", lit(collection.id.uuid()), lit(one.id.uuid()))),
    ];
    alter(&house, &format!("DELETE FROM vault_version WHERE document_id <> {}", lit(one.id.uuid()))).await;
    alter(&house, &format!("DELETE FROM vault_document WHERE id <> {}", lit(one.id.uuid()))).await;
    let caller = Caller::platform("test");
    let moved = async |tx: &Tx| {
        if engine == Engine::Sqlite {
            tx.execute("PRAGMA defer_foreign_keys = ON", []).await?;
        } else {
            for (table, key) in [
                ("document", "vault_document_tenant_id_collection_id_fkey"),
                ("version", "vault_version_tenant_id_document_id_fkey"),
            ] {
                tx.execute(&format!("ALTER TABLE vault_{table} DROP CONSTRAINT {key}"), []).await?;
            }
        }
        for (table, which) in &columns {
            tx.execute(&format!("UPDATE vault_{table} SET tenant_id = {to} WHERE tenant_id = {from} AND {which}"), [])
                .await?;
        }
        for table in ["document", "version"] {
            tx.execute(&format!("UPDATE vault_{table} SET tenant_id = {to} WHERE tenant_id = {from}"), []).await?;
        }
        Ok::<_, Problem>(())
    };
    house.db.write(&caller, moved).await.unwrap();
    let path = blob(&house, &one);
    let theirs = path.ancestors().nth(3).unwrap().join(globex.uuid().simple().to_string());
    let spread = theirs.join(path.parent().unwrap().file_name().unwrap());
    fs::create_dir_all(&spread).unwrap();
    fs::rename(&path, spread.join(path.file_name().unwrap())).unwrap();

    assert_eq!(code(house.vault.get_collection(&thief, collection.id).await.unwrap_err()), "vault.tampered");
    assert_eq!(code(house.vault.document(&thief, one.id).await.unwrap_err()), "vault.tampered");
    assert_eq!(code(house.read(&thief, one.id).await.unwrap_err()), "vault.tampered");
    drop(author);
}

on_both_engines!(
    bytes_that_were_swapped_cut_or_flipped_do_not_open_and_are_told,
    rows_that_were_swapped_do_not_open,
    what_is_moved_to_another_tenant_does_not_open_there,
);
