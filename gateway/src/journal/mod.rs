//! What the edge remembers and tells of the requests of its public listeners: the recent ones in memory, and a line in
//! the log for those that are chosen.
//!
//! Start at [`Journal`]. One place decides for everything behind the edge, routes and application alike. A request is
//! noted when the head of its answer is there; whoever answers leaves its [`Particulars`] in the answer's extensions.
//!
//! Deliberately absent: queries, header fields and bodies. They hold secrets, and so nothing here ever sees them.

mod access_log;
mod draft;
mod recent;
mod record;
mod tail;

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use serde::Deserialize;

use crate::units;

pub use access_log::{AccessLine, AccessLines};
pub(crate) use draft::Draft;
use recent::Recent;
#[cfg(test)]
pub(crate) use record::tests_record;
pub use record::{CacheOutcome, Particulars, Record};
pub use tail::{Batch, Tail};

/// The most requests that may be remembered.
pub(crate) const RECENT_CEILING: usize = 100_000;

/// Which requests have a line in the log.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessLog {
    /// Whether any has.
    pub enabled: bool,
    /// The share, 0 to 1, of those that went well and were quick; chosen by the trace, so that all processes that a
    /// trace passes choose the same.
    pub sample: f64,
    /// The status from which an answer counts as a failure; failures always have a line. 100 to 600.
    pub failures_from: u16,
    /// What took at least so long always has a line. 0 = time does not matter.
    #[serde(deserialize_with = "units::duration")]
    pub slow: Duration,
}

/// Remembers and tells. It lasts as long as the process, and is shared by all listeners.
pub struct Journal {
    log: AccessLog,
    recent: Recent,
    now: Box<dyn Fn() -> SystemTime + Send + Sync>,
    lines: Option<Box<dyn AccessLines>>,
}

impl Journal {
    /// A journal that remembers so many requests (0 = none). `now` is the wall clock; `lines` takes what is for the log,
    /// else it goes to `tracing`.
    pub fn new(
        log: AccessLog,
        recent: usize,
        now: impl Fn() -> SystemTime + Send + Sync + 'static,
        lines: Option<Box<dyn AccessLines>>,
    ) -> Arc<Self> {
        let first = now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let first = u64::try_from(first.as_micros()).unwrap_or(0);
        Arc::new(Self { log, recent: Recent::new(recent, first), now: Box::new(now), lines })
    }

    /// How many requests it can remember.
    pub fn capacity(&self) -> usize {
        self.recent.capacity()
    }

    /// Those that it remembers with numbers in between (both ends left out), the highest number first if `descending`.
    /// Numbers grow by one with each request; those of a process that is started later are higher.
    pub fn recent(
        &self,
        above: Option<u64>,
        below: Option<u64>,
        descending: bool,
    ) -> impl Iterator<Item = Arc<Record>> + '_ {
        self.recent.between(above, below, descending)
    }

    /// Follows the requests from now on, or from after this number on if that is remembered.
    pub fn follow(self: &Arc<Self>, after: Option<u64>) -> Tail {
        Tail::new(Arc::clone(self), after)
    }

    /// Whether there is nothing to do at all.
    fn is_idle(&self) -> bool {
        !self.log.enabled && self.recent.capacity() == 0
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal")
            .field("log", &self.log)
            .field("recent", &self.recent.capacity())
            .finish_non_exhaustive()
    }
}
