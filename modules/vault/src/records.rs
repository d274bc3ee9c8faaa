//! Records: JSON objects that fit their collection's schema, always sealed. Events and the trail tell their ids only.

use kernel::{Caller, Expected, ListParams, ListRequest, Page, Problem, Tx};
use serde_json::json;

use crate::Vault;
use crate::announce::announce;
use crate::documents::writing;
use crate::error::Error;
use crate::keyring::Keyring;
use crate::listing;
use crate::model::{NewRecord, Record, RecordId, UpdateRecord};
use crate::permissions::{READ, WRITE};
use crate::policy::{Rights, Viewer};
use crate::schema;
use crate::sealed::seal;
use crate::store;
use crate::store::collections::CollectionRow;
use crate::store::records::RecordRow;

impl Vault {
    /// A page of the records that the caller may read.
    ///
    /// # Errors
    /// 400 for a wrong parameter, or the caller lacks [`READ`].
    pub async fn list_records(
        &self,
        caller: &Caller,
        params: &ListParams,
    ) -> Result<(ListRequest, Page<Record>), Error> {
        caller.require(READ)?;
        let request = ListRequest::new(&listing::RECORDS, params, caller, self.db().keys())?;
        let list = async |tx: &Tx| {
            let viewer = self.viewer(tx, caller).await?;
            let rows = store::records::list(tx, &viewer, &request).await?;
            if rows.is_empty() {
                return Ok(Vec::new());
            }
            let keys = Keyring::load(tx, self.db().keys(), rows.iter().map(|row| row.collection_id.uuid())).await?;
            rows.iter().map(|row| row.open(tx.tenant(), &keys)).collect()
        };
        let records: Vec<_> = self.watched(caller, self.db().read(caller, list).await).await?;
        let page = request.page(records)?;
        let ids = page.items.iter().map(|item| item.id);
        self.note_list(caller, "vault.records_listed", "record", ids).await?;
        Ok((request, page))
    }

    /// One record.
    ///
    /// # Errors
    /// The 404, or the caller lacks [`READ`].
    pub async fn get_record(&self, caller: &Caller, id: RecordId) -> Result<Record, Error> {
        caller.require(READ)?;
        let find = async |tx: &Tx| {
            let viewer = self.viewer(tx, caller).await?;
            let row = store::records::find(tx, id).await?.ok_or_else(Problem::not_found)?;
            let collection = store::collections::find(tx, row.collection_id).await?.ok_or_else(Problem::not_found)?;
            self.rights_on_record(tx, &viewer, &collection, &row).await?.readable()?;
            let keys = Keyring::load(tx, self.db().keys(), [row.collection_id.uuid()]).await?;
            row.open(tx.tenant(), &keys)
        };
        let record = self.watched(caller, self.db().read(caller, find).await).await?;
        let target = ("record", id.to_string());
        self.note_read(caller, "vault.record_read", target, json!({ "purpose": "read" })).await?;
        Ok(record)
    }

    /// Makes a record in a collection that the caller may write to.
    ///
    /// # Errors
    /// [`Error::RecordShape`], [`Error::RecordInvalid`], [`Error::NotWritable`], the 404 for a collection that the
    /// caller can't see, or the caller lacks [`WRITE`].
    pub async fn create_record(&self, caller: &Caller, new: NewRecord) -> Result<Record, Error> {
        caller.require(WRITE)?;
        schema::validate(None, &new.data)?;

        let outcome = self
            .db()
            .write_once(caller, "vault.create_record", &new, async |tx| {
                let viewer = self.viewer(tx, caller).await?;
                let row = store::collections::find_for_update(tx, new.collection_id).await?;
                let row = row.ok_or_else(Problem::not_found)?;
                self.rights_on_collection(tx, &viewer, &row).await?.writable()?;
                let keys = Keyring::load(tx, self.db().keys(), [row.id.uuid()]).await?;
                let collection = row.open(tx.tenant(), &keys)?;
                schema::validate(collection.schema.as_ref(), &new.data)?;
                let now = tx.now();
                let record = Record {
                    id: tx.new_id(),
                    collection_id: collection.id,
                    data: new.data.clone(),
                    owner_id: caller.actor.account(),
                    created_at: now,
                    updated_at: now,
                    version: 1,
                };
                store::records::insert(tx, &sealed_row(tx, &keys, row.key_version, &record)?).await?;
                tell(tx, caller, "vault.record_created", &record).await?;
                Ok(record)
            })
            .await;
        self.watched(caller, outcome).await
    }

    /// Changes a record by a merge patch (RFC 7396); what comes of it must fit the collection's schema.
    ///
    /// # Errors
    /// 428 or 412 about the version, those of [`Self::create_record`], or the 404.
    pub async fn update_record(
        &self,
        caller: &Caller,
        id: RecordId,
        expected: Expected,
        update: UpdateRecord,
    ) -> Result<Record, Error> {
        let expected = writing(caller, expected)?;
        let patch = update.data.clone().required("data")?;

        let outcome = self
            .db()
            .write_once(caller, "vault.update_record", &(id, &update), async |tx| {
                let (collection, row) = self.writable_record(tx, caller, id, expected).await?;
                let keys = Keyring::load(tx, self.db().keys(), [collection.id.uuid()]).await?;
                let mut record = row.open(tx.tenant(), &keys)?;
                if let Some(patch) = &patch {
                    json_patch::merge(&mut record.data, patch);
                }
                schema::validate(collection.open(tx.tenant(), &keys)?.schema.as_ref(), &record.data)?;
                record.updated_at = tx.now();
                record.version += 1;
                store::records::update(tx, &sealed_row(tx, &keys, collection.key_version, &record)?).await?;
                tell(tx, caller, "vault.record_updated", &record).await?;
                Ok(record)
            })
            .await;
        self.watched(caller, outcome).await
    }

    /// Deletes a record, for good.
    ///
    /// # Errors
    /// 428 or 412 about the version, [`Error::NotWritable`], or the 404.
    pub async fn delete_record(&self, caller: &Caller, id: RecordId, expected: Expected) -> Result<(), Error> {
        let expected = writing(caller, expected)?;

        let outcome = self
            .db()
            .write_once(caller, "vault.delete_record", &id, async |tx| {
                let (_, row) = self.writable_record(tx, caller, id, expected).await?;
                store::records::delete(tx, id).await?;
                let data = json!({ "record": id, "collection": row.collection_id });
                Ok(announce(tx, caller, "vault.record_deleted", ("record", id.to_string()), &data).await?)
            })
            .await;
        self.watched(caller, outcome).await
    }

    async fn writable_record(
        &self,
        tx: &Tx,
        caller: &Caller,
        id: RecordId,
        expected: Expected,
    ) -> Result<(CollectionRow, RecordRow), Error> {
        let viewer = self.viewer(tx, caller).await?;
        let row = store::records::find_for_update(tx, id).await?.ok_or_else(Problem::not_found)?;
        let collection = store::collections::find(tx, row.collection_id).await?.ok_or_else(Problem::not_found)?;
        self.rights_on_record(tx, &viewer, &collection, &row).await?.writable()?;
        expected.check(row.version)?;
        Ok((collection, row))
    }

    /// A record's owner may read and change it; for others, what they may do with the collection counts.
    async fn rights_on_record(
        &self,
        tx: &Tx,
        viewer: &Viewer,
        collection: &CollectionRow,
        record: &RecordRow,
    ) -> Result<Rights, Problem> {
        if viewer.account.is_some() && viewer.account == record.owner_id {
            return Ok(Rights { read: true, write: true, own: true });
        }
        self.rights_on_collection(tx, viewer, collection).await
    }
}

fn sealed_row(tx: &Tx, keys: &Keyring, key_version: i32, record: &Record) -> Result<RecordRow, Error> {
    let key = keys.collection(record.collection_id, key_version)?;
    let mut row = RecordRow {
        id: record.id,
        collection_id: record.collection_id,
        owner_id: record.owner_id,
        key_version,
        sealed: Vec::new(),
        created_at: record.created_at,
        updated_at: record.updated_at,
        version: record.version,
    };
    row.sealed = seal(&key, tx.random(), &row.place(tx.tenant()), &record.data)?;
    Ok(row)
}

async fn tell(tx: &Tx, caller: &Caller, action: &'static str, record: &Record) -> Result<(), Problem> {
    let data = json!({ "record": record.id, "collection": record.collection_id });
    announce(tx, caller, action, ("record", record.id.to_string()), &data).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merge_patch_does_what_its_rfc_shows() {
        for (target, patch, merged) in [
            (json!({ "a": "b" }), json!({ "a": "c" }), json!({ "a": "c" })),
            (json!({ "a": "b" }), json!({ "a": null }), json!({})),
            (json!({ "a": ["b"] }), json!({ "a": "c" }), json!({ "a": "c" })),
            (json!({ "a": { "b": "c" } }), json!({ "a": { "b": "d", "c": null } }), json!({ "a": { "b": "d" } })),
            (json!({ "e": null }), json!({ "a": 1 }), json!({ "e": null, "a": 1 })),
            (json!({}), json!({ "a": { "bb": { "ccc": null } } }), json!({ "a": { "bb": {} } })),
        ] {
            let mut value = target;
            json_patch::merge(&mut value, &patch);
            assert_eq!(value, merged);
        }
    }
}
