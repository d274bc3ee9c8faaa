//! The vault: private documents and records, sealed at rest, shared by grants.
//!
//! Start at [`Vault`]. Owns the tables `vault_*` and the folder `vault/` of the data folder; stands on `kernel`, `audit`,
//! `events`, `jobs` and `tenancy` (for the role that an account holds).
//!
//! # What other modules use
//! [`Vault::reach`] tells what a caller may read right now, [`Vault::document`] shows one document to a caller,
//! [`Vault::source`] gives a version's bytes to the process's own work, and [`Vault::on_change`] rings after every change
//! of grants, so that what streams can ask again.
//!
//! # What it publishes
//! Keyed by the document's id: `vault.document_created`, `_updated`, `_deleted`, `_restored`, `_purged` and
//! `vault.version_created`, with `document`, `collection`, `version`, `name`, `media_type`, `size`, `searchable`, `owner`.
//! Keyed by the collection's id: `vault.collection_created`, `_updated`, `_deleted`. Keyed by their own:
//! `vault.grant_created`, `_deleted` (the grant), `vault.record_created`, `_updated`, `_deleted` (ids only) and
//! `vault.tampering_detected`. Names and media types are null where the collection is not searchable: there, nothing of
//! documents, records or names is ever on the disk in the clear, in whatever table or file. The audit trail uses the same
//! names, and has an entry for every read, with its purpose.
//!
//! # At rest
//! See `docs/vault.md`: the chain of keys (`keys`), the format of bytes (`format`) and what rows seal (`sealed`).
//!
//! Deliberately absent: search and text extraction, which are knowledge's.

mod announce;
mod blobs;
mod collections;
mod config;
mod content;
mod documents;
mod error;
mod format;
mod grants;
pub mod graphql; // faces, for the composition root only
mod incoming;
mod keyring;
mod keys;
mod lifecycle;
mod listing;
mod model;
mod permissions;
mod policy;
mod records;
pub mod rest;
mod schema;
mod sealed;
mod store;
#[cfg(test)]
mod tests;
mod tidy;
mod upload;
mod versions;
mod words;

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use kernel::{Db, TenantId, Tx};
use tenancy::Tenancy;
use tokio::sync::Semaphore;

use crate::blobs::Blobs;
use crate::tidy::Doomed;

pub use config::VaultConfig;
pub use content::{Content, Reading, Source};
pub use error::Error;
pub use incoming::Incoming;
pub use model::{
    Access, Collection, CollectionId, CollectionKind, Document, DocumentId, DocumentKind, DocumentVersion, Grant,
    GrantId, GrantKind, NewCollection, NewGrant, NewRecord, Record, RecordId, RecordKind, SubjectKind,
    UpdateCollection, UpdateDocument, UpdateRecord, VersionId, VersionKind,
};
pub use permissions::{MANAGE, PERMISSIONS, READ, SHARE, WRITE};
pub use policy::Reach;

/// What is called after a commit that changed who may read what in a tenant's vault.
pub type ChangeHook = Arc<dyn Fn(TenantId) + Send + Sync>;

/// The vault of this installation. Cheap to clone.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

struct Inner {
    db: Db,
    tenancy: Tenancy,
    config: VaultConfig,
    blobs: Blobs,
    uploads: Arc<Semaphore>,
    hooks: RwLock<Vec<ChangeHook>>,
    /// Grows with every change of who may read what, so that streams notice.
    epoch: Arc<AtomicU64>,
    doomed: Mutex<Vec<Doomed>>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({:?})", self.0.blobs)
    }
}

impl Vault {
    /// The vault in this database, with its bytes in `folder` (made with mode 0700).
    ///
    /// # Errors
    /// The folder can't be made.
    pub fn new(db: Db, tenancy: Tenancy, config: VaultConfig, folder: &Path) -> io::Result<Self> {
        let blobs = Blobs::open(folder)?;
        let uploads = Arc::new(Semaphore::new(config.max_uploads));
        let epoch = Arc::new(AtomicU64::new(0));
        let roles_changed = Arc::clone(&epoch);
        tenancy.on_change(Arc::new(move |_| {
            roles_changed.fetch_add(1, Ordering::Release);
        }));
        let (hooks, doomed) = (RwLock::default(), Mutex::default());
        Ok(Self(Arc::new(Inner { db, tenancy, config, blobs, uploads, hooks, epoch, doomed })))
    }

    /// Calls `hook` after every commit that changed who may read what in a tenant: a grant, a document's end, or a
    /// collection's. The hook must be quick. Other processes are not told; what they keep must age.
    pub fn on_change(&self, hook: ChangeHook) {
        self.0.hooks.write().unwrap_or_else(PoisonError::into_inner).push(hook);
    }

    /// The most bytes of a document; a form around it may have a little more.
    pub fn max_document_bytes(&self) -> u64 {
        self.0.config.max_document_bytes
    }

    fn db(&self) -> &Db {
        &self.0.db
    }

    fn tenancy(&self) -> &Tenancy {
        &self.0.tenancy
    }

    fn config(&self) -> &VaultConfig {
        &self.0.config
    }

    fn blobs(&self) -> &Blobs {
        &self.0.blobs
    }

    fn epoch(&self) -> u64 {
        self.0.epoch.load(Ordering::Acquire)
    }

    /// After the commit: who streams asks again.
    fn changed(&self, tx: &Tx) {
        let this = self.clone();
        let tenant = tx.tenant();
        tx.on_commit(move || {
            this.0.epoch.fetch_add(1, Ordering::Release);
            let hooks = this.0.hooks.read().unwrap_or_else(PoisonError::into_inner);
            hooks.iter().for_each(|hook| hook(tenant));
        });
    }
}
