//! Looks after a pool's targets from time to time: idle connections, success rates, those that leave.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::Core;

const PERIOD: Duration = Duration::from_secs(1);

pub(super) async fn keep(core: Arc<Core>, stop: CancellationToken) {
    let period = PERIOD.min(core.config.connections.idle_timeout).min(core.config.ejection.interval);
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut judged = Instant::now();
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let now = Instant::now();
        for member in &core.members {
            member.target.sweep();
            member.target.figures.available(member.target.standing.available(now));
        }
        if now.saturating_duration_since(judged) >= core.config.ejection.interval {
            judged = now;
            core.judge();
        }
        let mut draining = core.draining.lock().unwrap_or_else(PoisonError::into_inner);
        draining.retain(|former| former.target.load.in_flight() > 0);
    }
}
