//! What operators see of a target.

use std::{sync::PoisonError, time::Duration};

use serde::Serialize;
use tokio::time::Instant;

use super::Target;

/// How a target stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetState {
    Healthy,
    /// The health checks say so.
    Unhealthy,
    /// Taken out for a while for how the requests of clients fared.
    Ejected,
    /// Back, with less than its full share.
    SlowStart,
    /// No longer in the pool, with requests under way.
    Draining,
}

/// One target of [`crate::PoolStatus`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TargetStatus {
    pub url: String,
    /// 0 while it drains.
    pub weight: u32,
    pub state: TargetState,
    /// Seconds until an ejection ends.
    pub ejected_for: Option<f64>,
    /// Percent of its full share.
    pub share_percent: f64,
    /// Requests, upgraded connections included.
    pub in_flight: u32,
    /// Requests that wait for a connection.
    pub pending: usize,
    pub connections: usize,
    pub idle_connections: usize,
    /// The peak average of the time to an answer's head, in milliseconds.
    pub latency_ms: Option<f64>,
    /// Since the target was added.
    pub requests: u64,
    pub failures: u64,
    pub retries: u64,
    pub ejections: u64,
    pub last_error: Option<LastError>,
}

/// The last thing that went wrong; names addresses, so for operators only.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LastError {
    pub sentence: String,
    pub seconds_ago: f64,
}

impl Target {
    pub(crate) fn status(&self, url: &str, weight: u32, slow_start: Duration, now: Instant) -> TargetStatus {
        let share = self.standing.share(now, slow_start);
        let ejected_for = self.standing.ejected_for(now);
        let state = if weight == 0 {
            TargetState::Draining
        } else if !self.standing.healthy() {
            TargetState::Unhealthy
        } else if ejected_for.is_some() {
            TargetState::Ejected
        } else if share < 1.0 {
            TargetState::SlowStart
        } else {
            TargetState::Healthy
        };
        let last_error = self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let counts = &self.figures.counts;
        TargetStatus {
            url: url.to_owned(),
            weight,
            state,
            ejected_for: ejected_for.map(|left| left.as_secs_f64()),
            share_percent: share * 100.0,
            in_flight: self.load.in_flight(),
            pending: self.http1.pending(),
            connections: self.connector.open(),
            idle_connections: self.http1.idle_count() + self.http2.idle_count(),
            latency_ms: self.load.average().map(|seconds| seconds * 1000.0),
            requests: counts.requests(),
            failures: counts.failures(),
            retries: counts.retries(),
            ejections: counts.ejections(),
            last_error: last_error.map(|(sentence, at)| LastError {
                sentence,
                seconds_ago: now.saturating_duration_since(at).as_secs_f64(),
            }),
        }
    }
}
