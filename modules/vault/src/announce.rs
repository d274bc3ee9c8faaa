//! Every change stands in the audit trail and in the event log, under one name, in its own transaction; every read in
//! the audit trail. Neither tells names or content of a collection that is not searchable.

use audit::Entry;
use kernel::{AccountId, Caller, Problem, Tx};
use serde::Serialize;
use serde_json::{Value, json};

use crate::Vault;
use crate::error::Error;
use crate::model::{Collection, CollectionId, Document, DocumentId, VersionId};

/// What was changed or read: the kind of object, and its id.
pub(crate) type Target = (&'static str, String);

/// A document, as events tell of it.
#[derive(Debug, Serialize)]
struct DocumentEvent<'a> {
    document: DocumentId,
    collection: CollectionId,
    version: VersionId,
    /// None if the collection is not searchable; so is the media type.
    name: Option<&'a str>,
    media_type: Option<&'a str>,
    size: i64,
    searchable: bool,
    owner: Option<AccountId>,
}

/// A collection, as events tell of it.
#[derive(Debug, Serialize)]
struct CollectionEvent<'a> {
    collection: CollectionId,
    name: Option<&'a str>,
    searchable: bool,
    /// Which embedding model its documents want; told for searchable collections.
    model: Option<&'a str>,
    owner: Option<AccountId>,
}

/// Records that `action` happened to `target`, which now looks like `data`. Events are keyed by the target's id.
pub(crate) async fn announce<T: Serialize>(
    tx: &Tx,
    caller: &Caller,
    action: &'static str,
    target: Target,
    data: &T,
) -> Result<(), Problem> {
    let data = serde_json::to_value(data).map_err(Problem::internal)?;
    let (kind, id) = target;
    events::publish(tx, action, &id, data.clone()).await?;
    audit::append(tx, caller, Entry::success(action).target(kind, id).details(data)).await
}

/// The same about a document.
pub(crate) async fn document(
    tx: &Tx,
    caller: &Caller,
    action: &'static str,
    document: &Document,
) -> Result<(), Problem> {
    let clear = document.clear();
    let data = DocumentEvent {
        document: document.id,
        collection: document.collection_id,
        version: document.version_id,
        name: clear.name,
        media_type: clear.media_type,
        size: document.size,
        searchable: document.searchable,
        owner: document.owner_id,
    };
    announce(tx, caller, action, ("document", document.id.to_string()), &data).await
}

/// The same about a collection.
pub(crate) async fn collection(
    tx: &Tx,
    caller: &Caller,
    action: &'static str,
    collection: &Collection,
) -> Result<(), Problem> {
    let data = CollectionEvent {
        collection: collection.id,
        name: collection.clear(),
        searchable: collection.searchable,
        model: collection.model.as_deref().filter(|_| collection.searchable),
        owner: collection.owner_id,
    };
    announce(tx, caller, action, ("collection", collection.id.to_string()), &data).await
}

impl Vault {
    /// Puts on record that something was read, for what purpose.
    pub(crate) async fn note_read(
        &self,
        caller: &Caller,
        action: &'static str,
        target: Target,
        details: Value,
    ) -> Result<(), Problem> {
        let (kind, id) = target;
        audit::record(self.db(), caller, Entry::success(action).target(kind, id).details(details)).await
    }

    /// The same about a page of a list, with the ids of what was on it.
    pub(crate) async fn note_list<T: ToString>(
        &self,
        caller: &Caller,
        action: &'static str,
        kind: &'static str,
        ids: impl Iterator<Item = T>,
    ) -> Result<(), Problem> {
        let ids: Vec<String> = ids.map(|id| id.to_string()).collect();
        let details = json!({ "purpose": "list", "count": ids.len(), "ids": ids });
        self.note_read(caller, action, (kind, "list".to_owned()), details).await
    }

    /// Puts on record, and tells by an event, when an outcome is that something stored was changed outside Holdfast.
    pub(crate) async fn watched<T>(&self, caller: &Caller, outcome: Result<T, Error>) -> Result<T, Error> {
        if let Err(Error::Tampered { kind, id }) = &outcome {
            tracing::error!(tenant = %caller.tenant, kind, id, "stored data does not open");
            self.report_tampering(caller, kind, id).await?;
        }
        outcome
    }

    async fn report_tampering(&self, caller: &Caller, kind: &'static str, id: &str) -> Result<(), Problem> {
        const ACTION: &str = "vault.tampering_detected";
        // The reader may be out of time, or of another reach; that it was seen must be kept all the same.
        let scope = Caller::system("vault", caller.tenant);
        let data = json!({ "kind": kind, "id": id });
        self.db()
            .write(&scope, async |tx| {
                events::publish(tx, ACTION, id, data.clone()).await?;
                audit::append(tx, caller, Entry::failure(ACTION).target(kind, id).details(data.clone())).await
            })
            .await
    }
}
