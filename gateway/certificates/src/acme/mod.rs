//! A CA over ACME (RFC 8555) by instant-acme, with our own HTTP beneath it.

mod account;
mod authority;
mod heard;
mod refusals;
mod transport;

pub use account::AcmeError;
pub use authority::AcmeAuthority;
pub use transport::{ReqwestTransport, TransportLimits};
