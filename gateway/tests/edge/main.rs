//! The edge through real sockets.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that can't go on fails")]
#![expect(clippy::disallowed_methods, reason = "a test's tasks end with its runtime")]

mod drain;
mod floods;
mod framing;
mod http2;
mod http3;
mod http3_cuts;
mod journal;
mod limits;
mod quic_client;
mod refusals;
mod resting;
mod routing;
mod support;
mod threshold;
mod timeouts;
mod tls;
mod upgrade;
