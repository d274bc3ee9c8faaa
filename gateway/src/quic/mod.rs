//! HTTP/3 (RFC 9114): the same service behind QUIC instead of TCP.
//!
//! Start at [`Quic`]: a UDP socket beside the HTTPS listener, and whom it lets in. `handshake` chooses the certificate,
//! `connection` speaks, watches and drains, `request` and `upload` carry one request, `transport` and `frames` stand
//! between quinn and h3, `flood` counts frames that carry nothing.
//!
//! Deliberately absent: early data (0-RTT), which could be replayed; server push, datagrams, WebTransport, WebSockets.

mod connection;
mod endpoint;
mod flood;
mod frames;
mod handshake;
mod request;
mod transport;
mod upload;

pub(crate) use endpoint::{Quic, accept, advertisement};
pub(crate) use upload::Upload;
