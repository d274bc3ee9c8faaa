//! Taking in a document: streamed, sealed segment by segment, on the disk before its row is.

use std::time::{Duration, Instant};

use aws_lc_rs::digest::{Context, SHA256};
use kernel::{Caller, Expected, Problem, Tx};
use object_store::path::Path;

use crate::Vault;
use crate::announce;
use crate::blobs::Blobs;
use crate::error::Error;
use crate::format::{Cipher, SEGMENT, TAG, Whose};
use crate::incoming::{Incoming, Part};
use crate::keyring::Keyring;
use crate::keys::{FIRST, Key, Wrapped};
use crate::model::{CollectionId, Document, DocumentId, DocumentVersion, VersionId};
use crate::permissions::{READ, WRITE};
use crate::sealed::{VersionWords, seal};
use crate::store;
use crate::store::documents::DocumentRow;
use crate::store::versions::VersionRow;

/// How long the last step may take, once all bytes have come: the client's own deadline may be over by then.
const COMMIT_TIME: Duration = Duration::from_secs(30);

/// Bytes in the store that no row names yet. Dropped, they go.
struct Draft {
    vault: Vault,
    path: Path,
    id: VersionId,
    size: i64,
    sha256: String,
    kept: bool,
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.kept {
            self.vault.doom(self.path.clone());
        }
    }
}

impl Vault {
    /// Makes a document out of what a client sends, in a collection that the caller may write to. The caller's deadline
    /// bounds the checks before the body and not the body itself, whose pace is the edge's to judge.
    ///
    /// # Errors
    /// [`Error::CollectionUnknown`], [`Error::NotWritable`], the 404 for a collection that the caller can't see;
    /// [`Error::TooLarge`], [`Error::UploadBroken`], [`Error::DigestMismatch`] and what else is wrong with the body;
    /// [`Error::Busy`]; or the caller lacks [`WRITE`].
    pub async fn upload_document(
        &self,
        caller: &Caller,
        collection: Option<CollectionId>,
        incoming: Incoming,
    ) -> Result<Document, Error> {
        caller.require(WRITE)?;
        let collection = collection.ok_or(Error::CollectionUnknown)?;
        let _permit = self.0.uploads.try_acquire().map_err(|_| Error::Busy)?;
        let begin = async |tx: &Tx| {
            let viewer = self.viewer(tx, caller).await?;
            let row = store::collections::find(tx, collection).await?.ok_or_else(Problem::not_found)?;
            self.rights_on_collection(tx, &viewer, &row).await?.writable()?;
            Keyring::load(tx, self.db().keys(), [collection.uuid()]).await?.collection(collection, row.key_version)
        };
        let parent = self.watched(caller, self.db().read(caller, begin).await).await?;

        let (random, now) = (self.db().random(), self.db().clock().now());
        let id: DocumentId = random.id(now);
        let (key, wrapped) = parent.child(random, caller.tenant, collection.uuid(), id.uuid());
        let mut part = incoming.open().await?;
        let mut draft = self.receive(caller, &key, id, &mut part).await?;
        let new = NewDocument { id, collection, name: part.name, media_type: part.media_type, wrapped };
        self.commit_document(caller, &new, &key, &mut draft).await
    }

    async fn commit_document(
        &self,
        caller: &Caller,
        new: &NewDocument,
        key: &Key,
        draft: &mut Draft,
    ) -> Result<Document, Error> {
        let caller = &with_time(caller);
        let input = (new.collection, &new.name, &new.media_type, draft.size, &draft.sha256);
        let made: &Draft = draft;
        let outcome = self
            .db()
            .write_once(caller, "vault.upload_document", &input, async |tx| {
                let asks = self.refreshed(tx, caller).await?;
                asks.require(WRITE)?;
                let viewer = self.viewer(tx, &asks).await?;
                let row = store::collections::find_for_update(tx, new.collection).await?;
                let row = row.ok_or_else(Problem::not_found)?;
                self.rights_on_collection(tx, &viewer, &row).await?.writable()?;
                let document = new.document(tx, caller, row.searchable, made);
                store::keys::insert(tx, &new.wrapped).await?;
                let mut kept = DocumentRow {
                    id: document.id,
                    collection_id: document.collection_id,
                    owner_id: document.owner_id,
                    collection_owner_id: row.owner_id,
                    searchable: row.searchable,
                    size: document.size,
                    current_id: document.version_id,
                    key_version: key.version,
                    sealed: Vec::new(),
                    deleted_at: None,
                    purge_at: None,
                    created_at: document.created_at,
                    updated_at: document.updated_at,
                    version: document.version,
                };
                kept.sealed = seal(key, tx.random(), &kept.place(tx.tenant()), &document.words())?;
                store::documents::insert(tx, &kept, document.clear()).await?;
                insert_version(tx, caller, key, &document).await?;
                announce::document(tx, caller, "vault.document_created", &document).await?;
                Ok(document)
            })
            .await;
        let document: Document = self.watched(caller, outcome).await?;
        // A repetition shows the first document, and these bytes go.
        draft.kept = document.version_id == draft.id;
        Ok(document)
    }

    /// Makes a new version of a document. The old ones stay; readers get the new one from the commit on.
    ///
    /// # Errors
    /// 412 about the version, if one was named; [`Error::DocumentDeleted`], [`Error::NotWritable`], the 404, and those
    /// of [`Self::upload_document`] about the body.
    pub async fn upload_document_version(
        &self,
        caller: &Caller,
        id: DocumentId,
        expected: Expected,
        incoming: Incoming,
    ) -> Result<DocumentVersion, Error> {
        caller.require(READ)?;
        caller.require(WRITE)?;
        let _permit = self.0.uploads.try_acquire().map_err(|_| Error::Busy)?;
        let begin = async |tx: &Tx| {
            let viewer = self.viewer(tx, caller).await?;
            let row = store::documents::find(tx, id).await?.ok_or_else(Problem::not_found)?;
            self.rights_on_document(tx, &viewer, &row).await?.writable()?;
            expected.check(row.version)?;
            let keys = self.document_keys(tx, &row).await?;
            let document = row.open(tx.tenant(), &keys)?;
            Ok((document, keys.document(row.collection_id, id, row.key_version)?))
        };
        let (document, key) = self.watched(caller, self.db().read(caller, begin).await).await?;
        if document.deleted_at.is_some() {
            return Err(Error::DocumentDeleted);
        }
        let incoming = Incoming { name: Some(document.name.clone()), ..incoming };
        let mut part = incoming.open().await?;
        let mut draft = self.receive(caller, &key, id, &mut part).await?;
        self.commit_version(caller, (id, expected), &part.media_type, &key, &mut draft).await
    }

    async fn commit_version(
        &self,
        caller: &Caller,
        (id, expected): (DocumentId, Expected),
        media_type: &str,
        key: &Key,
        draft: &mut Draft,
    ) -> Result<DocumentVersion, Error> {
        let caller = &with_time(caller);
        let input = (id, media_type, draft.size, &draft.sha256);
        let made: &Draft = draft;
        let outcome = self
            .db()
            .write_once(caller, "vault.upload_document_version", &input, async |tx| {
                let asks = self.refreshed(tx, caller).await?;
                asks.require(WRITE)?;
                let (row, keys) = self.writable_document(tx, &asks, id, expected).await?;
                let mut document = row.open(tx.tenant(), &keys)?;
                if document.deleted_at.is_some() {
                    return Err(Error::DocumentDeleted);
                }
                media_type.clone_into(&mut document.media_type);
                document.size = made.size;
                document.sha256.clone_from(&made.sha256);
                document.version_id = made.id;
                document.version_number += 1;
                self.store_document(tx, row, &keys, &mut document).await?;
                let version = insert_version(tx, caller, key, &document).await?;
                announce::document(tx, caller, "vault.version_created", &document).await?;
                Ok(version)
            })
            .await;
        let version: DocumentVersion = self.watched(caller, outcome).await?;
        draft.kept = version.id == draft.id;
        Ok(version)
    }

    /// Seals a body into the store. When it returns, all of it is on the disk under its name.
    async fn receive(&self, caller: &Caller, key: &Key, document: DocumentId, part: &mut Part) -> Result<Draft, Error> {
        let id: VersionId = self.db().random().id(self.db().clock().now());
        let path = Blobs::path(caller.tenant, id);
        let whose = Whose { tenant: caller.tenant, document: document.uuid(), version: id.uuid() };
        let (header, cipher) = Cipher::begin(key, self.db().random(), whose);
        let mut writer = self.blobs().write(&path).await?;
        writer.push(&header).await?;
        let (cap, mut size, mut digest) = (self.max_document_bytes(), 0u64, Context::new(&SHA256));
        let (mut number, mut segment) = (0, Vec::with_capacity(SEGMENT + TAG));
        while let Some(bytes) = part.next().await? {
            size += bytes.len() as u64;
            if size > cap {
                return Err(Error::TooLarge(cap));
            }
            digest.update(&bytes);
            let mut rest = bytes.as_ref();
            while !rest.is_empty() {
                if segment.len() == SEGMENT {
                    // More follows, so this one is not the last.
                    cipher.seal(number, false, &mut segment);
                    writer.push(&segment).await?;
                    segment.clear();
                    number += 1;
                }
                let (now, later) = rest.split_at(rest.len().min(SEGMENT - segment.len()));
                segment.extend_from_slice(now);
                rest = later;
            }
        }
        cipher.seal(number, true, &mut segment);
        writer.push(&segment).await?;
        writer.finish().await?;
        let sha256 = hex::encode(digest.finish());
        let size = i64::try_from(size).map_err(Problem::internal)?;
        Ok(Draft { vault: self.clone(), path, id, size, sha256, kept: false })
    }
}

/// A document that has arrived and is not yet on record.
struct NewDocument {
    id: DocumentId,
    collection: CollectionId,
    name: String,
    media_type: String,
    wrapped: Wrapped,
}

impl NewDocument {
    fn document(&self, tx: &Tx, caller: &Caller, searchable: bool, draft: &Draft) -> Document {
        let now = tx.now();
        Document {
            id: self.id,
            collection_id: self.collection,
            name: self.name.clone(),
            media_type: self.media_type.clone(),
            size: draft.size,
            sha256: draft.sha256.clone(),
            version_id: draft.id,
            version_number: 1,
            searchable,
            owner_id: caller.actor.account(),
            created_at: now,
            updated_at: now,
            deleted_at: None,
            purge_at: None,
            version: 1,
        }
    }
}

/// Puts a document's newest version on record.
async fn insert_version(tx: &Tx, caller: &Caller, key: &Key, document: &Document) -> Result<DocumentVersion, Error> {
    let words = VersionWords {
        media_type: document.media_type.clone(),
        size: document.size,
        sha256: document.sha256.clone(),
        number: document.version_number,
    };
    let mut row = VersionRow {
        id: document.version_id,
        document_id: document.id,
        number: document.version_number,
        size: document.size,
        key_version: FIRST,
        sealed: Vec::new(),
        created_by: caller.actor.account(),
        created_at: tx.now(),
    };
    row.sealed = seal(key, tx.random(), &row.place(tx.tenant()), &words)?;
    store::versions::insert(tx, &row).await?;
    row.open(tx.tenant(), key)
}

fn with_time(caller: &Caller) -> Caller {
    let mut caller = caller.clone();
    caller.request.deadline = Instant::now() + COMMIT_TIME;
    caller
}
