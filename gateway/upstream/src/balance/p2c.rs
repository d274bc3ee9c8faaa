//! The power of two choices.

use super::{Dice, Field};

/// The second choice must be better by this to be taken. Weights hold through the first one, which is drawn by them.
const CLEARLY: f64 = 1.5;

/// Draws two by their shares and takes the first, unless the second costs clearly less: the latency expected, times
/// the requests ahead for its share.
pub(super) fn pick(field: &impl Field, dice: &Dice) -> Option<usize> {
    let first = dice.draw(field, None)?;
    let Some(second) = dice.draw(field, Some(first)) else { return Some(first) };
    Some(if cost(field, first) > cost(field, second) * CLEARLY { second } else { first })
}

fn cost(field: &impl Field, index: usize) -> f64 {
    let ahead = f64::from(field.in_flight(index)) / field.share(index);
    // A microsecond, so that queues still differ where nothing is known.
    (field.latency(index) + 1e-6) * (1.0 + ahead)
}
