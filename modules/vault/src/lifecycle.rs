//! The end of documents: deleted with grace, restored, purged.

use chrono::TimeDelta;
use kernel::{Caller, Expected, Problem, TenantId, Tx};
use serde_json::json;

use crate::Vault;
use crate::announce::{self, announce};
use crate::blobs::Blobs;
use crate::documents::writing;
use crate::error::Error;
use crate::model::{CollectionId, Document, DocumentId};
use crate::store;

/// Documents and collections that one round of purging takes.
const BATCH: i64 = 100;

impl Vault {
    /// Deletes a document. It is gone for readers at once; until `purge_at` who may write it can restore it.
    ///
    /// # Errors
    /// 428 or 412 about the version, [`Error::DocumentDeleted`] when it is already, [`Error::NotWritable`], or the 404.
    pub async fn delete_document(
        &self,
        caller: &Caller,
        id: DocumentId,
        expected: Expected,
    ) -> Result<Document, Error> {
        let expected = writing(caller, expected)?;
        let grace = TimeDelta::days(self.config().deletion_grace_days.into());

        let outcome = self
            .db()
            .write_once(caller, "vault.delete_document", &id, async |tx| {
                let (row, keys) = self.writable_document(tx, caller, id, expected).await?;
                let mut document = row.open(tx.tenant(), &keys)?;
                if document.deleted_at.is_some() {
                    return Err(Error::DocumentDeleted);
                }
                document.deleted_at = Some(tx.now());
                document.purge_at = Some(tx.now() + grace);
                self.store_document(tx, row, &keys, &mut document).await?;
                announce::document(tx, caller, "vault.document_deleted", &document).await?;
                self.changed(tx);
                Ok(document)
            })
            .await;
        self.watched(caller, outcome).await
    }

    /// Takes the deletion of a document back.
    ///
    /// # Errors
    /// 428 or 412 about the version, [`Error::NotDeleted`] when there is nothing to restore, [`Error::NotWritable`], or
    /// the 404.
    pub async fn restore_document(
        &self,
        caller: &Caller,
        id: DocumentId,
        expected: Expected,
    ) -> Result<Document, Error> {
        let expected = writing(caller, expected)?;

        let outcome = self
            .db()
            .write_once(caller, "vault.restore_document", &id, async |tx| {
                let (row, keys) = self.writable_document(tx, caller, id, expected).await?;
                let mut document = row.open(tx.tenant(), &keys)?;
                if document.purge_at.is_none_or(|at| at <= tx.now()) {
                    return Err(Error::NotDeleted);
                }
                (document.deleted_at, document.purge_at) = (None, None);
                self.store_document(tx, row, &keys, &mut document).await?;
                announce::document(tx, caller, "vault.document_restored", &document).await?;
                self.changed(tx);
                Ok(document)
            })
            .await;
        self.watched(caller, outcome).await
    }

    /// Purges the documents of all tenants whose grace is over, and the deleted collections that hold nothing any
    /// more. Returns how many documents went; call it until that is 0.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) async fn purge_due(&self) -> Result<usize, Problem> {
        let everywhere = Caller::platform("vault.purge");
        let due = self.db().read(&everywhere, async |tx| store::documents::due(tx, BATCH).await).await?;
        for (tenant, id) in &due {
            self.purge_document(*tenant, *id).await?;
        }
        let emptied = self.db().read(&everywhere, async |tx| store::collections::emptied(tx, BATCH).await).await?;
        for (tenant, id) in emptied {
            self.purge_collection(tenant, id).await?;
        }
        Ok(due.len())
    }

    /// Deletes a document's rows and key, then its bytes. A crash between the two leaves bytes that nothing opens, for
    /// the next sweep.
    async fn purge_document(&self, tenant: TenantId, id: DocumentId) -> Result<(), Problem> {
        let caller = Caller::system("vault.purge", tenant);
        let versions = self
            .db()
            .write(&caller, async |tx: &Tx| {
                let Some(row) = store::documents::find_for_update(tx, id).await? else { return Ok(Vec::new()) };
                // Restored meanwhile.
                if row.purge_at.is_none_or(|at| at > tx.now()) {
                    return Ok(Vec::new());
                }
                let versions = store::versions::ids(tx, id).await?;
                store::purge::document(tx, id).await?;
                store::keys::delete(tx, id.uuid()).await?;
                let data = json!({
                    "document": id, "collection": row.collection_id, "version": row.current_id,
                    "name": null, "media_type": null, "size": row.size, "searchable": row.searchable,
                });
                announce(tx, &caller, "vault.document_purged", ("document", id.to_string()), &data).await?;
                Ok::<_, Problem>(versions)
            })
            .await?;
        for version in versions {
            self.blobs().remove(&Blobs::path(tenant, version)).await?;
        }
        Ok(())
    }

    async fn purge_collection(&self, tenant: TenantId, id: CollectionId) -> Result<(), Problem> {
        let caller = Caller::system("vault.purge", tenant);
        self.db()
            .write(&caller, async |tx: &Tx| {
                store::collections::delete(tx, id).await?;
                store::keys::delete(tx, id.uuid()).await
            })
            .await
    }
}
