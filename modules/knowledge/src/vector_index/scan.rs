//! The best of what is offered.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// A row and how near it is. Ordered by nearness; among equals the earlier row is the nearer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Near {
    pub(super) near: f32,
    pub(super) row: u32,
}

impl PartialEq for Near {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Near {}

impl Ord for Near {
    fn cmp(&self, other: &Self) -> Ordering {
        self.near.total_cmp(&other.near).then_with(|| other.row.cmp(&self.row))
    }
}

impl PartialOrd for Near {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The nearest few: a heap with the farthest of them on top.
pub(super) struct Nearest {
    limit: usize,
    heap: BinaryHeap<Reverse<Near>>,
}

impl Nearest {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, heap: BinaryHeap::with_capacity(limit.min(4096) + 1) }
    }

    pub(super) fn is_full(&self) -> bool {
        self.heap.len() >= self.limit
    }

    /// How near the farthest is, once full.
    pub(super) fn bar(&self) -> f32 {
        match self.heap.peek() {
            Some(Reverse(farthest)) if self.is_full() => farthest.near,
            _ => f32::NEG_INFINITY,
        }
    }

    pub(super) fn offer(&mut self, near: Near) {
        if !self.is_full() {
            self.heap.push(Reverse(near));
        } else if let Some(mut farthest) = self.heap.peek_mut()
            && near > farthest.0
        {
            *farthest = Reverse(near);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }

    /// Nearest first.
    pub(super) fn into_sorted(self) -> Vec<Near> {
        self.heap.into_sorted_vec().into_iter().map(|Reverse(near)| near).collect()
    }
}
