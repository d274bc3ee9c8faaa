//! A deadline inside a poll function that costs next to nothing while all goes well.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

/// Watches one wait at a time, named by `K`. Moving on to another wait starts anew.
///
/// The timer behind it is left running when a wait ends: it is moved when it fires too early, so that a busy
/// connection doesn't touch the timer wheel with every read.
#[derive(Debug)]
pub(crate) struct Alarm<K> {
    watched: Option<(K, Instant)>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl<K> Default for Alarm<K> {
    fn default() -> Self {
        Self { watched: None, sleep: None }
    }
}

impl<K: PartialEq> Alarm<K> {
    /// The wait is over.
    pub(crate) fn clear(&mut self) {
        self.watched = None;
    }

    /// Whether the wait has a deadline already.
    pub(crate) fn watches(&self, wait: &K) -> bool {
        self.watched.as_ref().is_some_and(|(watched, _)| watched == wait)
    }

    /// Whether this wait has lasted `limit`; else the task is woken when it has.
    pub(crate) fn expired(&mut self, cx: &mut Context<'_>, wait: K, limit: Duration) -> bool {
        if !self.watches(&wait) {
            self.watched = Some((wait, Instant::now() + limit));
        }
        let Some((_, deadline)) = self.watched else { return false };
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if sleep.deadline() > deadline {
            sleep.as_mut().reset(deadline);
        }
        while sleep.as_mut().poll(cx) == Poll::Ready(()) {
            if Instant::now() >= deadline {
                return true;
            }
            sleep.as_mut().reset(deadline);
        }
        false
    }
}
