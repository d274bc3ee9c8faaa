//! The settings for targets in trouble.

use std::time::Duration;

use serde::Deserialize;

use super::units;

/// Asks every target how it is.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthCheck {
    /// The path of a `GET`.
    pub path: String,
    /// The `Host` of it; the target's own if left out.
    #[serde(default)]
    pub host: Option<String>,
    /// From one answer to the next question, a tenth more or less by chance. Default 5 s.
    #[serde(default = "interval", deserialize_with = "units::duration")]
    pub interval: Duration,
    /// Within which the answer must come. Default 2 s.
    #[serde(default = "timeout", deserialize_with = "units::duration")]
    pub timeout: Duration,
    /// Good answers in a row that bring a target back. Default 2.
    #[serde(default = "healthy_after")]
    pub healthy_after: u32,
    /// Bad ones in a row that take it out; the very first one does so alone. Default 3.
    #[serde(default = "unhealthy_after")]
    pub unhealthy_after: u32,
    /// Good statuses. Default 200 to 299.
    #[serde(default)]
    pub expect: StatusRange,
}

const fn interval() -> Duration {
    Duration::from_secs(5)
}

const fn timeout() -> Duration {
    Duration::from_secs(2)
}

const fn healthy_after() -> u32 {
    2
}

const fn unhealthy_after() -> u32 {
    3
}

/// Statuses from one to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusRange {
    pub from: u16,
    pub to: u16,
}

impl Default for StatusRange {
    fn default() -> Self {
        Self { from: 200, to: 299 }
    }
}

/// Takes targets out by how the requests of clients fare (Envoy: outlier detection). The last one stays in.
///
/// A failure is no connection, no answer, a broken answer, or a status of 500, 502, 503 or 504.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ejection {
    /// Failures in a row. 0 = off. Default 5.
    pub consecutive_failures: u32,
    /// How far the success rate may be below the mean of the other targets, 0 to 1. 0 = off. Default 0.3.
    pub success_rate_gap: f64,
    /// The time over which success rates are compared. Default 10 s.
    #[serde(deserialize_with = "units::duration")]
    pub interval: Duration,
    /// Requests in that time below which a target isn't judged. Default 20.
    pub min_requests: u32,
    /// The first ejection; the n-th in a row takes n times as long. Default 30 s.
    #[serde(deserialize_with = "units::duration")]
    pub base_time: Duration,
    /// The longest ejection. Default 5 min.
    #[serde(deserialize_with = "units::duration")]
    pub max_time: Duration,
    /// Percent of the targets that may be out at once, 1 to 100; one always may if another is left. Default 80.
    pub max_percent: u32,
}

impl Default for Ejection {
    fn default() -> Self {
        Self {
            consecutive_failures: 5,
            success_rate_gap: 0.3,
            interval: Duration::from_secs(10),
            min_requests: 20,
            base_time: Duration::from_secs(30),
            max_time: Duration::from_mins(5),
            max_percent: 80,
        }
    }
}

/// What one target may have at once. Beyond it others are taken, and when all are full the client gets a 503.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Breaker {
    /// Connections. Default 1024.
    pub max_connections: usize,
    /// Requests that wait for a connection. Default 256.
    pub max_pending: usize,
    /// Requests in flight, upgraded connections included. Default 4096.
    pub max_requests: usize,
}

impl Default for Breaker {
    fn default() -> Self {
        Self { max_connections: 1024, max_pending: 256, max_requests: 4096 }
    }
}

/// When a request is sent again, to another target if there is one.
///
/// A request of which no byte was sent may always go again. One that was sent goes again only if it has no body and
/// its method is idempotent (RFC 9110, section 9.2.2).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retry {
    /// Further attempts of one request, 0 to 5. Default 2.
    pub attempts: u32,
    /// Percent of the requests of the last ten seconds that may be retries, 0 to 100. Default 20.
    pub budget_percent: u32,
    /// Retries in ten seconds that are allowed however few requests there are. Default 10.
    pub min_retries: u32,
    /// Statuses of an answer after which it is worth asking another target. Default 502, 503, 504.
    pub statuses: Vec<u16>,
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: 2, budget_percent: 20, min_retries: 10, statuses: vec![502, 503, 504] }
    }
}

/// Turns requests away before they queue up, those of low [`crate::Priority`] first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shedding {
    #[default]
    Off,
    /// At this many requests in flight over the whole pool.
    Limit(u32),
    /// At a limit that follows the latency, between these two (Netflix: concurrency-limits, Gradient2).
    Adaptive { min: u32, max: u32 },
}
