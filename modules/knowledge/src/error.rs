//! All that can go wrong in this module, each with its code and a sentence that helps.

use kernel::{Kind, Problem};

/// All that can go wrong in this module.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing to search for.
    #[error("Say what to search for: 1 to {max} characters, at least one letter or digit among them.")]
    QueryInvalid {
        /// The most characters.
        max: usize,
    },
    /// Too few or too many results asked for.
    #[error("limit takes 1 to {max}.")]
    LimitInvalid {
        /// The most results.
        max: u32,
    },
    /// Too many collections named.
    #[error("A search names at most {max} collections; leave collections out to search all that you may read.")]
    TooManyCollections {
        /// The most collections.
        max: usize,
    },
    /// Not an offset of this text.
    #[error(
        "from and to take byte offsets of the text, from before to, on the borders of characters; it has {0} bytes."
    )]
    RangeInvalid(usize),
    /// The document is on its way already, or is not there to be read.
    #[error("The document is {0}; only one that is ready or failed can be read again.")]
    NotAtRest(String),
    /// No model can make vectors; why.
    #[error("{0}")]
    Model(String),
    /// Too many or too long texts to embed.
    #[error("One request embeds 1 to {max} texts of at most {bytes} bytes each.")]
    TooMuchToEmbed {
        /// The most texts.
        max: usize,
        /// The most bytes of one.
        bytes: usize,
    },
    /// The kernel's.
    #[error("{}", .0.detail)]
    Kernel(Problem),
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Kernel(problem)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::QueryInvalid { .. } => Self::field("query", "knowledge.query_invalid", detail),
            Error::LimitInvalid { .. } => Self::field("limit", "knowledge.limit_invalid", detail),
            Error::TooManyCollections { .. } => Self::field("collections", "knowledge.too_many_collections", detail),
            Error::RangeInvalid(_) => Self::new(Kind::Invalid, "knowledge.range_invalid", detail),
            Error::NotAtRest(_) => Self::new(Kind::Conflict, "knowledge.not_at_rest", detail),
            Error::Model(_) => Self::new(Kind::Unavailable, "knowledge.model_unavailable", detail),
            Error::TooMuchToEmbed { .. } => Self::new(Kind::Invalid, "knowledge.too_much_to_embed", detail),
            Error::Kernel(problem) => problem,
        }
    }
}
