//! Where each HTTP/1 message begins and ends, decided strictly and once (RFC 9112).
//!
//! Nothing here does I/O: [`Framer`] looks at a window of bytes and says how many of them the parser behind may see.

mod chunked;
mod framer;
mod head;
#[cfg(test)]
mod tests;

pub(crate) use framer::{Fault, Framer, Stage};
pub(crate) use head::{HeadLimits, check_method, plain_number};
