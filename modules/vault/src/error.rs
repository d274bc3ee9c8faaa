//! All that can go wrong in this module, each with its code and a sentence that helps.

use std::time::Duration;

use kernel::{Kind, Problem};

/// When an upload that found no room may be tried again.
const BUSY: Duration = Duration::from_secs(2);

/// All that can go wrong in this module.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not a name; the field.
    #[error("{0} takes 1 to 255 characters, none of them a control character, / or \\, and is not . or ..")]
    NameInvalid(&'static str),
    /// Not a description.
    #[error("A description has at most 2000 characters, none of them a control character but line breaks.")]
    DescriptionInvalid,
    /// Not the name of a model.
    #[error("A model's name has 1 to 100 characters out of letters, digits and -_.:/.")]
    ModelInvalid,
    /// Not a media type.
    #[error("The media type is not one; send it as type/subtype, such as application/pdf.")]
    MediaTypeInvalid,
    /// Not a schema, or one that is not taken; why.
    #[error("The schema can't be used: {0}.")]
    SchemaInvalid(String),
    /// The record does not fit its collection's schema; where, and why.
    #[error("The record does not fit its collection's schema: {}.", .0.first().map_or("", |(_, why)| why.as_str()))]
    RecordInvalid(Vec<(String, String)>),
    /// More than a record may hold.
    #[error("A record is an object with at most 256 KiB of JSON and 20000 values, nested at most 32 deep.")]
    RecordShape,
    /// No collection was named, or one that the caller can't see.
    #[error("Name the collection: collection=col_… of one that you may write to.")]
    CollectionUnknown,
    /// Something is still in the collection.
    #[error("The collection still holds documents or records; delete them first.")]
    CollectionNotEmpty,
    /// The document is deleted.
    #[error("The document is deleted; restore it first.")]
    DocumentDeleted,
    /// The document is not deleted, or its time is over.
    #[error("The document is not deleted, or its grace is over; there is nothing to restore.")]
    NotDeleted,
    /// The document is too large; the cap in bytes.
    #[error("A document has at most {0} bytes.")]
    TooLarge(u64),
    /// The body ended early, or is not what its headers say; why.
    #[error("The upload can't be read to its end: {0}. Send it again.")]
    UploadBroken(String),
    /// The bytes are not those that the client meant.
    #[error("The bytes that arrived don't have the digest in Content-Digest; send them again.")]
    DigestMismatch,
    /// Not a digest that can be checked.
    #[error("Content-Digest takes sha-256=:…: with 32 bytes in base64 (RFC 9530).")]
    DigestInvalid,
    /// Too many uploads at once.
    #[error("Too many uploads are under way; try again in a moment.")]
    Busy,
    /// A grant's subject does not fit its kind.
    #[error("An account's or a role's grant names subject_id (usr_… or rol_…); a grant for everyone names none.")]
    SubjectInvalid,
    /// A grant on both or on nothing.
    #[error("A grant names a collection, or a document, and not both.")]
    GrantObject,
    /// A grant that ends before it begins.
    #[error("valid_until must be after valid_from and after now.")]
    GrantTimes,
    /// Readable, but not for changing; what would be needed.
    #[error("You may see this but not change it: {0}.")]
    NotWritable(&'static str),
    /// What is stored does not open: other bytes, another place, or another key.
    #[error("What is stored was changed outside Holdfast and does not open; restore it from a backup.")]
    Tampered {
        /// What kind of thing.
        kind: &'static str,
        /// Its id.
        id: String,
    },
    /// The store of the bytes does not answer.
    #[error("The store of the documents does not answer; try again.")]
    StoreAway,
    /// What the kernel says.
    #[error("{}", .0.detail)]
    Kernel(Problem),
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Kernel(problem)
    }
}

impl Error {
    /// The store of the bytes failed; the cause goes to the log.
    pub(crate) fn store(cause: &object_store::Error) -> Self {
        tracing::error!(%cause, "the store of the documents failed");
        Self::StoreAway
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        let plain = |kind, code| Self::new(kind, code, detail.clone());
        match error {
            Error::NameInvalid(path) => Self::field(path, "vault.name_invalid", detail),
            Error::DescriptionInvalid => Self::field("description", "vault.description_invalid", detail),
            Error::ModelInvalid => Self::field("model", "vault.model_invalid", detail),
            Error::MediaTypeInvalid => Self::field("Content-Type", "vault.media_type_invalid", detail),
            Error::SchemaInvalid(_) => Self::field("schema", "vault.schema_invalid", detail),
            Error::RecordInvalid(places) => {
                let mut problem = plain(Kind::Invalid, "vault.record_invalid");
                problem.fields = places
                    .into_iter()
                    .map(|(path, detail)| kernel::FieldError { path, code: "vault.record_invalid".into(), detail })
                    .collect();
                problem
            }
            Error::RecordShape => Self::field("data", "vault.record_shape", detail),
            Error::CollectionUnknown => Self::field("collection", "vault.collection_unknown", detail),
            Error::CollectionNotEmpty => plain(Kind::Conflict, "vault.collection_not_empty"),
            Error::DocumentDeleted => plain(Kind::Conflict, "vault.document_deleted"),
            Error::NotDeleted => plain(Kind::Conflict, "vault.not_deleted"),
            Error::TooLarge(_) => plain(Kind::TooLarge, "vault.document_too_large"),
            Error::UploadBroken(_) => plain(Kind::Invalid, "vault.upload_broken"),
            Error::DigestMismatch => Self::field("Content-Digest", "vault.digest_mismatch", detail),
            Error::DigestInvalid => Self::field("Content-Digest", "vault.digest_invalid", detail),
            Error::Busy => Self::unavailable("vault.busy", detail, BUSY),
            Error::SubjectInvalid => Self::field("subject_id", "vault.subject_invalid", detail),
            Error::GrantObject => Self::field("collection_id", "vault.grant_object", detail),
            Error::GrantTimes => Self::field("valid_until", "vault.grant_times", detail),
            Error::NotWritable(_) => plain(Kind::Forbidden, "vault.not_writable"),
            Error::Tampered { .. } => plain(Kind::Internal, "vault.tampered"),
            Error::StoreAway => Self::unavailable("vault.store_away", detail, BUSY),
            Error::Kernel(problem) => problem,
        }
    }
}
