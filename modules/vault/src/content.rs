//! A version's bytes on their way out: opened segment by segment, from any place on, with the right to read asked again
//! as they flow.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream;
use kernel::{Caller, Problem, Tx, Vigil};
use object_store::path::Path;
use serde_json::json;

use crate::Vault;
use crate::blobs::Blobs;
use crate::error::Error;
use crate::format::{Cipher, HEADER, SEGMENT, TAG, Whose, sealed_size, segments};
use crate::keyring::tampered;
use crate::keys::Key;
use crate::model::{CollectionId, Document, DocumentId, DocumentVersion, VersionId};
use crate::permissions::READ;
use crate::store;

/// Segments that are read at once.
const BATCH: u64 = 8;
/// After this many bytes the right to read is asked again, even if nothing is known to have changed.
const ASK_EVERY: usize = 4 * 1024 * 1024;
/// How long that may take.
const ASK_TIME: Duration = Duration::from_secs(10);

/// A version that the caller may read; nothing of it is read yet.
pub struct Content {
    /// Its document.
    pub document: Document,
    /// The version.
    pub version: DocumentVersion,
    vault: Vault,
    caller: Caller,
    key: Key,
}

/// Bytes under way. It stops when the right to read, or what the caller came by, ends.
pub struct Reading {
    vault: Vault,
    caller: Caller,
    document: DocumentId,
    version: VersionId,
    path: Path,
    cipher: Cipher,
    size: u64,
    range: Range<u64>,
    next: u64,
    ready: VecDeque<Bytes>,
    unasked: usize,
    epoch: u64,
    vigil: Vigil,
}

/// A version's bytes for the process's own work.
pub struct Source {
    /// The document's name.
    pub name: String,
    /// What the bytes are.
    pub media_type: String,
    /// How many.
    pub size: u64,
    /// Where the document belongs.
    pub collection: CollectionId,
    reading: Reading,
}

impl Vault {
    /// A document's newest version, or the one that is named, ready to be read.
    ///
    /// # Errors
    /// The 404, also for a deleted document, or the caller lacks [`READ`].
    pub async fn content(&self, caller: &Caller, id: DocumentId, version: Option<VersionId>) -> Result<Content, Error> {
        caller.require(READ)?;
        let find = async |tx: &Tx| {
            let viewer = self.viewer(tx, caller).await?;
            let row = store::documents::find(tx, id).await?.filter(|row| row.deleted_at.is_none());
            let row = row.ok_or_else(Problem::not_found)?;
            self.rights_on_document(tx, &viewer, &row).await?.readable()?;
            let keys = self.document_keys(tx, &row).await?;
            let document = row.open(tx.tenant(), &keys)?;
            let found = store::versions::find(tx, id, version.unwrap_or(document.version_id)).await?;
            let found = match (found, version) {
                (Some(found), _) => found,
                (None, Some(_)) => return Err(Problem::not_found().into()),
                (None, None) => return Err(tampered("version", document.version_id)),
            };
            let key = keys.document(row.collection_id, id, found.key_version)?;
            let version = found.open(tx.tenant(), &key)?;
            Ok((document, version, key))
        };
        let (document, version, key) = self.watched(caller, self.db().read(caller, find).await).await?;
        Ok(Content { document, version, vault: self.clone(), caller: caller.clone(), key })
    }

    /// The bytes of a version for the process's own work, such as indexing; on record with its purpose.
    ///
    /// # Errors
    /// The 404, also for a deleted document; 500 `vault.tampered` when the bytes don't open.
    pub async fn source(
        &self,
        caller: &Caller,
        document: DocumentId,
        version: VersionId,
        purpose: &'static str,
    ) -> Result<Source, Problem> {
        let content = self.content(caller, document, Some(version)).await?;
        let (name, media_type) = (content.document.name.clone(), content.version.media_type.clone());
        let (size, collection) = (content.size(), content.document.collection_id);
        let reading = content.read(0..size, purpose).await?;
        Ok(Source { name, media_type, size, collection, reading })
    }
}

impl Content {
    /// How many bytes it has.
    pub fn size(&self) -> u64 {
        u64::try_from(self.version.size).unwrap_or(0)
    }

    /// Begins to read these bytes, which must lie within the version, and puts it on record. The first of them are open
    /// when it returns, so that what was tampered with is noticed before an answer begins.
    ///
    /// # Errors
    /// [`Error::Tampered`], [`Error::StoreAway`], or what the database says.
    pub async fn read(self, range: Range<u64>, purpose: &'static str) -> Result<Reading, Error> {
        let vault = self.vault.clone();
        let details = json!({
            "purpose": purpose, "version": self.version.id, "from": range.start, "to": range.end,
        });
        let target = ("document", self.document.id.to_string());
        vault.note_read(&self.caller, "vault.document_downloaded", target, details).await?;
        let caller = self.caller.clone();
        vault.watched(&caller, self.begin(range).await).await
    }

    async fn begin(self, range: Range<u64>) -> Result<Reading, Error> {
        let epoch = self.vault.epoch();
        let size = self.size();
        let path = Blobs::path(self.caller.tenant, self.version.id);
        let broken = || tampered("version", self.version.id);
        if self.vault.blobs().size(&path).await? != Some(sealed_size(size)) {
            return Err(broken());
        }
        let header = self.vault.blobs().read(&path, 0..HEADER as u64).await?.ok_or_else(broken)?;
        let document = self.document.id;
        let whose = Whose { tenant: self.caller.tenant, document: document.uuid(), version: self.version.id.uuid() };
        let cipher = Cipher::open(&self.key, &header, whose).map_err(|_| broken())?;
        let next = range.start / SEGMENT as u64;
        let vigil = Vigil::over(&self.caller);
        let mut reading = Reading {
            vault: self.vault,
            caller: self.caller,
            document,
            version: self.version.id,
            path,
            cipher,
            size,
            range,
            next,
            ready: VecDeque::new(),
            unasked: 0,
            epoch,
            vigil,
        };
        reading.fill().await?;
        Ok(reading)
    }
}

impl Reading {
    /// The next bytes, some 64 KiB at once; `None` at the end.
    ///
    /// # Errors
    /// The 404 once the caller may no longer read the document; 401 or 403 once their credential has ended or their
    /// tenant is not in use; [`Error::Tampered`]; [`Error::StoreAway`].
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        self.ask_again().await?;
        if self.ready.is_empty() {
            let filled = self.fill().await;
            self.vault.watched(&self.caller, filled).await?;
        }
        let bytes = self.ready.pop_front();
        self.unasked += bytes.as_ref().map_or(0, Bytes::len);
        Ok(bytes)
    }

    /// The same as a stream.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, Error>> + Send + 'static {
        stream::try_unfold(self, async |mut reading: Self| {
            let bytes = reading.next().await?;
            Ok(bytes.map(|bytes| (bytes, reading)))
        })
    }

    /// Asks whether the caller may still read: when grants, roles or credentials have changed, and every few MiB and
    /// every second anyway, since another process may have changed them.
    async fn ask_again(&mut self) -> Result<(), Error> {
        let epoch = self.vault.epoch();
        if epoch == self.epoch && self.unasked < ASK_EVERY && !self.vigil.is_due() {
            return Ok(());
        }
        self.caller = self.vigil.look().await?.clone();
        self.caller.request.deadline = Instant::now() + ASK_TIME;
        if !self.vault.still_reads(&self.caller, self.document).await? {
            return Err(Problem::not_found().into());
        }
        (self.epoch, self.unasked) = (epoch, 0);
        Ok(())
    }

    /// Reads and opens the next few segments that the range touches.
    async fn fill(&mut self) -> Result<(), Error> {
        let (step, whole) = (SEGMENT as u64, (SEGMENT + TAG) as u64);
        let count = segments(self.size);
        let last = self.range.end.saturating_sub(1) / step;
        if self.next > last || (self.range.is_empty() && self.size > 0) {
            return Ok(());
        }
        let end = (self.next + BATCH).min(last + 1);
        let at = |number: u64| (HEADER as u64 + number * whole).min(sealed_size(self.size));
        let broken = || tampered("version", self.version);
        let sealed = self.vault.blobs().read(&self.path, at(self.next)..at(end)).await?.ok_or_else(broken)?;
        for (number, segment) in (self.next..end).zip(sealed.chunks(SEGMENT + TAG)) {
            let mut segment = segment.to_vec();
            self.cipher.unseal(number, number + 1 == count, &mut segment).map_err(|_| broken())?;
            let begin = number * step;
            let within = |place: u64| usize::try_from(place.saturating_sub(begin)).unwrap_or(usize::MAX);
            let from = within(self.range.start).min(segment.len());
            let to = within(self.range.end).min(segment.len());
            if from < to {
                self.ready.push_back(Bytes::from(segment).slice(from..to));
            }
        }
        self.next = end;
        Ok(())
    }
}

impl Source {
    /// The next bytes, some 64 KiB at once; `None` at the end.
    ///
    /// # Errors
    /// The 404 once the document is deleted; 500 `vault.tampered`; 503 when the store does not answer.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Problem> {
        Ok(self.reading.next().await?)
    }
}
