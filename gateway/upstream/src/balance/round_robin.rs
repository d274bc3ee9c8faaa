//! Smooth weighted round robin (nginx): five, one, one becomes a a b a c a a, not a a a a a b c.

use std::sync::{Mutex, PoisonError};

use super::Field;

/// Whose turn it is.
#[derive(Debug)]
pub(crate) struct Turns(Mutex<Vec<f64>>);

impl Turns {
    pub(crate) fn new(targets: usize) -> Self {
        Self(Mutex::new(vec![0.0; targets]))
    }

    pub(super) fn pick(&self, field: &impl Field) -> Option<usize> {
        let mut credits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut total = 0.0;
        let mut best: Option<usize> = None;
        for index in (0..field.len()).filter(|index| field.eligible(*index)) {
            let share = field.share(index);
            credits[index] += share;
            total += share;
            // A hair's breadth, for shares are not exact.
            if best.is_none_or(|best| credits[index] > credits[best] + 1e-9) {
                best = Some(index);
            }
        }
        let best = best?;
        credits[best] -= total;
        Some(best)
    }
}
