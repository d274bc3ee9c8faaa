//! The REST face: collections, documents with their content, records and grants.

mod collections;
mod content;
mod documents;
mod download;
mod grants;
mod records;
mod uploaded;

use kernel::{Expected, ListParams};
use poem_openapi::param::Header;
use poem_openapi::{OpenApi, Tags};

use crate::Vault;

#[derive(Tags)]
enum Tag {
    /// Private documents and records, sealed at rest, shared by grants.
    Vault,
}

/// The vault over REST: all its operations.
pub fn api(vault: &Vault) -> impl OpenApi + use<> {
    (
        collections::Api(vault.clone()),
        documents::Api(vault.clone()),
        content::Api(vault.clone()),
        records::Api(vault.clone()),
        grants::Api(vault.clone()),
    )
}

/// The operations whose bodies are documents: they may be large, and take as long as the client goes on sending.
pub const UPLOADS: &[(&str, &str)] =
    &[("POST", "/api/v1/vault/documents"), ("POST", "/api/v1/vault/documents/{id}/versions")];

/// What a client said about a list, in the order of the operations' parameters.
fn params(limit: Option<i64>, [cursor, filter, sort]: [Option<String>; 3]) -> ListParams {
    ListParams { limit, cursor, filter, sort }
}

fn expected(if_match: &Header<Option<String>>) -> Expected {
    Expected::from_header(if_match.0.as_deref())
}
