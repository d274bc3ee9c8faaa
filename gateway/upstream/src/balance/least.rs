//! Least requests.

use super::{Dice, Field};

/// The one with the fewest requests for its share; among equals by chance.
pub(super) fn pick(field: &impl Field, dice: &Dice) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    let mut equals = 0.0;
    for index in (0..field.len()).filter(|index| field.eligible(*index)) {
        let share = field.share(index);
        let load = f64::from(field.in_flight(index)) / share;
        match best {
            Some((_, least)) if load > least => {}
            Some((_, least)) if load.to_bits() == least.to_bits() => {
                // Each of the equals ends up chosen with the chance of its share.
                equals += share;
                if dice.unit() * equals < share {
                    best = Some((index, load));
                }
            }
            _ => {
                equals = share;
                best = Some((index, load));
            }
        }
    }
    best.map(|(index, _)| index)
}
