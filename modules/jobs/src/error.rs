//! All that can go wrong in this module.

use kernel::{Kind, Problem};

use crate::model::JobState;

/// All that can go wrong in this module.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Only jobs that ended without success can be tried again.
    #[error("This job is {0}; only a dead or cancelled one can be tried again.")]
    NotRetryable(JobState),
    /// Finished jobs can't be cancelled.
    #[error("This job is {0}, so there is nothing to cancel.")]
    NotCancellable(JobState),
    /// Another job took the unique key meanwhile.
    #[error("Another job with the same unique key is waiting or running; let it finish, or cancel it first.")]
    UniqueKeyTaken,
    /// The payload is over the bound.
    #[error("The payload of a job has at most {max} bytes as JSON; this has {size}. Store it and pass a reference.")]
    PayloadTooLarge { size: usize, max: usize },
    /// The payload is nested too deep.
    #[error("The payload of a job is nested at most {max} levels deep; make it flatter.")]
    PayloadTooDeep { max: usize },
    /// The unique key is empty or over the bound.
    #[error("The unique key of a job has 1 to {max} bytes.")]
    UniqueKeyInvalid { max: usize },
    /// The job was given to somebody else: what this attempt does no longer counts.
    #[error("This attempt no longer holds its job; another one has it, or it has ended.")]
    StaleAttempt,
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
            Error::NotRetryable(_) => Self::new(Kind::Conflict, "jobs.not_retryable", detail),
            Error::NotCancellable(_) => Self::new(Kind::Conflict, "jobs.not_cancellable", detail),
            Error::UniqueKeyTaken => Self::new(Kind::Conflict, "jobs.unique_key_taken", detail),
            Error::PayloadTooLarge { .. } => Self::new(Kind::TooLarge, "jobs.payload_too_large", detail),
            Error::PayloadTooDeep { .. } => Self::new(Kind::Invalid, "jobs.payload_too_deep", detail),
            Error::UniqueKeyInvalid { .. } => Self::new(Kind::Invalid, "jobs.unique_key_invalid", detail),
            Error::StaleAttempt => Self::new(Kind::Conflict, "jobs.stale_attempt", detail),
            Error::Kernel(problem) => problem,
        }
    }
}
