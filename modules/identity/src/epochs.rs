//! What is known about credentials goes stale the moment something about them changes.
//!
//! Every change draws the next number of one counter and leaves it in a slot of its tenant or account. What was
//! loaded before carries a lower number and is never used again, even if it is put into the cache afterwards. Slots
//! are shared by hash, so their number is fixed; sharing costs a needless reload, never a stale answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kernel::StaleHook;
use tokio::sync::watch;
use uuid::Uuid;

/// What goes stale when an account changes, by its id.
pub(crate) const STALE: &str = "identity.account";
const SLOTS: usize = 4096;

/// The counter and its slots.
pub(crate) struct Epochs {
    last: AtomicU64,
    bell: watch::Sender<u64>,
    slots: Box<[AtomicU64]>,
}

/// The number that was the last one when loading began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp(u64);

impl Default for Epochs {
    fn default() -> Self {
        let slots = (0..SLOTS).map(|_| AtomicU64::new(0)).collect();
        Self { last: AtomicU64::new(0), bell: watch::Sender::new(0), slots }
    }
}

impl Epochs {
    /// To be taken before what it stamps is read.
    pub(crate) fn stamp(&self) -> Stamp {
        Stamp(self.last.load(Ordering::SeqCst))
    }

    /// Makes all that was stamped before now, and that is about this tenant or account, stale.
    pub(crate) fn bump(&self, subject: Uuid) {
        let next = self.last.fetch_add(1, Ordering::SeqCst) + 1;
        self.slot(subject).fetch_max(next, Ordering::SeqCst);
        self.bell.send_modify(|number| *number += 1);
    }

    /// Makes all that was stamped before now stale.
    pub(crate) fn bump_all(&self) {
        let next = self.last.fetch_add(1, Ordering::SeqCst) + 1;
        for slot in &self.slots {
            slot.fetch_max(next, Ordering::SeqCst);
        }
        self.bell.send_modify(|number| *number += 1);
    }

    /// A hook for what goes stale by the id of a tenant or an account.
    pub(crate) fn hook(self: &Arc<Self>) -> StaleHook {
        let epochs = Arc::clone(self);
        Arc::new(move |subject| match subject.map(Uuid::parse_str) {
            Some(Ok(subject)) => epochs.bump(subject),
            Some(Err(_)) | None => epochs.bump_all(),
        })
    }

    /// Rings after each change, of whomever.
    pub(crate) fn bell(&self) -> watch::Receiver<u64> {
        self.bell.subscribe()
    }

    /// Whether nothing about this tenant or account changed since the stamp.
    pub(crate) fn holds(&self, stamp: Stamp, subject: Uuid) -> bool {
        self.slot(subject).load(Ordering::Acquire) <= stamp.0
    }

    /// The last bytes of a `UUIDv7` are random.
    fn slot(&self, subject: Uuid) -> &AtomicU64 {
        let bytes = subject.as_bytes();
        &self.slots[usize::from(u16::from_be_bytes([bytes[14], bytes[15]])) % SLOTS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_stamped_before_a_change_is_stale_and_what_came_after_is_not() {
        let epochs = Epochs::default();
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let before = epochs.stamp();

        epochs.bump(one);

        assert!(!epochs.holds(before, one));
        assert!(epochs.holds(before, other));
        assert!(epochs.holds(epochs.stamp(), one));

        epochs.bump_all();

        assert!(!epochs.holds(before, other));
    }
}
