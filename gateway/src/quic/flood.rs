//! Floods of QUIC frames that carry nothing: PING, resets of streams that were no request yet, windows, paths, connection
//! ids. As over HTTP/2 ([`crate::flood`]), each costs credit; requests and what is carried earn it.

use quinn::{ConnectionStats, FrameStats};
use tokio::time::Instant;

use crate::flood::{A_BODY, A_REQUEST, A_SECOND, MOST};

/// What a connection has done so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Figures {
    /// Frames that carry nothing.
    pub(super) empty: u64,
    /// Requests that reached the service.
    pub(super) requests: u64,
    /// Bytes, in both directions.
    pub(super) carried: u64,
}

impl Figures {
    pub(super) fn new(stats: &ConnectionStats, requests: u64, received: u64) -> Self {
        Self { empty: empty(&stats.frame_rx), requests, carried: received + stats.udp_tx.bytes }
    }
}

fn empty(frames: &FrameStats) -> u64 {
    [
        frames.data_blocked,
        frames.datagram,
        frames.immediate_ack,
        frames.max_data,
        frames.max_stream_data,
        frames.max_streams_bidi,
        frames.max_streams_uni,
        frames.new_connection_id,
        frames.path_challenge,
        frames.path_response,
        frames.ping,
        frames.reset_stream,
        frames.retire_connection_id,
        frames.stop_sending,
        frames.stream_data_blocked,
        frames.streams_blocked_bidi,
        frames.streams_blocked_uni,
    ]
    .iter()
    .sum()
}

/// Judges one connection, each time it is looked at.
#[derive(Debug)]
pub(super) struct Meter {
    credit: u64,
    seen: Figures,
    since: Instant,
}

impl Meter {
    pub(super) fn new() -> Self {
        Self { credit: MOST, seen: Figures::default(), since: Instant::now() }
    }

    /// False when it is too much.
    pub(super) fn look(&mut self, now: Figures) -> bool {
        let milliseconds = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        let seen = std::mem::replace(&mut self.seen, now);
        self.since = Instant::now();
        let earned = milliseconds.saturating_mul(A_SECOND) / 1000
            + now.requests.saturating_sub(seen.requests) * A_REQUEST
            + now.carried.saturating_sub(seen.carried) / A_BODY;
        // What came in between is settled at once: a burst is not cut for having been noticed before its answers.
        let left = self.credit.saturating_add(earned).checked_sub(now.empty - seen.empty);
        self.credit = left.unwrap_or(0).min(MOST);
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_sends_nothing_but_empty_frames_runs_out_of_credit() {
        let mut meter = Meter::new();

        let looks = (1..100).take_while(|n| meter.look(Figures { empty: n * 100, ..Figures::default() })).count();

        assert_eq!(looks as u64, MOST / 100);
    }

    #[tokio::test(start_paused = true)]
    async fn honest_clients_have_enough() {
        let (mut cancelling, mut loading, mut chatting) = (Meter::new(), Meter::new(), Meter::new());
        for n in 1..10_000 {
            advance(Duration::from_secs(1)).await;
            assert!(cancelling.look(Figures { empty: n * 2000, requests: n * 1000, carried: n * 30_000 }));
            assert!(loading.look(Figures { empty: n * 500, requests: n * 100, carried: n << 20 }));
            assert!(chatting.look(Figures { empty: n * 90, ..Figures::default() }));
        }
    }
}
