//! What rows keep to themselves: sealed in every collection, beside the few columns that lists need.

use kernel::{Problem, Random, TenantId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::keyring::{Keyring, tampered};
use crate::keys::{Key, Place};
use crate::model::{Collection, Document, DocumentVersion, Record, VersionId};
use crate::store::collections::CollectionRow;
use crate::store::documents::{Clear, DocumentRow};
use crate::store::records::RecordRow;
use crate::store::versions::VersionRow;

/// What a collection's row keeps to itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CollectionWords {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) schema: Option<serde_json::Value>,
    pub(crate) model: Option<String>,
}

/// What a document's row keeps to itself. Size and version are here too, so that a row that was changed to show an
/// older version, or another size, is noticed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DocumentWords {
    pub(crate) name: String,
    pub(crate) media_type: String,
    pub(crate) size: i64,
    pub(crate) sha256: String,
    pub(crate) version_id: VersionId,
    pub(crate) number: i64,
}

/// What a version's row keeps to itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct VersionWords {
    pub(crate) media_type: String,
    pub(crate) size: i64,
    pub(crate) sha256: String,
    pub(crate) number: i64,
}

/// Seals words for a place.
///
/// # Errors
/// None in practice: everything here has a JSON form.
pub(crate) fn seal<T: Serialize>(key: &Key, random: &Random, place: &Place<'_>, words: &T) -> Result<Vec<u8>, Problem> {
    let plain = Zeroizing::new(serde_json::to_vec(words).map_err(Problem::internal)?);
    Ok(key.seal_row(random, place, &plain))
}

fn open<T: DeserializeOwned>(key: &Key, place: &Place<'_>, sealed: &[u8]) -> Option<T> {
    let plain = key.open_row(place, sealed).ok()?;
    serde_json::from_slice(&plain).ok()
}

impl CollectionRow {
    pub(crate) fn place(&self, tenant: TenantId) -> Place<'static> {
        Place { tenant, kind: "collection", id: self.id.uuid(), within: tenant.uuid() }
    }

    /// The collection that this row is.
    pub(crate) fn open(&self, tenant: TenantId, keys: &Keyring) -> Result<Collection, Error> {
        let key = keys.collection(self.id, self.key_version)?;
        let words: Option<CollectionWords> = open(&key, &self.place(tenant), &self.sealed);
        let words = words.ok_or_else(|| tampered("collection", self.id))?;
        Ok(Collection {
            id: self.id,
            name: words.name,
            description: words.description,
            searchable: self.searchable,
            schema: words.schema,
            model: words.model,
            owner_id: self.owner_id,
            created_at: self.created_at,
            updated_at: self.updated_at,
            version: self.version,
        })
    }
}

impl DocumentRow {
    pub(crate) fn place(&self, tenant: TenantId) -> Place<'static> {
        Place { tenant, kind: "document", id: self.id.uuid(), within: self.collection_id.uuid() }
    }

    /// The document that this row is.
    pub(crate) fn open(&self, tenant: TenantId, keys: &Keyring) -> Result<Document, Error> {
        let key = keys.document(self.collection_id, self.id, self.key_version)?;
        let words: Option<DocumentWords> = open(&key, &self.place(tenant), &self.sealed);
        let words = words.filter(|words| words.size == self.size && words.version_id == self.current_id);
        let words = words.ok_or_else(|| tampered("document", self.id))?;
        Ok(Document {
            id: self.id,
            collection_id: self.collection_id,
            name: words.name,
            media_type: words.media_type,
            size: words.size,
            sha256: words.sha256,
            version_id: words.version_id,
            version_number: words.number,
            searchable: self.searchable,
            owner_id: self.owner_id,
            created_at: self.created_at,
            updated_at: self.updated_at,
            deleted_at: self.deleted_at,
            purge_at: self.purge_at,
            version: self.version,
        })
    }
}

impl VersionRow {
    pub(crate) fn place(&self, tenant: TenantId) -> Place<'static> {
        Place { tenant, kind: "version", id: self.id.uuid(), within: self.document_id.uuid() }
    }

    /// The version that this row is, by its document's key.
    pub(crate) fn open(&self, tenant: TenantId, key: &Key) -> Result<DocumentVersion, Error> {
        let words: Option<VersionWords> = open(key, &self.place(tenant), &self.sealed);
        let words = words.filter(|words| words.size == self.size && words.number == self.number);
        let words = words.ok_or_else(|| tampered("version", self.id))?;
        Ok(DocumentVersion {
            id: self.id,
            document_id: self.document_id,
            number: words.number,
            media_type: words.media_type,
            size: words.size,
            sha256: words.sha256,
            created_by: self.created_by,
            created_at: self.created_at,
        })
    }
}

impl RecordRow {
    pub(crate) fn place(&self, tenant: TenantId) -> Place<'static> {
        Place { tenant, kind: "record", id: self.id.uuid(), within: self.collection_id.uuid() }
    }

    /// The record that this row is.
    pub(crate) fn open(&self, tenant: TenantId, keys: &Keyring) -> Result<Record, Error> {
        let key = keys.collection(self.collection_id, self.key_version)?;
        let data: Option<serde_json::Value> = open(&key, &self.place(tenant), &self.sealed);
        Ok(Record {
            id: self.id,
            collection_id: self.collection_id,
            data: data.ok_or_else(|| tampered("record", self.id))?,
            owner_id: self.owner_id,
            created_at: self.created_at,
            updated_at: self.updated_at,
            version: self.version,
        })
    }
}

impl Document {
    /// Its words, to be sealed.
    pub(crate) fn words(&self) -> DocumentWords {
        DocumentWords {
            name: self.name.clone(),
            media_type: self.media_type.clone(),
            size: self.size,
            sha256: self.sha256.clone(),
            version_id: self.version_id,
            number: self.version_number,
        }
    }

    /// What of it may stand in the clear.
    pub(crate) fn clear(&self) -> Clear<'_> {
        if self.searchable {
            Clear { name: Some(&self.name), media_type: Some(&self.media_type) }
        } else {
            Clear::default()
        }
    }
}

impl Collection {
    /// Its words, to be sealed.
    pub(crate) fn words(&self) -> CollectionWords {
        CollectionWords {
            name: self.name.clone(),
            description: self.description.clone(),
            schema: self.schema.clone(),
            model: self.model.clone(),
        }
    }

    /// Its name, if it may stand in the clear.
    pub(crate) fn clear(&self) -> Option<&str> {
        self.searchable.then_some(self.name.as_str())
    }
}
