//! All that can go wrong in this module.

use kernel::{Kind, Problem};

/// All that can go wrong in this module.
#[derive(Debug)]
pub enum Error {
    /// The trail is too long to be verified while the client waits.
    TrailTooLong {
        /// Its entries.
        size: u64,
    },
    /// What the kernel says.
    Kernel(Problem),
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Kernel(problem)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::TrailTooLong { size } => Self::new(
                Kind::TooLarge,
                "audit.trail_too_long",
                format!(
                    "The trail has {size} entries, too many to verify while you wait; \
                     POST to this address to have it done in the background."
                ),
            ),
            Error::Kernel(problem) => problem,
        }
    }
}
