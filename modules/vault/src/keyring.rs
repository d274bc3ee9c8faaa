//! The keys that a unit of work needs, read in one statement and opened as they are asked for.

use std::collections::HashMap;

use kernel::{Problem, RootKey, TenantId, Tx};
use uuid::Uuid;

use crate::error::Error;
use crate::keys::{Key, Wrapped};
use crate::model::{CollectionId, DocumentId};
use crate::store;

/// Wrapped keys of one tenant, and the tenant's own, open.
#[derive(Debug)]
pub(crate) struct Keyring {
    tenant: TenantId,
    key: Key,
    rows: HashMap<(Uuid, i32), Wrapped>,
}

impl Keyring {
    /// Reads the tenant's key and those of these collections and documents.
    ///
    /// # Errors
    /// [`Error::Tampered`] when the tenant's key is missing or does not open.
    pub(crate) async fn load(tx: &Tx, root: &RootKey, owners: impl IntoIterator<Item = Uuid>) -> Result<Self, Error> {
        let tenant = tx.tenant();
        let mut asked: Vec<Uuid> = std::iter::once(tenant.uuid()).chain(owners).collect();
        asked.sort_unstable();
        asked.dedup();
        let rows = store::keys::find(tx, &asked).await?;
        let own = rows.iter().filter(|row| row.owner == tenant.uuid()).max_by_key(|row| row.version);
        let key = own.and_then(|row| Key::open_tenant(root, tenant, row).ok());
        let key = key.ok_or_else(|| tampered("tenant", tenant))?;
        let rows = rows.into_iter().map(|row| ((row.owner, row.version), row)).collect();
        Ok(Self { tenant, key, rows })
    }

    /// The tenant's key, made now if this is the first of the tenant's collections.
    ///
    /// # Errors
    /// It does not open, or what the database says.
    pub(crate) async fn tenant_key(tx: &Tx, root: &RootKey) -> Result<Key, Error> {
        let tenant = tx.tenant();
        for _ in 0..2 {
            let rows = store::keys::find(tx, &[tenant.uuid()]).await?;
            if let Some(row) = rows.iter().max_by_key(|row| row.version) {
                return Key::open_tenant(root, tenant, row).map_err(|_| tampered("tenant", tenant));
            }
            let (key, wrapped) = Key::for_tenant(root, tx.random(), tenant);
            if store::keys::insert(tx, &wrapped).await? {
                return Ok(key);
            }
        }
        Err(Problem::internal("the tenant's key is neither there nor missing").into())
    }

    /// A collection's key.
    ///
    /// # Errors
    /// [`Error::Tampered`] when it is missing or does not open.
    pub(crate) fn collection(&self, id: CollectionId, version: i32) -> Result<Key, Error> {
        let row = self.rows.get(&(id.uuid(), version));
        let opened = row.and_then(|row| self.key.open_child(self.tenant, self.tenant.uuid(), row).ok());
        opened.ok_or_else(|| tampered("collection", id))
    }

    /// A document's key.
    ///
    /// # Errors
    /// [`Error::Tampered`] when it, or its collection's, is missing or does not open.
    pub(crate) fn document(&self, collection: CollectionId, id: DocumentId, version: i32) -> Result<Key, Error> {
        let row = self.rows.get(&(id.uuid(), version)).ok_or_else(|| tampered("document", id))?;
        let parent = self.collection(collection, row.parent_version)?;
        parent.open_child(self.tenant, collection.uuid(), row).map_err(|_| tampered("document", id))
    }
}

/// What is stored under this id was changed.
#[expect(clippy::needless_pass_by_value, reason = "an id is copied")]
pub(crate) fn tampered(kind: &'static str, id: impl ToString) -> Error {
    Error::Tampered { kind, id: id.to_string() }
}
