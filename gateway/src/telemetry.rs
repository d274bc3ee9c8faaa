//! The figures of the edge, by the `metrics` facade. Labels come from closed sets only.

use crate::app::ListenerKind;

/// Counts a connection while it is open.
#[derive(Debug)]
pub(crate) struct OpenConnection(ListenerKind);

impl OpenConnection {
    pub(crate) fn new(kind: ListenerKind) -> Self {
        metrics::counter!("holdfast_edge_connections_total", "listener" => kind.as_str()).increment(1);
        metrics::gauge!("holdfast_edge_connections_open", "listener" => kind.as_str()).increment(1.0);
        Self(kind)
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        metrics::gauge!("holdfast_edge_connections_open", "listener" => self.0.as_str()).decrement(1.0);
    }
}

/// A connection closed right after it was accepted.
pub(crate) fn connection_refused(kind: ListenerKind, reason: &'static str) {
    metrics::counter!("holdfast_edge_connections_refused_total", "listener" => kind.as_str(), "reason" => reason)
        .increment(1);
}

/// A connection ended by us against the client's will.
pub(crate) fn connection_cut(reason: &'static str) {
    metrics::counter!("holdfast_edge_connections_cut_total", "reason" => reason).increment(1);
}

pub(crate) fn handshake(version: &'static str) {
    metrics::counter!("holdfast_edge_handshakes_total", "version" => version).increment(1);
}

pub(crate) fn handshake_failed(reason: &'static str) {
    metrics::counter!("holdfast_edge_handshake_failures_total", "reason" => reason).increment(1);
}

pub(crate) fn body_cut(reason: &'static str) {
    metrics::counter!("holdfast_edge_bodies_cut_total", "reason" => reason).increment(1);
}

/// A client that begins a QUIC handshake is asked to show its address first.
pub(crate) fn handshake_retried() {
    metrics::counter!("holdfast_edge_handshake_retries_total").increment(1);
}
