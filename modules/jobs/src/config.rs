//! Settings of this module.

use std::time::Duration;

use serde::Deserialize;

/// Settings of this module.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobsConfig {
    /// How many jobs this process runs at once; 0 to leave them to others.
    pub concurrency: usize,
    /// How long a job may run whose handler says nothing about it.
    pub timeout_seconds: u64,
    /// How long running jobs may go on when the process stops, before they are handed back.
    pub drain_seconds: u64,
}

impl Default for JobsConfig {
    fn default() -> Self {
        Self { concurrency: 4, timeout_seconds: 300, drain_seconds: 10 }
    }
}

impl JobsConfig {
    pub(crate) const fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds)
    }

    pub(crate) const fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_seconds)
    }
}
