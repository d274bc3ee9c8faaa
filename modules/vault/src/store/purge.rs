//! The end of rows.

use kernel::{Problem, Tx};

use crate::model::DocumentId;

const DOCUMENT: &[&str] = &[
    "DELETE FROM vault_grant WHERE tenant_id = $1 AND document_id = $2",
    "DELETE FROM vault_version WHERE tenant_id = $1 AND document_id = $2",
    "DELETE FROM vault_document WHERE tenant_id = $1 AND id = $2",
];
/// Keys first: what they sealed is out of reach from then on.
const TENANT: &[&str] = &[
    "DELETE FROM vault_key WHERE tenant_id = $1",
    "DELETE FROM vault_grant WHERE tenant_id = $1",
    "DELETE FROM vault_record WHERE tenant_id = $1",
    "DELETE FROM vault_version WHERE tenant_id = $1",
    "DELETE FROM vault_document WHERE tenant_id = $1",
    "DELETE FROM vault_collection WHERE tenant_id = $1",
];

/// Deletes a document, its versions and its grants, but for its key.
pub(crate) async fn document(tx: &Tx, id: DocumentId) -> Result<(), Problem> {
    for sql in DOCUMENT {
        tx.execute(sql, [tx.tenant().into(), id.into()]).await?;
    }
    Ok(())
}

/// Deletes every row of this module that belongs to the transaction's tenant.
pub(crate) async fn tenant(tx: &Tx) -> Result<(), Problem> {
    for sql in TENANT {
        tx.execute(sql, [tx.tenant().into()]).await?;
    }
    Ok(())
}
