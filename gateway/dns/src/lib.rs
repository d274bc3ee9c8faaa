//! What DNS says of a name that is to lead here.
//!
//! Start at [`Resolvers::diagnose`]: it asks several resolvers, each in its own time, and judges what they said into a
//! [`Diagnosis`]: whether the proof is there, whether the name leads here, whether a certificate may be had, and every
//! [`Finding`] with its code, a sentence, what was seen, and what mends it. [`judge`] is the judging alone: answers in,
//! findings out, no network.
//!
//! It asks the resolvers that it is given and nobody else; a name's own addresses are compared, never connected to.
//! It stands on no other crate of the workspace.

mod answers;
mod ask;
mod finding;
mod judge;
mod proxies;
mod question;

pub use answers::{Answer, Caa, Heard};
pub use ask::{AskError, MAX_RESOLVERS, Resolvers};
pub use finding::{Cause, Diagnosis, Finding, Standing};
pub use judge::judge;
pub use question::{PROOF_PREFIX, Question, Targets};
