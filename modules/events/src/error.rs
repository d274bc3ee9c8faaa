//! All that can go wrong in this module.

use kernel::{Kind, Problem};

/// All that can go wrong in this module.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data of an event is over the bound.
    #[error("The data of an event has at most {max} bytes as JSON; this has {size}. Publish a reference instead.")]
    DataTooLarge { size: usize, max: usize },
    /// The data of an event is nested too deep.
    #[error("The data of an event is nested at most {max} levels deep; make it flatter.")]
    DataTooDeep { max: usize },
    /// The ordering key is empty or over the bound.
    #[error("The key of an event has 1 to {max} bytes.")]
    KeyInvalid { max: usize },
    /// Not of this module.
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
            Error::DataTooLarge { .. } => Self::new(Kind::TooLarge, "events.data_too_large", detail),
            Error::DataTooDeep { .. } => Self::new(Kind::Invalid, "events.data_too_deep", detail),
            Error::KeyInvalid { .. } => Self::new(Kind::Invalid, "events.key_invalid", detail),
            Error::Kernel(problem) => problem,
        }
    }
}
