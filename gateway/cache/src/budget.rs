//! The bytes that answers under way may hold at once, over all requests.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// What is left for answers that are kept while they come in.
#[derive(Clone, Debug)]
pub(crate) struct Budget(Arc<AtomicU64>);

/// A part of the budget, given back when dropped.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Budget,
    bytes: u64,
}

impl Budget {
    pub(crate) fn new(bytes: u64) -> Self {
        Self(Arc::new(AtomicU64::new(bytes)))
    }

    /// A share of so many bytes, if they are left.
    pub(crate) fn share(&self, bytes: u64) -> Option<Share> {
        let mut share = Share { budget: self.clone(), bytes: 0 };
        share.grow_to(bytes).then_some(share)
    }
}

impl Share {
    /// Makes the share at least so large; `false`, and nothing changed, if that much is not left.
    pub(crate) fn grow_to(&mut self, bytes: u64) -> bool {
        let more = bytes.saturating_sub(self.bytes);
        let taken = self.budget.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(more));
        self.bytes += if taken.is_ok() { more } else { 0 };
        taken.is_ok()
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.0.fetch_add(self.bytes, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_never_exceed_the_budget_and_come_back() {
        let budget = Budget::new(100);
        let mut one = budget.share(60).unwrap();

        assert!(budget.share(41).is_none());
        assert!(one.grow_to(100));
        assert!(!one.grow_to(101));
        drop(one);
        assert!(budget.share(100).is_some());
    }
}
