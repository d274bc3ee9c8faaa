//! The words of this domain, as both faces and other modules see them.

mod collection;
mod document;
mod grant;
mod record;

pub use collection::{Collection, CollectionId, CollectionKind, NewCollection, UpdateCollection};
pub use document::{Document, DocumentId, DocumentKind, DocumentVersion, UpdateDocument, VersionId, VersionKind};
pub use grant::{Access, Grant, GrantId, GrantKind, NewGrant, SubjectKind};
pub use record::{NewRecord, Record, RecordId, RecordKind, UpdateRecord};

use kernel::rest::Etag;

macro_rules! etags {
    ($($version:expr => $type:ty),+ $(,)?) => {
        $(impl Etag for $type {
            fn version(&self) -> Option<i64> {
                let version: fn(&$type) -> Option<i64> = $version;
                version(self)
            }
        })+
    };
}

etags! {
    |it| Some(it.version) => Collection,
    |it| Some(it.version) => Document,
    |_| None => DocumentVersion,
    |it| Some(it.version) => Record,
    |_| None => Grant,
}
