//! Collections: what documents and records belong to, and what their key hangs on.

use kernel::{Caller, Expected, ListParams, ListRequest, Page, Problem, Tx};
use serde_json::json;

use crate::Vault;
use crate::announce;
use crate::error::Error;
use crate::keyring::Keyring;
use crate::listing;
use crate::model::{Collection, CollectionId, NewCollection, UpdateCollection};
use crate::permissions::{READ, WRITE};
use crate::schema;
use crate::sealed::seal;
use crate::store;
use crate::store::collections::CollectionRow;
use crate::words::{parse_description, parse_model, parse_name};

impl Vault {
    /// A page of the collections that the caller may read as a whole.
    ///
    /// # Errors
    /// 400 for a wrong parameter, or the caller lacks [`READ`].
    pub async fn list_collections(
        &self,
        caller: &Caller,
        params: &ListParams,
    ) -> Result<(ListRequest, Page<Collection>), Error> {
        caller.require(READ)?;
        let request = ListRequest::new(&listing::COLLECTIONS, params, caller, self.db().keys())?;
        let list = async |tx: &Tx| {
            let viewer = self.viewer(tx, caller).await?;
            let rows = store::collections::list(tx, &viewer, &request).await?;
            self.open_collections(tx, &rows).await
        };
        let collections = self.watched(caller, self.db().read(caller, list).await).await?;
        let page = request.page(collections)?;
        let ids = page.items.iter().map(|item| item.id);
        self.note_list(caller, "vault.collections_listed", "collection", ids).await?;
        Ok((request, page))
    }

    /// One collection.
    ///
    /// # Errors
    /// The 404, or the caller lacks [`READ`].
    pub async fn get_collection(&self, caller: &Caller, id: CollectionId) -> Result<Collection, Error> {
        caller.require(READ)?;
        let find = async |tx: &Tx| {
            let viewer = self.viewer(tx, caller).await?;
            let row = store::collections::find(tx, id).await?.ok_or_else(Problem::not_found)?;
            self.rights_on_collection(tx, &viewer, &row).await?.readable()?;
            self.open_collection(tx, &row).await
        };
        let collection = self.watched(caller, self.db().read(caller, find).await).await?;
        let target = ("collection", id.to_string());
        self.note_read(caller, "vault.collection_read", target, json!({ "purpose": "metadata" })).await?;
        Ok(collection)
    }

    /// Makes a collection that the caller owns, with a key of its own.
    ///
    /// # Errors
    /// [`Error::NameInvalid`], [`Error::DescriptionInvalid`], [`Error::SchemaInvalid`], [`Error::ModelInvalid`], or the
    /// caller lacks [`WRITE`].
    pub async fn create_collection(&self, caller: &Caller, new: NewCollection) -> Result<Collection, Error> {
        caller.require(WRITE)?;
        let name = parse_name("name", &new.name)?;
        let description = parse_description(new.description.as_deref().unwrap_or_default())?;
        let model = new.model.as_deref().map(parse_model).transpose()?;
        let schema = new.schema.clone().filter(|schema| !schema.is_null());
        schema.as_ref().map(schema::check).transpose()?;

        let outcome = self
            .db()
            .write_once(caller, "vault.create_collection", &new, async |tx| {
                let (id, now): (CollectionId, _) = (tx.new_id(), tx.now());
                let collection = Collection {
                    id,
                    name: name.clone(),
                    description: description.clone(),
                    searchable: new.searchable,
                    schema: schema.clone(),
                    model: model.clone(),
                    owner_id: caller.actor.account(),
                    created_at: now,
                    updated_at: now,
                    version: 1,
                };
                self.insert_collection(tx, &collection).await?;
                announce::collection(tx, caller, "vault.collection_created", &collection).await?;
                Ok(collection)
            })
            .await;
        self.watched(caller, outcome).await
    }

    async fn insert_collection(&self, tx: &Tx, collection: &Collection) -> Result<(), Error> {
        let (tenant, id) = (tx.tenant(), collection.id);
        let parent = Keyring::tenant_key(tx, self.db().keys()).await?;
        let (key, wrapped) = parent.child(tx.random(), tenant, tenant.uuid(), id.uuid());
        store::keys::insert(tx, &wrapped).await?;
        let mut row = CollectionRow {
            id,
            owner_id: collection.owner_id,
            searchable: collection.searchable,
            key_version: key.version,
            sealed: Vec::new(),
            created_at: collection.created_at,
            updated_at: collection.updated_at,
            version: collection.version,
        };
        row.sealed = seal(&key, tx.random(), &row.place(tenant), &collection.words())?;
        Ok(store::collections::insert(tx, &row, collection.clear()).await?)
    }

    /// Changes a collection.
    ///
    /// # Errors
    /// 428 or 412 about the version, those of [`Self::create_collection`], [`Error::NotWritable`] for who does not own
    /// it, or the 404.
    pub async fn update_collection(
        &self,
        caller: &Caller,
        id: CollectionId,
        expected: Expected,
        update: UpdateCollection,
    ) -> Result<Collection, Error> {
        caller.require(READ)?;
        caller.require(WRITE)?;
        let expected = expected.required()?;
        let name = update.name.clone().required("name")?.map(|name| parse_name("name", &name)).transpose()?;

        let outcome = self
            .db()
            .write_once(caller, "vault.update_collection", &(id, &update), async |tx| {
                let (mut row, keys) = self.owned_collection(tx, caller, id, expected).await?;
                let mut collection = row.open(tx.tenant(), &keys)?;
                let description = update.description.clone().or(Some(collection.description)).unwrap_or_default();
                collection.description = parse_description(&description)?;
                collection.name = name.clone().unwrap_or(collection.name);
                collection.model = update.model.clone().or(collection.model);
                collection.model.as_deref().map(parse_model).transpose()?;
                collection.schema = update.schema.clone().or(collection.schema);
                collection.schema.as_ref().map(schema::check).transpose()?;
                collection.updated_at = tx.now();
                collection.version += 1;
                (row.updated_at, row.version) = (collection.updated_at, collection.version);
                let key = keys.collection(id, row.key_version)?;
                row.sealed = seal(&key, tx.random(), &row.place(tx.tenant()), &collection.words())?;
                store::collections::update(tx, &row, collection.clear()).await?;
                announce::collection(tx, caller, "vault.collection_updated", &collection).await?;
                Ok(collection)
            })
            .await;
        self.watched(caller, outcome).await
    }

    /// Deletes a collection that holds nothing but deleted documents, which go with it at once.
    ///
    /// # Errors
    /// [`Error::CollectionNotEmpty`], 428 or 412 about the version, [`Error::NotWritable`], or the 404.
    pub async fn delete_collection(&self, caller: &Caller, id: CollectionId, expected: Expected) -> Result<(), Error> {
        caller.require(READ)?;
        caller.require(WRITE)?;
        let expected = expected.required()?;

        let outcome = self
            .db()
            .write_once(caller, "vault.delete_collection", &id, async |tx| {
                let (row, keys) = self.owned_collection(tx, caller, id, expected).await?;
                let collection = row.open(tx.tenant(), &keys)?;
                if store::collections::used(tx, id).await? > 0 {
                    return Err(Error::CollectionNotEmpty);
                }
                store::collections::mark_deleted(tx, id).await?;
                announce::collection(tx, caller, "vault.collection_deleted", &collection).await?;
                self.changed(tx);
                Ok(())
            })
            .await;
        self.watched(caller, outcome).await
    }

    /// A collection that the caller owns, in the version that they know, held until the commit.
    async fn owned_collection(
        &self,
        tx: &Tx,
        caller: &Caller,
        id: CollectionId,
        expected: Expected,
    ) -> Result<(CollectionRow, Keyring), Error> {
        let viewer = self.viewer(tx, caller).await?;
        let row = store::collections::find_for_update(tx, id).await?.ok_or_else(Problem::not_found)?;
        self.rights_on_collection(tx, &viewer, &row).await?.owned()?;
        expected.check(row.version)?;
        let keys = Keyring::load(tx, self.db().keys(), [id.uuid()]).await?;
        Ok((row, keys))
    }

    pub(crate) async fn open_collection(&self, tx: &Tx, row: &CollectionRow) -> Result<Collection, Error> {
        let keys = Keyring::load(tx, self.db().keys(), [row.id.uuid()]).await?;
        row.open(tx.tenant(), &keys)
    }

    async fn open_collections(&self, tx: &Tx, rows: &[CollectionRow]) -> Result<Vec<Collection>, Error> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let keys = Keyring::load(tx, self.db().keys(), rows.iter().map(|row| row.id.uuid())).await?;
        rows.iter().map(|row| row.open(tx.tenant(), &keys)).collect()
    }
}
