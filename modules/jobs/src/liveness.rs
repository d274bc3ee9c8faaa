//! Signs of life. Each process raises a counter every second; the others look whether it changes, by their own
//! monotonic clocks. No wall clock is compared with another, so setting one back harms nothing.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::FutureExt;
use kernel::{Caller, Problem, Tx};
use tokio::time::Instant;

use crate::enqueue::BELL;
use crate::model::ProcessId;
use crate::process::Shared;
use crate::store;

/// How often the others are looked at.
const LOOK: Duration = Duration::from_millis(500);
/// A sign of life with every second look.
const LOOKS_PER_BEAT: u32 = 2;
/// How often the queues are measured.
const LOOKS_PER_MEASURE: u32 = 20;
/// Dead after this long without a sign.
const DEAD_AFTER: Duration = Duration::from_secs(3);
/// Who has not looked for this long (asleep, or without the database) starts counting anew.
const BLIND_AFTER: Duration = Duration::from_secs(2);
/// A sign of life that takes longer is given up; the next one may get through.
const PATIENCE: Duration = Duration::from_secs(2);

/// Gives and watches signs of life, for ever.
pub(crate) async fn run(shared: &Shared) {
    let mut watch = Watch::default();
    let mut ticks = tokio::time::interval(LOOK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for look in 0_u32.. {
        ticks.tick().await;
        let round = tokio::time::timeout(PATIENCE, round(shared, &mut watch, look)).boxed();
        match round.await {
            Ok(Ok(())) => {}
            Ok(Err(problem)) => tracing::warn!(?problem, "no sign of life could be given"),
            Err(_) => tracing::warn!("no sign of life could be given in time"),
        }
    }
}

async fn round(shared: &Shared, watch: &mut Watch, look: u32) -> Result<(), Problem> {
    let Some(id) = shared.id() else { return shared.enter().await };
    let caller = Caller::platform("jobs");
    if look.is_multiple_of(LOOKS_PER_BEAT) {
        let beat = async |tx: &Tx| Ok::<_, Problem>(store::beat(tx, id).await?);
        if !shared.db.write(&caller, beat).boxed().await? {
            tracing::warn!("this process was believed dead; its jobs were given to others");
            shared.lost();
            return shared.enter().await;
        }
    }
    let beats = async |tx: &Tx| Ok::<_, Problem>(store::beats(tx, id).await?);
    let beats = shared.db.read(&caller, beats).boxed().await?;
    for (dead, beat) in watch.look(Instant::now(), &beats) {
        bury(shared, dead, beat).await?;
    }
    if look.is_multiple_of(LOOKS_PER_MEASURE) {
        measure(shared).await?;
    }
    Ok(())
}

/// Makes the jobs of a dead process ready again.
async fn bury(shared: &Shared, dead: ProcessId, beat: i64) -> Result<(), Problem> {
    let caller = Caller::platform("jobs");
    let bury = async |tx: &Tx| {
        tx.ring_on_commit(BELL);
        Ok::<_, Problem>(store::bury(tx, dead, beat).await?)
    };
    if let Some(jobs) = shared.db.write(&caller, bury).boxed().await? {
        tracing::warn!(process = %dead, jobs, "a process died; its jobs are ready again");
        metrics::counter!("holdfast_jobs_processes_buried_total").increment(1);
    }
    Ok(())
}

/// Publishes how full the queues are.
async fn measure(shared: &Shared) -> Result<(), Problem> {
    let caller = Caller::platform("jobs");
    let queues = shared.db.read(&caller, async |tx| store::stats(tx, None).await).boxed().await?;
    for stats in queues {
        let states = [
            ("ready", stats.ready),
            ("scheduled", stats.scheduled),
            ("running", stats.running),
            ("retrying", stats.retrying),
            ("dead", stats.dead),
        ];
        for (state, count) in states {
            let count = f64::from(u32::try_from(count).unwrap_or(u32::MAX));
            metrics::gauge!("holdfast_jobs_queue", "queue" => stats.queue.clone(), "state" => state).set(count);
        }
    }
    Ok(())
}

/// What one process knows of the others' signs.
#[derive(Default)]
struct Watch {
    last_look: Option<Instant>,
    /// The last sign of each, and when it was new.
    signs: HashMap<ProcessId, (i64, Instant)>,
}

impl Watch {
    /// Takes in what is seen now; returns those who are dead, with their last sign.
    fn look(&mut self, now: Instant, beats: &[(ProcessId, i64)]) -> Vec<(ProcessId, i64)> {
        let blind = self.last_look.is_none_or(|last| now - last > BLIND_AFTER);
        self.last_look = Some(now);
        let before = std::mem::take(&mut self.signs);
        for (process, beat) in beats {
            let since = match before.get(process) {
                Some((last, since)) if last == beat && !blind => *since,
                _ => now,
            };
            self.signs.insert(*process, (*beat, since));
        }
        let dead = self.signs.iter().filter(|(_, (_, since))| now - *since >= DEAD_AFTER);
        dead.map(|(process, (beat, _))| (*process, *beat)).collect()
    }
}

#[cfg(test)]
mod tests {
    use kernel::Random;

    use super::*;

    fn process() -> ProcessId {
        Random::default().id(kernel::Clock::default().now())
    }

    #[test]
    fn only_who_gives_no_sign_for_three_seconds_is_dead() {
        let (quiet, lively) = (process(), process());
        let mut watch = Watch::default();
        let start = Instant::now();

        let mut found = Vec::new();
        for tick in 0..=6_u32 {
            let beats = [(quiet, 7), (lively, i64::from(tick))];
            found.push(watch.look(start + LOOK * tick, &beats));
        }

        assert!(found[..6].iter().all(Vec::is_empty), "nobody is dead before 3 s: {found:?}");
        assert_eq!(found[6], [(quiet, 7)]);
    }

    #[test]
    fn who_was_blind_starts_counting_anew() {
        let quiet = process();
        let mut watch = Watch::default();
        let start = Instant::now();

        watch.look(start, &[(quiet, 7)]);
        let after_sleep = watch.look(start + Duration::from_secs(60), &[(quiet, 7)]);

        assert_eq!(after_sleep, []);
    }
}
