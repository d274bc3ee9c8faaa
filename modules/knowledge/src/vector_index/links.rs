//! Who neighbours whom in the graph, level by level.

use std::collections::HashMap;

/// Neighbours of a row on the ground level, where all rows are.
pub(super) const GROUND: usize = 32;
/// Neighbours on a higher level.
pub(super) const ABOVE: usize = 16;
/// The highest level there can be: 16^12 rows would fill it.
pub(super) const HIGHEST: usize = 12;
const NOBODY: u32 = u32::MAX;

/// Neighbours by level. Ground level: a fixed number of places for each row, one after another.
#[derive(Default)]
pub(super) struct Links {
    pub(super) ground: Vec<u32>,
    /// For rows that are on higher levels, their neighbours on level 1 and up.
    pub(super) above: HashMap<u32, Vec<Vec<u32>>>,
}

impl Links {
    pub(super) fn len(&self) -> usize {
        self.ground.len() / GROUND
    }

    /// The most neighbours that a row has on a level.
    pub(super) fn room(level: usize) -> usize {
        if level == 0 { GROUND } else { ABOVE }
    }

    pub(super) fn of(&self, row: u32, level: usize) -> &[u32] {
        if level > 0 {
            return self.above.get(&row).and_then(|levels| levels.get(level - 1)).map_or(&[], Vec::as_slice);
        }
        let places = &self.ground[row as usize * GROUND..(row as usize + 1) * GROUND];
        let count = places.iter().position(|place| *place == NOBODY).unwrap_or(GROUND);
        &places[..count]
    }

    /// Takes in the next row with its neighbours on level 0 and up.
    pub(super) fn push(&mut self, levels: &[Vec<u32>]) {
        let row = u32::try_from(self.len()).unwrap_or(NOBODY);
        self.ground.resize(self.ground.len() + GROUND, NOBODY);
        self.set(row, 0, levels.first().map_or(&[], Vec::as_slice));
        if levels.len() > 1 {
            self.above.insert(row, levels[1..].to_vec());
        }
    }

    /// Replaces a row's neighbours on a level.
    pub(super) fn set(&mut self, row: u32, level: usize, neighbours: &[u32]) {
        if level > 0 {
            if let Some(kept) = self.above.get_mut(&row).and_then(|levels| levels.get_mut(level - 1)) {
                kept.clear();
                kept.extend_from_slice(neighbours);
            }
            return;
        }
        let places = &mut self.ground[row as usize * GROUND..(row as usize + 1) * GROUND];
        places.fill(NOBODY);
        let count = neighbours.len().min(GROUND);
        places[..count].copy_from_slice(&neighbours[..count]);
    }
}
