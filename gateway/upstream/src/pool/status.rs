//! What operators see of a pool.

use std::sync::PoisonError;

use serde::Serialize;
use tokio::time::Instant;

use super::Core;
use crate::target::TargetStatus;

/// How a pool and its targets stand. Names addresses: for operators, and for the tenant whose pool it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PoolStatus {
    pub name: String,
    /// Requests under way.
    pub in_flight: u64,
    /// Where requests of normal priority are turned away; none without load shedding.
    pub limit: Option<u64>,
    /// Those of the settings, then those that drain.
    pub targets: Vec<TargetStatus>,
}

impl Core {
    pub(super) fn status(&self) -> PoolStatus {
        let now = Instant::now();
        let slow_start = self.config.slow_start;
        let members = self.members.iter().zip(&self.config.targets);
        let draining = self.draining.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let limit = self.shedder.limit();
        PoolStatus {
            name: self.name.to_string(),
            in_flight: self.shedder.in_flight(),
            limit: (limit > 0).then_some(limit),
            targets: members
                .map(|(member, config)| member.target.status(&config.url, config.weight, slow_start, now))
                .chain(draining.iter().map(|former| former.target.status(&former.url, 0, slow_start, now)))
                .collect(),
        }
    }
}
