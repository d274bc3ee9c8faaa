//! The tenants' indexes that are open in this process.

use std::path::PathBuf;
use std::sync::Arc;

use kernel::{Caller, Db, Id, Problem, TenantId};
use quick_cache::sync::Cache;
use uuid::Uuid;

use super::shelf::Shelf;
use crate::blocking::blocking;
use crate::store::documents;

/// Opens shelves when they are asked for, and forgets those that nobody asks for.
pub(crate) struct Shelves {
    db: Db,
    root: PathBuf,
    open: Cache<TenantId, Arc<Shelf>>,
}

impl Shelves {
    pub(crate) fn new(db: Db, root: PathBuf, most: usize) -> Self {
        Self { db, root, open: Cache::new(most.max(1)) }
    }

    /// The tenant's shelf, if it is open.
    pub(crate) fn peek(&self, tenant: TenantId) -> Option<Arc<Shelf>> {
        self.open.get(&tenant)
    }

    /// The tenant's shelf, opened by one caller while others wait for it.
    pub(crate) async fn open(&self, tenant: TenantId) -> Result<Arc<Shelf>, Problem> {
        let work = async {
            let caller = Caller::system("knowledge", tenant);
            let head = self.db.read(&caller, async |tx| documents::head(tx).await).await?;
            let root = self.root.clone();
            let opened = blocking(move || Shelf::open(&root, tenant, head.unsigned_abs())).await?;
            Ok::<_, Problem>(Arc::new(opened.map_err(Problem::internal)?))
        };
        self.open.get_or_insert_async(&tenant, work).await
    }

    /// The tenants that have indexes in the folder.
    pub(crate) async fn on_disk(&self) -> Result<Vec<TenantId>, Problem> {
        let root = self.root.clone();
        let names = move || match std::fs::read_dir(root) {
            Ok(entries) => entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect(),
            Err(_) => Vec::new(),
        };
        let names: Vec<String> = blocking(names).await?;
        Ok(names.iter().filter_map(|name| Uuid::try_parse(name).ok()).map(Id::from_uuid).collect())
    }

    /// Closes a tenant's shelf and deletes its folder: the tenant is gone, or its files are not to be trusted.
    pub(crate) async fn discard(&self, tenant: TenantId) -> Result<(), Problem> {
        self.open.remove(&tenant);
        let folder = self.root.join(tenant.uuid().simple().to_string());
        blocking(move || match std::fs::remove_dir_all(folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Problem::internal(error)),
            _ => Ok(()),
        })
        .await?
    }
}
