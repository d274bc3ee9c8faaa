//! In a collection that is not searchable, nothing of documents, records or names is on the disk in the clear; in a
//! searchable one, only what lists need.

use std::fs;

use kernel::{Caller, Expected, Patch, Problem, Tx};
use sea_orm::FromQueryResult;
use serde_json::json;
use testkit::{Engine, on_both_engines};

use super::{House, all, files, house, incoming};
use crate::{NewCollection, NewRecord, UpdateCollection, UpdateDocument, UpdateRecord};

#[derive(FromQueryResult)]
struct Text {
    text: String,
}

/// All that is stored, as text or bytes: every file of the database and of the vault, or every row of every table.
async fn stored(house: &House, engine: Engine) -> Vec<Vec<u8>> {
    let mut found: Vec<Vec<u8>> = house.blobs().iter().map(|path| fs::read(path).unwrap()).collect();
    match engine {
        Engine::Sqlite => found.extend(files(house.db.store().folder()).iter().map(|path| fs::read(path).unwrap())),
        Engine::Postgres => {
            let caller = Caller::platform("test");
            let dump = async |tx: &Tx| {
                let names = "SELECT table_name AS text FROM information_schema.tables WHERE table_schema = 'public'";
                let mut rows = Vec::new();
                for table in tx.all::<Text>(names, []).await? {
                    let sql = format!("SELECT t::text AS text FROM {} t", table.text);
                    rows.extend(tx.all::<Text>(&sql, []).await?);
                }
                Ok::<_, Problem>(rows)
            };
            found.extend(house.db.read(&caller, dump).await.unwrap().into_iter().map(|row| row.text.into_bytes()));
        }
    }
    found
}

/// Whether a text is in any of it, as it is or in hexadecimal (which is how PostgreSQL shows bytes).
fn holds(stored: &[Vec<u8>], text: &str) -> bool {
    let has = |needle: &[u8]| stored.iter().any(|bytes| bytes.windows(needle.len()).any(|window| window == needle));
    has(text.as_bytes()) || has(hex::encode(text).as_bytes())
}

async fn live(house: &House, searchable: bool, word: &str) {
    let author = house.member("editor").await;
    let new = NewCollection {
        name: format!("{word}-collection"),
        description: Some(format!("{word}-description")),
        searchable,
        schema: Some(json!({ "description": format!("{word}-schema") })),
        model: None,
    };
    let vault = &house.vault;
    let keyed = |key: &str| {
        let mut caller = author.clone();
        caller.request = super::request();
        caller.request.idempotency_key = Some(key.into());
        caller
    };
    let collection = vault.create_collection(&keyed("1"), new).await.unwrap();
    let update = UpdateCollection { name: Patch::Set(format!("{word}-renamed")), ..UpdateCollection::default() };
    vault.update_collection(&keyed("2"), collection.id, Expected::Any, update).await.unwrap();
    let bytes = format!("{word}-content ").repeat(20_000);
    let body = incoming(&format!("{word}-name.{word}-type"), bytes.as_bytes(), 5000);
    let document = vault.upload_document(&keyed("3"), Some(collection.id), body).await.unwrap();
    let rename = UpdateDocument { name: Patch::Set(format!("{word}-name-2.txt")) };
    vault.update_document(&keyed("4"), document.id, Expected::Any, rename).await.unwrap();
    let version = incoming("", format!("{word}-content-2").as_bytes(), 5);
    vault.upload_document_version(&keyed("5"), document.id, Expected::Any, version).await.unwrap();
    let record = NewRecord { collection_id: collection.id, data: json!({ "a": format!("{word}-record") }) };
    let record = vault.create_record(&keyed("6"), record).await.unwrap();
    let patch = UpdateRecord { data: Patch::Set(json!({ format!("{word}-field"): 1 })) };
    vault.update_record(&keyed("7"), record.id, Expected::Any, patch).await.unwrap();
    house.read(&author, document.id).await.unwrap();
    vault.list_documents(&author, &all(), false).await.unwrap();
    vault.list_records(&author, &all()).await.unwrap();
    vault.delete_document(&keyed("8"), document.id, Expected::Any).await.unwrap();
    vault.delete_record(&keyed("9"), record.id, Expected::Any).await.unwrap();
    house.upload(&author, &collection, &format!("{word}-name-3"), bytes.as_bytes()).await;
}

async fn nothing_of_a_collection_that_is_not_searchable_is_stored_in_the_clear(engine: Engine) {
    let house = house(engine).await;
    live(&house, false, "kanarienvogel").await;
    live(&house, true, "stieglitz").await;

    let stored = stored(&house, engine).await;

    assert!(!holds(&stored, "kanarienvogel"));
    assert!(holds(&stored, "stieglitz-name-3"), "names of searchable documents are what lists filter by");
    for sealed in ["content", "description", "schema", "record", "field"] {
        assert!(!holds(&stored, &format!("stieglitz-{sealed}")), "{sealed}");
    }
}

on_both_engines!(nothing_of_a_collection_that_is_not_searchable_is_stored_in_the_clear);
