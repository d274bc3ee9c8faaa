//! Records and their schema.

use kernel::{Expected, Patch, Problem};
use serde_json::{Value, json};
use testkit::{Engine, on_both_engines};

use super::{all, code, house, status};
use crate::{Access, NewGrant, NewRecord, SubjectKind, UpdateCollection, UpdateRecord};

fn patch(data: Value) -> UpdateRecord {
    UpdateRecord { data: Patch::Set(data) }
}

async fn a_record_fits_its_schema_through_all_its_life(engine: Engine) {
    let house = house(engine).await;
    let author = house.member("editor").await;
    let schema = json!({
        "type": "object", "required": ["name"],
        "properties": { "name": { "type": "string" }, "age": { "type": "integer" } },
    });
    let collection = house.collection(&author, false, Some(schema)).await;
    let vault = &house.vault;
    let new = |data| NewRecord { collection_id: collection.id, data };

    let refused = Problem::from(vault.create_record(&author, new(json!({ "age": "x" }))).await.unwrap_err());
    assert_eq!((refused.code.as_ref(), refused.fields.len()), ("vault.record_invalid", 2));
    let made = vault.create_record(&author, new(json!({ "name": "Ada", "age": 36 }))).await.unwrap();
    assert_eq!(vault.get_record(&author, made.id).await.unwrap(), made);

    let one = Expected::Version(1);
    assert_eq!(
        status(vault.update_record(&author, made.id, Expected::Unnamed, patch(json!({}))).await.unwrap_err()),
        428
    );
    let gone = vault.update_record(&author, made.id, one, patch(json!({ "name": null }))).await;
    assert_eq!(code(gone.unwrap_err()), "vault.record_invalid");
    let changed = vault.update_record(&author, made.id, one, patch(json!({ "age": null, "more": [1] }))).await.unwrap();
    assert_eq!((changed.data, changed.version), (json!({ "name": "Ada", "more": [1] }), 2));
    assert_eq!(status(vault.update_record(&author, made.id, one, patch(json!({}))).await.unwrap_err()), 412);

    let stricter =
        UpdateCollection { schema: Patch::Set(json!({ "maxProperties": 1 })), ..UpdateCollection::default() };
    vault.update_collection(&author, collection.id, one, stricter).await.unwrap();
    let measured = vault.update_record(&author, made.id, Expected::Any, patch(json!({}))).await;
    assert_eq!(code(measured.unwrap_err()), "vault.record_invalid");
    assert_eq!(vault.list_records(&author, &all()).await.unwrap().1.items.len(), 1);

    vault.delete_record(&author, made.id, Expected::Version(2)).await.unwrap();
    assert_eq!(status(vault.get_record(&author, made.id).await.unwrap_err()), 404);
}

async fn records_are_shared_with_their_collection(engine: Engine) {
    let house = house(engine).await;
    let (author, other) = (house.member("editor").await, house.member("editor").await);
    let collection = house.collection(&author, false, None).await;
    let vault = &house.vault;
    let new = || NewRecord { collection_id: collection.id, data: json!({ "a": 1 }) };
    let record = vault.create_record(&author, new()).await.unwrap();
    assert_eq!(status(vault.get_record(&other, record.id).await.unwrap_err()), 404);
    assert_eq!(status(vault.create_record(&other, new()).await.unwrap_err()), 404);
    let grant = |access| NewGrant {
        collection_id: Some(collection.id),
        document_id: None,
        subject: SubjectKind::Everyone,
        subject_id: None,
        access,
        valid_from: None,
        valid_until: None,
    };

    vault.create_grant(&author, grant(Access::Read)).await.unwrap();
    assert_eq!(vault.get_record(&other, record.id).await.unwrap(), record);
    assert_eq!(vault.list_records(&other, &all()).await.unwrap().1.items, std::slice::from_ref(&record));
    assert_eq!(status(vault.delete_record(&other, record.id, Expected::Any).await.unwrap_err()), 403);
    assert_eq!(status(vault.create_record(&other, new()).await.unwrap_err()), 403);

    vault.create_grant(&author, grant(Access::Write)).await.unwrap();
    assert!(vault.create_record(&other, new()).await.is_ok());
    assert!(vault.delete_record(&other, record.id, Expected::Any).await.is_ok());
}

on_both_engines!(a_record_fits_its_schema_through_all_its_life, records_are_shared_with_their_collection);
