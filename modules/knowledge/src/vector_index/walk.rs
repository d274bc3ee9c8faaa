//! A walk through the graph towards what is near.

use std::collections::BinaryHeap;

use super::links::Links;
use super::scan::{Near, Nearest};

/// How far a walk looks.
pub(super) struct Walk {
    pub(super) level: usize,
    /// How many allowed rows it keeps while it goes on: more find better neighbours and take longer.
    pub(super) breadth: usize,
    /// Rows that it may look at before it gives up.
    pub(super) budget: usize,
}

/// From `entry` on level `from` down to level `to`, always to the nearest neighbour.
pub(super) fn descend(links: &Links, entry: u32, from: usize, to: usize, near: &impl Fn(u32) -> f32) -> u32 {
    let mut at = Near { near: near(entry), row: entry };
    for level in (to + 1..=from).rev() {
        loop {
            let nearest = links.of(at.row, level).iter().map(|&row| Near { near: near(row), row }).max();
            match nearest {
                Some(nearest) if nearest > at => at = nearest,
                _ => break,
            }
        }
    }
    at.row
}

impl Walk {
    /// The nearest rows that are `allowed`. Others are walked over, so that a filter can't cut the way off; the walk
    /// goes on until it has its breadth of allowed ones. Fewer come only when the budget or the graph ends.
    pub(super) fn run(
        &self,
        links: &Links,
        start: u32,
        near: &impl Fn(u32) -> f32,
        allowed: &impl Fn(u32) -> bool,
    ) -> Nearest {
        let mut seen = Seen::new(links.len());
        let mut found = Nearest::new(self.breadth);
        let mut open = BinaryHeap::new();
        let mut left = self.budget;
        let first = Near { near: near(start), row: start };
        seen.first_time(start);
        open.push(first);
        if allowed(start) {
            found.offer(first);
        }
        while let Some(at) = open.pop() {
            if at.near < found.bar() {
                break;
            }
            for &row in links.of(at.row, self.level) {
                if !seen.first_time(row) {
                    continue;
                }
                let next = Near { near: near(row), row };
                if next.near > found.bar() {
                    open.push(next);
                    if allowed(row) {
                        found.offer(next);
                    }
                }
                left = left.saturating_sub(1);
            }
            if left == 0 {
                break;
            }
        }
        found
    }
}

/// Which rows were met, a bit for each.
struct Seen(Vec<u64>);

impl Seen {
    fn new(rows: usize) -> Self {
        Self(vec![0; rows.div_ceil(64)])
    }

    fn first_time(&mut self, row: u32) -> bool {
        let bit = 1u64 << (row % 64);
        let word = &mut self.0[row as usize / 64];
        let new = *word & bit == 0;
        *word |= bit;
        new
    }
}
