//! A navigable graph over the rows: HNSW (Malkov and Yashunin 2018), with the neighbour selection of its algorithm 4.
//!
//! Own code, since the crates for it keep vectors a second time, can't be saved and loaded without leaking, draw levels
//! at random and return too few under a filter (docs/adr). Here levels follow from the row's number, so that the same
//! rows in the same order give the same graph.

use super::links::{ABOVE, HIGHEST, Links};
use super::rows::{Probe, Rows};
use super::scan::Near;
use super::walk::{self, Walk};

/// Candidates that are looked at for a new row's neighbours.
const BUILD_BREADTH: usize = 192;

/// The graph over the first [`Graph::len`] rows.
#[derive(Default)]
pub(super) struct Graph {
    pub(super) links: Links,
    /// Where every walk starts, and its level.
    pub(super) entry: Option<(u32, usize)>,
}

/// The neighbours that the next row should get, by level from 0 up.
pub(super) struct Plan {
    row: u32,
    levels: Vec<Vec<u32>>,
}

impl Graph {
    pub(super) fn len(&self) -> usize {
        self.links.len()
    }

    /// Where the next row belongs. The slow part of taking it in; it changes nothing.
    pub(super) fn plan(&self, rows: &Rows) -> Plan {
        let row = u32::try_from(self.len()).unwrap_or(u32::MAX);
        let level = level_of(row);
        let mut levels = vec![Vec::new(); level + 1];
        let Some((entry, top)) = self.entry else { return Plan { row, levels } };
        let probe = rows.probe(row);
        let near = |other: u32| rows.near(&probe, other);
        let mut start = walk::descend(&self.links, entry, top, level.min(top), &near);
        for at in (0..=level.min(top)).rev() {
            let walk = Walk { level: at, breadth: BUILD_BREADTH, budget: usize::MAX };
            let found = walk.run(&self.links, start, &near, &|_| true).into_sorted();
            start = found.first().map_or(start, |nearest| nearest.row);
            // On the ground half of the room is left for those who come later.
            levels[at] = choose(rows, &found, ABOVE);
        }
        Plan { row, levels }
    }

    /// Takes the next row in.
    pub(super) fn link(&mut self, plan: Plan, rows: &Rows) {
        let Plan { row, levels } = plan;
        if self.len() != row as usize {
            return;
        }
        self.links.push(&levels);
        for (level, neighbours) in levels.iter().enumerate() {
            for &neighbour in neighbours {
                self.link_back(neighbour, row, level, rows);
            }
        }
        let top = levels.len() - 1;
        if self.entry.is_none_or(|(_, highest)| top > highest) {
            self.entry = Some((row, top));
        }
    }

    fn link_back(&mut self, from: u32, to: u32, level: usize, rows: &Rows) {
        let mut neighbours = self.links.of(from, level).to_vec();
        neighbours.push(to);
        let room = Links::room(level);
        if neighbours.len() > room {
            let probe = rows.probe(from);
            let mut found: Vec<Near> =
                neighbours.iter().map(|&row| Near { near: rows.near(&probe, row), row }).collect();
            found.sort_unstable_by(|a, b| b.cmp(a));
            neighbours = choose(rows, &found, room);
        }
        self.links.set(from, level, &neighbours);
    }
}

/// Up to `room` of the candidates (nearest first), such that they lie in different directions: one that is nearer to
/// a chosen one than to the row itself is led to by that one. Those fill what room is left.
fn choose(rows: &Rows, candidates: &[Near], room: usize) -> Vec<u32> {
    let mut chosen: Vec<(u32, Probe<'_>)> = Vec::with_capacity(room);
    let mut passed = Vec::new();
    for candidate in candidates {
        if chosen.len() == room {
            break;
        }
        if chosen.iter().all(|(_, probe)| rows.near(probe, candidate.row) < candidate.near) {
            chosen.push((candidate.row, rows.probe(candidate.row)));
        } else {
            passed.push(candidate.row);
        }
    }
    let left = room - chosen.len();
    chosen.into_iter().map(|(row, _)| row).chain(passed.into_iter().take(left)).collect()
}

/// Level 0 for most, each higher one for a sixteenth of those below. `SplitMix64` of the row's number.
fn level_of(row: u32) -> usize {
    let mut mixed = u64::from(row).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    (mixed.trailing_zeros() as usize / ABOVE.trailing_zeros() as usize).min(HIGHEST)
}
