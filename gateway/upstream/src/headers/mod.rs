//! The fields of forwarded messages (RFC 9110, section 7.6).
//!
//! What belongs to one connection stays on it; what we tell the upstream about the client is ours.

mod forwarded;
mod hop;
mod request;
mod response;
#[cfg(test)]
mod tests;

pub(crate) use request::{Length, Manner, Rewritten, rewrite};
pub(crate) use response::{clean, switched};
