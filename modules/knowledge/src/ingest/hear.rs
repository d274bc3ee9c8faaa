//! What the vault says, and what follows from it here.

use async_trait::async_trait;
use events::{Event, Subscriber};
use jobs::NewJob;
use kernel::{Problem, Tx};
use serde_json::json;
use vault::{CollectionId, DocumentId};

use super::{CHANGE_BELL, Heard, PROGRESS_BELL, job};
use crate::store::{self, documents, passages, terms};

/// Hears of the vault's documents.
pub(crate) struct Listener {
    pub(crate) default_model: String,
}

#[async_trait]
impl Subscriber for Listener {
    fn name(&self) -> &'static str {
        "knowledge.ingest"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &[
            "vault.document_created",
            "vault.document_restored",
            "vault.version_created",
            "vault.document_updated",
            "vault.document_deleted",
            "vault.document_purged",
            "vault.collection_updated",
            "vault.collection_deleted",
            "tenancy.tenant_purged",
        ]
    }

    async fn handle(&self, tx: &Tx, event: &Event) -> Result<(), Problem> {
        match event.kind.as_str() {
            "vault.document_created" | "vault.document_restored" | "vault.version_created" => match read(event) {
                Some(heard) => self.queue(tx, &heard).await,
                None => Ok(()),
            },
            "vault.document_updated" => match read(event) {
                Some(heard) => {
                    tx.ring_on_commit(PROGRESS_BELL);
                    documents::rename(tx, heard.document, &heard.name).await
                }
                None => Ok(()),
            },
            "vault.document_deleted" | "vault.document_purged" => match named::<DocumentId>(event, "document") {
                Some(document) => forget(tx, document).await,
                None => Ok(()),
            },
            "vault.collection_deleted" => match named::<CollectionId>(event, "collection") {
                Some(collection) => forget_collection(tx, collection).await,
                None => Ok(()),
            },
            "tenancy.tenant_purged" => {
                // Each process's keeper misses the tenant then, and removes its indexes.
                tx.ring_on_commit(CHANGE_BELL);
                store::forget(tx).await
            }
            _ => collection_updated(tx, event).await,
        }
    }
}

impl Listener {
    /// Promises to read a version. Its job replaces one for an older version that has not begun.
    async fn queue(&self, tx: &Tx, heard: &Heard) -> Result<(), Problem> {
        let model = heard.model.as_deref().filter(|model| !model.is_empty()).unwrap_or(&self.default_model);
        documents::queue(tx, heard, model).await?;
        tx.ring_on_commit(PROGRESS_BELL);
        promise(tx, heard).await
    }
}

/// A collection that is searched no more takes its documents out.
async fn collection_updated(tx: &Tx, event: &Event) -> Result<(), Problem> {
    let searchable = event.data["searchable"].as_bool().unwrap_or(true);
    match named::<CollectionId>(event, "collection") {
        Some(collection) if !searchable => forget_collection(tx, collection).await,
        _ => Ok(()),
    }
}

/// Has a version read by a job.
pub(crate) async fn promise(tx: &Tx, heard: &Heard) -> Result<(), Problem> {
    let payload = json!({ "document": heard.document, "version": heard.version });
    let unique = format!("knowledge {} {}", heard.document, heard.version);
    jobs::enqueue(tx, NewJob::new(job::KIND, payload).unique(unique).attempts(job::ATTEMPTS)).await.map(|_| ())
}

/// What the event says of a document that is searched; what is not searched is none of our business.
fn read(event: &Event) -> Option<Heard> {
    if event.data["searchable"] != true {
        return None;
    }
    let heard = serde_json::from_value(event.data.clone());
    if let Err(error) = &heard {
        tracing::error!(event = %event.id, kind = event.kind, %error, "the vault's event can't be understood");
    }
    heard.ok()
}

fn named<T: std::str::FromStr>(event: &Event, field: &str) -> Option<T> {
    let text = event.data[field].as_str().unwrap_or(&event.key);
    text.parse().ok()
}

async fn forget_collection(tx: &Tx, collection: CollectionId) -> Result<(), Problem> {
    for document in documents::of_collection(tx, collection).await? {
        forget(tx, document).await?;
    }
    Ok(())
}

/// Takes all that was derived from a document away with it.
async fn forget(tx: &Tx, document: DocumentId) -> Result<(), Problem> {
    if documents::bury(tx, document).await? {
        passages::drop_all(tx, document).await?;
        terms::drop_all(tx, document.uuid()).await?;
        tx.ring_on_commit(CHANGE_BELL);
        tx.ring_on_commit(PROGRESS_BELL);
    }
    Ok(())
}
