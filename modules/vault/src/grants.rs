//! Grants: that somebody may read or change what another owns, for a time.

use kernel::{AccountId, Caller, ListParams, ListRequest, Page, Problem, Tx};
use tenancy::RoleId;
use uuid::Uuid;

use crate::Vault;
use crate::announce::announce;
use crate::error::Error;
use crate::listing;
use crate::model::{CollectionId, DocumentId, Grant, GrantId, NewGrant, SubjectKind};
use crate::permissions::{READ, SHARE};
use crate::store;

impl Vault {
    /// A page of the grants on what the caller owns.
    ///
    /// # Errors
    /// 400 for a wrong parameter, or the caller lacks [`READ`].
    pub async fn list_grants(&self, caller: &Caller, params: &ListParams) -> Result<(ListRequest, Page<Grant>), Error> {
        caller.require(READ)?;
        let request = ListRequest::new(&listing::GRANTS, params, caller, self.db().keys())?;
        let list = async |tx: &Tx| {
            let viewer = self.viewer(tx, caller).await?;
            store::grants::list(tx, &viewer, &request).await
        };
        let grants: Vec<_> = self.db().read(caller, list).await?;
        let page = request.page(grants)?;
        Ok((request, page))
    }

    /// One grant on something that the caller owns.
    ///
    /// # Errors
    /// The 404, or the caller lacks [`READ`].
    pub async fn get_grant(&self, caller: &Caller, id: GrantId) -> Result<Grant, Error> {
        caller.require(READ)?;
        let find = async |tx: &Tx| {
            let grant = store::grants::find(tx, id).await?.ok_or_else(Problem::not_found)?;
            // Who can't share the object is not told who else can see it.
            let owned = self.shareable(tx, caller, grant.collection_id, grant.document_id).await;
            owned.map_err(|_| Problem::not_found())?;
            Ok(grant)
        };
        self.db().read(caller, find).await
    }

    /// Grants access to a collection or a document that the caller owns.
    ///
    /// # Errors
    /// [`Error::GrantObject`], [`Error::SubjectInvalid`], [`Error::GrantTimes`], [`Error::NotWritable`] for who does not
    /// own the object, the 404 for who can't see it, or the caller lacks [`SHARE`].
    pub async fn create_grant(&self, caller: &Caller, new: NewGrant) -> Result<Grant, Error> {
        caller.require(READ)?;
        caller.require(SHARE)?;
        let subject = subject(&new)?;

        self.db()
            .write_once(caller, "vault.create_grant", &new, async |tx| {
                let (collection_id, document_id) = match (new.collection_id, new.document_id) {
                    (Some(collection), None) => (collection, None),
                    (None, Some(document)) => {
                        let row = store::documents::find(tx, document).await?.ok_or_else(Problem::not_found)?;
                        (row.collection_id, Some(document))
                    }
                    _ => return Err(Error::GrantObject),
                };
                self.shareable(tx, caller, collection_id, document_id).await?;
                let now = tx.now();
                let valid_from = new.valid_from.unwrap_or(now);
                if new.valid_until.is_some_and(|until| until <= valid_from || until <= now) {
                    return Err(Error::GrantTimes);
                }
                let grant = Grant {
                    id: tx.new_id(),
                    collection_id,
                    document_id,
                    subject: new.subject,
                    subject_id: new.subject_id.clone(),
                    access: new.access,
                    valid_from,
                    valid_until: new.valid_until,
                    created_by: caller.actor.account(),
                    created_at: now,
                };
                store::grants::insert(tx, &grant, subject).await?;
                announce(tx, caller, "vault.grant_created", ("grant", grant.id.to_string()), &grant).await?;
                self.changed(tx);
                Ok(grant)
            })
            .await
    }

    /// Takes a grant away: the next read, the next range of a download and what streams feel it.
    ///
    /// # Errors
    /// The 404, also for who does not own the object, or the caller lacks [`SHARE`].
    pub async fn delete_grant(&self, caller: &Caller, id: GrantId) -> Result<(), Error> {
        caller.require(READ)?;
        caller.require(SHARE)?;

        self.db()
            .write_once(caller, "vault.delete_grant", &id, async |tx| {
                let grant = store::grants::find(tx, id).await?.ok_or_else(Problem::not_found)?;
                let owned = self.shareable(tx, caller, grant.collection_id, grant.document_id).await;
                owned.map_err(|_| Problem::not_found())?;
                store::grants::delete(tx, id).await?;
                announce(tx, caller, "vault.grant_deleted", ("grant", id.to_string()), &grant).await?;
                self.changed(tx);
                Ok(())
            })
            .await
    }

    /// Lets pass who owns the object.
    async fn shareable(
        &self,
        tx: &Tx,
        caller: &Caller,
        collection: CollectionId,
        document: Option<DocumentId>,
    ) -> Result<(), Error> {
        let viewer = self.viewer(tx, caller).await?;
        let row = store::collections::find(tx, collection).await?.ok_or_else(Problem::not_found)?;
        let rights = match document {
            None => self.rights_on_collection(tx, &viewer, &row).await?,
            Some(id) => {
                let row = store::documents::find(tx, id).await?.ok_or_else(Problem::not_found)?;
                self.rights_on_document(tx, &viewer, &row).await?
            }
        };
        rights.owned().map(|_| ())
    }
}

/// The account or role that a grant is for. Whether it exists is not told: a grant for nobody allows nothing.
fn subject(new: &NewGrant) -> Result<Option<Uuid>, Error> {
    let id = new.subject_id.as_deref();
    match (new.subject, id) {
        (SubjectKind::Everyone, None) => Ok(None),
        (SubjectKind::Account, Some(id)) => {
            id.parse::<AccountId>().map(|id| Some(id.uuid())).map_err(|_| Error::SubjectInvalid)
        }
        (SubjectKind::Role, Some(id)) => {
            id.parse::<RoleId>().map(|id| Some(id.uuid())).map_err(|_| Error::SubjectInvalid)
        }
        _ => Err(Error::SubjectInvalid),
    }
}
