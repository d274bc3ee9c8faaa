//! Choosing a target.
//!
//! Peak EWMA with the power of two choices as in Finagle and Linkerd (`PeakEwma.scala`, `tower::load::PeakEwma`;
//! Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001), smooth weighted round robin as in
//! nginx, least requests, and weighted rendezvous hashing (Thaler and Ravishankar, 1998) with bounded loads (Mirrokni,
//! Thorup and Zadimoghaddam, "Consistent Hashing with Bounded Loads", 2016).

mod dice;
mod ewma;
mod hash;
mod least;
mod p2c;
mod round_robin;
#[cfg(test)]
mod tests;

pub(crate) use dice::Dice;
pub(crate) use ewma::Ewma;
pub(crate) use hash::{Key, identity};
pub(crate) use round_robin::Turns;

use crate::config::Balance;

/// What the balancers see of the targets.
pub(crate) trait Field {
    fn len(&self) -> usize;
    /// Whether it may be chosen at all.
    fn eligible(&self, index: usize) -> bool;
    /// Its weight against the heaviest one, above 0 to 1; less while it starts slowly.
    fn share(&self, index: usize) -> f64;
    /// Requests it has now.
    fn in_flight(&self, index: usize) -> u32;
    /// Seconds that an answer may take, as far as is known.
    fn latency(&self, index: usize) -> f64;
    /// A number that stays with the target wherever it stands in the list.
    fn identity(&self, index: usize) -> u64;
}

/// The state that choosing needs beside the targets' own.
#[derive(Debug)]
pub(crate) struct Balancer {
    dice: Dice,
    turns: Turns,
}

impl Balancer {
    pub(crate) fn new(seed: u64, targets: usize) -> Self {
        Self { dice: Dice::new(seed), turns: Turns::new(targets) }
    }

    pub(crate) fn dice(&self) -> &Dice {
        &self.dice
    }

    /// One that is eligible; none only if none is.
    pub(crate) fn pick(&self, balance: &Balance, field: &impl Field, key: Option<Key>) -> Option<usize> {
        match (balance, key) {
            (Balance::LeastRequests, _) => least::pick(field, &self.dice),
            (Balance::RoundRobin, _) => self.turns.pick(field),
            (Balance::ConsistentHash(settings), Some(key)) => hash::pick(field, key, settings.load_factor),
            (Balance::P2cEwma | Balance::ConsistentHash(_), _) => p2c::pick(field, &self.dice),
        }
    }
}
