//! Documents: seeing, listing and renaming them.

use kernel::{Caller, Expected, ListParams, ListRequest, Page, Problem, Tx};
use serde_json::json;

use crate::Vault;
use crate::announce;
use crate::error::Error;
use crate::keyring::Keyring;
use crate::listing;
use crate::model::{Document, DocumentId, UpdateDocument};
use crate::permissions::{READ, WRITE};
use crate::sealed::seal;
use crate::store;
use crate::store::documents::DocumentRow;
use crate::words::parse_name;

impl Vault {
    /// A page of the documents that the caller may read; with `deleted`, of those in the trash.
    ///
    /// # Errors
    /// 400 for a wrong parameter, or the caller lacks [`READ`].
    pub async fn list_documents(
        &self,
        caller: &Caller,
        params: &ListParams,
        deleted: bool,
    ) -> Result<(ListRequest, Page<Document>), Error> {
        caller.require(READ)?;
        let request = ListRequest::new(&listing::DOCUMENTS, params, caller, self.db().keys())?;
        let list = async |tx: &Tx| {
            let viewer = self.viewer(tx, caller).await?;
            let rows = store::documents::list(tx, &viewer, &request, deleted).await?;
            if rows.is_empty() {
                return Ok(Vec::new());
            }
            let owners = rows.iter().flat_map(|row| [row.id.uuid(), row.collection_id.uuid()]);
            let keys = Keyring::load(tx, self.db().keys(), owners).await?;
            rows.iter().map(|row| row.open(tx.tenant(), &keys)).collect()
        };
        let documents: Vec<_> = self.watched(caller, self.db().read(caller, list).await).await?;
        let page = request.page(documents)?;
        let ids = page.items.iter().map(|item| item.id);
        self.note_list(caller, "vault.documents_listed", "document", ids).await?;
        Ok((request, page))
    }

    /// One document's metadata with its newest version, as the caller may see it; a deleted one is not there.
    ///
    /// # Errors
    /// The 404, or the caller lacks [`READ`].
    pub async fn document(&self, caller: &Caller, id: DocumentId) -> Result<Document, Problem> {
        let document = self.seen(caller, id).await?;
        match document.deleted_at {
            None => Ok(document),
            Some(_) => Err(Problem::not_found()),
        }
    }

    /// The same, where a deleted document is shown to who may restore it.
    ///
    /// # Errors
    /// Those of [`Self::document`].
    pub async fn get_document(&self, caller: &Caller, id: DocumentId) -> Result<Document, Error> {
        self.seen(caller, id).await
    }

    async fn seen(&self, caller: &Caller, id: DocumentId) -> Result<Document, Error> {
        caller.require(READ)?;
        let find = async |tx: &Tx| {
            let viewer = self.viewer(tx, caller).await?;
            let row = store::documents::find(tx, id).await?.ok_or_else(Problem::not_found)?;
            let rights = self.rights_on_document(tx, &viewer, &row).await?.readable()?;
            if row.deleted_at.is_some() && !rights.write {
                return Err(Problem::not_found().into());
            }
            let keys = self.document_keys(tx, &row).await?;
            row.open(tx.tenant(), &keys)
        };
        let document = self.watched(caller, self.db().read(caller, find).await).await?;
        let target = ("document", id.to_string());
        self.note_read(caller, "vault.document_read", target, json!({ "purpose": "metadata" })).await?;
        Ok(document)
    }

    /// Renames a document.
    ///
    /// # Errors
    /// 428 or 412 about the version, [`Error::NameInvalid`], [`Error::DocumentDeleted`], [`Error::NotWritable`], or the
    /// 404.
    pub async fn update_document(
        &self,
        caller: &Caller,
        id: DocumentId,
        expected: Expected,
        update: UpdateDocument,
    ) -> Result<Document, Error> {
        let expected = writing(caller, expected)?;
        let name = update.name.clone().required("name")?.map(|name| parse_name("name", &name)).transpose()?;

        let outcome = self
            .db()
            .write_once(caller, "vault.update_document", &(id, &update), async |tx| {
                let (row, keys) = self.writable_document(tx, caller, id, expected).await?;
                let mut document = row.open(tx.tenant(), &keys)?;
                if document.deleted_at.is_some() {
                    return Err(Error::DocumentDeleted);
                }
                document.name = name.clone().unwrap_or(document.name);
                self.store_document(tx, row, &keys, &mut document).await?;
                announce::document(tx, caller, "vault.document_updated", &document).await?;
                Ok(document)
            })
            .await;
        self.watched(caller, outcome).await
    }

    /// A document that the caller may change, deleted or not, in the version that they know, held until the commit.
    pub(crate) async fn writable_document(
        &self,
        tx: &Tx,
        caller: &Caller,
        id: DocumentId,
        expected: Expected,
    ) -> Result<(DocumentRow, Keyring), Error> {
        let viewer = self.viewer(tx, caller).await?;
        let row = store::documents::find_for_update(tx, id).await?.ok_or_else(Problem::not_found)?;
        self.rights_on_document(tx, &viewer, &row).await?.writable()?;
        // A collection that is going takes its documents along.
        store::collections::find(tx, row.collection_id).await?.ok_or_else(Problem::not_found)?;
        expected.check(row.version)?;
        let keys = self.document_keys(tx, &row).await?;
        Ok((row, keys))
    }

    /// Writes a changed document, one version on.
    pub(crate) async fn store_document(
        &self,
        tx: &Tx,
        mut row: DocumentRow,
        keys: &Keyring,
        document: &mut Document,
    ) -> Result<(), Error> {
        document.updated_at = tx.now();
        document.version += 1;
        row.size = document.size;
        row.current_id = document.version_id;
        row.deleted_at = document.deleted_at;
        row.purge_at = document.purge_at;
        row.updated_at = document.updated_at;
        row.version = document.version;
        let key = keys.document(row.collection_id, row.id, row.key_version)?;
        row.sealed = seal(&key, tx.random(), &row.place(tx.tenant()), &document.words())?;
        Ok(store::documents::update(tx, &row, document.clear()).await?)
    }

    pub(crate) async fn document_keys(&self, tx: &Tx, row: &DocumentRow) -> Result<Keyring, Error> {
        Keyring::load(tx, self.db().keys(), [row.id.uuid(), row.collection_id.uuid()]).await
    }
}

/// What every change of something that is there begins with.
pub(crate) fn writing(caller: &Caller, expected: Expected) -> Result<Expected, Problem> {
    caller.require(READ)?;
    caller.require(WRITE)?;
    expected.required()
}
