//! Versions of a document, to be listed.

use kernel::{Caller, ListParams, ListRequest, Page, Problem, Tx};

use crate::Vault;
use crate::error::Error;
use crate::listing;
use crate::model::{DocumentId, DocumentVersion};
use crate::permissions::READ;
use crate::store;

impl Vault {
    /// A page of a document's versions, the newest first.
    ///
    /// # Errors
    /// 400 for a wrong parameter, the 404, or the caller lacks [`READ`].
    pub async fn list_document_versions(
        &self,
        caller: &Caller,
        id: DocumentId,
        params: &ListParams,
    ) -> Result<(ListRequest, Page<DocumentVersion>), Error> {
        caller.require(READ)?;
        let request = ListRequest::new(&listing::VERSIONS, params, caller, self.db().keys())?;
        let list = async |tx: &Tx| {
            let viewer = self.viewer(tx, caller).await?;
            let row = store::documents::find(tx, id).await?.filter(|row| row.deleted_at.is_none());
            let row = row.ok_or_else(Problem::not_found)?;
            self.rights_on_document(tx, &viewer, &row).await?.readable()?;
            let versions = store::versions::list(tx, id, &request).await?;
            let keys = self.document_keys(tx, &row).await?;
            let mut opened = Vec::with_capacity(versions.len());
            for version in versions {
                let key = keys.document(row.collection_id, row.id, version.key_version)?;
                opened.push(version.open(tx.tenant(), &key)?);
            }
            Ok(opened)
        };
        let versions = self.watched(caller, self.db().read(caller, list).await).await?;
        let page = request.page(versions)?;
        let ids = page.items.iter().map(|item| item.id);
        self.note_list(caller, "vault.versions_listed", "version", ids).await?;
        Ok((request, page))
    }
}
