//! Why a document could not be read.

use std::io;

use serde::{Deserialize, Serialize};

/// The states in which a document ends that cannot be read, each with a sentence for its owner. Reading it again with the
/// same limits ends the same way, except for [`Unreadable::TimedOut`] and [`Unreadable::Crashed`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Unreadable {
    /// Not one of the formats that are read.
    #[error("This is {found}, which can't be read for search; convert it to PDF, DOCX, HTML, Markdown, CSV or text.")]
    UnsupportedType {
        /// What the bytes look like, with an article: "a PNG image".
        found: String,
    },
    /// A password is needed.
    #[error("The document is protected by a password; upload it without one.")]
    Encrypted,
    /// The bytes break the rules of their format.
    #[error("The document is damaged: {reason}; open it in its own program and save it anew.")]
    Broken {
        /// What is wrong.
        reason: String,
    },
    /// The document or its text is larger than the limit.
    #[error("The document, or its text, is larger than the {limit} bytes that are read; split it.")]
    TooLarge {
        /// The limit that was passed, in bytes.
        limit: u64,
    },
    /// More pages than the limit.
    #[error("The document has {pages} pages, more than the {limit} that are read; split it.")]
    TooManyPages {
        /// How many it has.
        pages: u64,
        /// How many are read.
        limit: u32,
    },
    /// Reading it would take more memory or parts than allowed.
    #[error("The document is too complex to read: {reason}; simplify or split it.")]
    TooComplex {
        /// What passed which bound.
        reason: String,
    },
    /// Nothing to search in: empty, or only pictures.
    #[error("The document holds no text; a scan needs text recognition (OCR) before it is uploaded.")]
    NoText,
    /// Not done in time.
    #[error("Reading the document took longer than {seconds} seconds; simplify or split it, or try again.")]
    TimedOut {
        /// The time it had.
        seconds: u64,
    },
    /// The reader ended without an answer.
    #[error("The reader of the document failed ({reason}); try again, or convert the document to another format.")]
    Crashed {
        /// How it ended; never content of the document.
        reason: String,
    },
}

impl Unreadable {
    /// The stable name of the state, as the API shows it.
    pub fn state(&self) -> &'static str {
        match self {
            Self::UnsupportedType { .. } => "unsupported_type",
            Self::Encrypted => "encrypted",
            Self::Broken { .. } => "broken",
            Self::TooLarge { .. } => "too_large",
            Self::TooManyPages { .. } => "too_many_pages",
            Self::TooComplex { .. } => "too_complex",
            Self::NoText => "no_text",
            Self::TimedOut { .. } => "timed_out",
            Self::Crashed { .. } => "crashed",
        }
    }

    pub(super) fn broken(reason: impl Into<String>) -> Self {
        Self::Broken { reason: reason.into() }
    }

    pub(super) fn too_complex(reason: impl Into<String>) -> Self {
        Self::TooComplex { reason: reason.into() }
    }

    pub(super) fn crashed(reason: impl Into<String>) -> Self {
        Self::Crashed { reason: reason.into() }
    }
}

/// Why [`super::Extractor::extract`] gave no text.
#[derive(Debug, thiserror::Error)]
pub enum ExtractError {
    /// The document's own fault: a final, named state.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// Its bytes could not be fetched; nothing is known about the document. Try again.
    #[error("The document's bytes could not be read: {0}.")]
    Source(#[source] io::Error),
    /// The reading process could not be started. Try again.
    #[error("The reading process could not be started: {0}.")]
    Start(#[source] io::Error),
}
