//! Who may read and change what: one rule for every face, stream and module.
//!
//! Reading a document takes the permission `vault.read`, and that the caller owns it or its collection, holds
//! `vault.manage`, or has a grant in force on either: for their account, their role, or everyone in the tenant.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use kernel::{Caller, Problem, Tx};
use tenancy::RoleId;

use crate::Vault;
use crate::error::Error;
use crate::model::{Access, CollectionId, DocumentId};
use crate::permissions::{MANAGE, READ};
use crate::store;
use crate::store::collections::CollectionRow;
use crate::store::documents::DocumentRow;

/// What a caller may read right now, for other modules to filter by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// All of the tenant's vault.
    pub everything: bool,
    /// All documents of these collections.
    pub collections: BTreeSet<CollectionId>,
    /// These documents, beside those of the collections.
    pub documents: BTreeSet<DocumentId>,
}

impl Reach {
    /// Whether a document of this collection may be read.
    pub fn covers(&self, collection: CollectionId, document: DocumentId) -> bool {
        self.everything || self.collections.contains(&collection) || self.documents.contains(&document)
    }
}

/// Who looks, with all that grants can name.
#[derive(Clone, Debug)]
pub(crate) struct Viewer {
    /// Nothing is hidden from them.
    pub(crate) everything: bool,
    pub(crate) account: Option<kernel::AccountId>,
    pub(crate) role: Option<RoleId>,
    pub(crate) now: DateTime<Utc>,
}

/// What a viewer may do with one object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rights {
    pub(crate) read: bool,
    pub(crate) write: bool,
    /// Change what it is, share and delete it.
    pub(crate) own: bool,
}

impl Rights {
    const OWNER: Self = Self { read: true, write: true, own: true };

    /// Lets pass who may see it.
    ///
    /// # Errors
    /// The 404 that tells nothing.
    pub(crate) fn readable(self) -> Result<Self, Error> {
        if self.read { Ok(self) } else { Err(Problem::not_found().into()) }
    }

    /// Lets pass who may change it.
    ///
    /// # Errors
    /// The 404 for who may not see it, [`Error::NotWritable`] for who may.
    pub(crate) fn writable(self) -> Result<Self, Error> {
        let seen = self.readable()?;
        if seen.write { Ok(seen) } else { Err(Error::NotWritable("it takes a grant to write")) }
    }

    /// Lets pass who owns it.
    ///
    /// # Errors
    /// The 404 for who may not see it, [`Error::NotWritable`] for who may.
    pub(crate) fn owned(self) -> Result<Self, Error> {
        let seen = self.readable()?;
        if seen.own { Ok(seen) } else { Err(Error::NotWritable("it takes its owner, or the permission vault.manage")) }
    }
}

impl Vault {
    /// What the caller may read at this moment. Grants with a beginning or an end are judged by the clock of this call.
    ///
    /// # Errors
    /// The caller lacks [`READ`], or what the database says.
    pub async fn reach(&self, caller: &Caller) -> Result<Reach, Problem> {
        caller.require(READ)?;
        if caller.may(MANAGE) {
            return Ok(Reach { everything: true, ..Reach::default() });
        }
        self.db()
            .read(caller, async |tx| {
                let viewer = self.viewer(tx, caller).await?;
                let collections = store::collections::visible_ids(tx, &viewer).await?;
                let documents = store::documents::visible_alone(tx, &viewer).await?;
                Ok(Reach {
                    everything: false,
                    documents: documents.into_iter().collect(),
                    collections: collections.into_iter().collect(),
                })
            })
            .await
    }

    /// Who this caller is to the vault.
    pub(crate) async fn viewer(&self, tx: &Tx, caller: &Caller) -> Result<Viewer, Problem> {
        let (everything, now) = (caller.may(MANAGE), tx.now());
        let Some(account) = caller.actor.account() else {
            return Ok(Viewer { everything, account: None, role: None, now });
        };
        let role = if everything { None } else { self.tenancy().grants_of(tx, account).await?.role_id };
        Ok(Viewer { everything, account: Some(account), role, now })
    }

    /// What a viewer may do with a collection as a whole.
    pub(crate) async fn rights_on_collection(
        &self,
        tx: &Tx,
        viewer: &Viewer,
        collection: &CollectionRow,
    ) -> Result<Rights, Problem> {
        if viewer.everything || (viewer.account.is_some() && viewer.account == collection.owner_id) {
            return Ok(Rights::OWNER);
        }
        granted(tx, viewer, collection.id, None).await
    }

    /// What a viewer may do with a document, whether it is deleted or not.
    pub(crate) async fn rights_on_document(
        &self,
        tx: &Tx,
        viewer: &Viewer,
        document: &DocumentRow,
    ) -> Result<Rights, Problem> {
        let owners = [document.owner_id, document.collection_owner_id];
        if viewer.everything || (viewer.account.is_some() && owners.contains(&viewer.account)) {
            return Ok(Rights::OWNER);
        }
        granted(tx, viewer, document.collection_id, Some(document.id)).await
    }

    /// The caller with what is left of their permissions now, for work that began a while ago.
    pub(crate) async fn refreshed(&self, tx: &Tx, caller: &Caller) -> Result<Caller, Problem> {
        let mut caller = caller.clone();
        if let Some(account) = caller.actor.account() {
            let held = self.tenancy().grants_of(tx, account).await?.permissions;
            caller.permissions = caller.permissions.intersection(&held);
        }
        Ok(caller)
    }

    /// Whether a caller who began to read a document may go on, asked of the database anew: their role, the grants, and
    /// that the document is still there.
    pub(crate) async fn still_reads(&self, caller: &Caller, document: DocumentId) -> Result<bool, Problem> {
        self.db()
            .read(caller, async |tx| {
                let caller = self.refreshed(tx, caller).await?;
                if !caller.may(READ) {
                    return Ok(false);
                }
                let viewer = self.viewer(tx, &caller).await?;
                let Some(row) = store::documents::find(tx, document).await? else { return Ok(false) };
                Ok(row.deleted_at.is_none() && self.rights_on_document(tx, &viewer, &row).await?.read)
            })
            .await
    }
}

async fn granted(
    tx: &Tx,
    viewer: &Viewer,
    collection: CollectionId,
    document: Option<DocumentId>,
) -> Result<Rights, Problem> {
    let held = store::grants::in_force(tx, viewer, collection, document).await?;
    let write = held.contains(&Access::Write);
    Ok(Rights { read: !held.is_empty(), write, own: false })
}
