//! The graph in the file.

use std::io;

use super::wire::{Reader, Writer, wrong};
use crate::vector_index::graph::Graph;
use crate::vector_index::links::{ABOVE, GROUND, HIGHEST, Links};

const NONE: u32 = u32::MAX;

pub(super) fn write(out: &mut Writer<'_>, graph: &Graph) -> io::Result<()> {
    let (entry, top) = graph.entry.map_or((NONE, 0), |(row, level)| (row, level));
    out.u32(entry)?;
    out.count(top)?;
    out.count(graph.len())?;
    out.list(&graph.links.ground, u32::to_le_bytes)?;
    out.count(graph.links.above.len())?;
    for (row, levels) in &graph.links.above {
        out.u32(*row)?;
        out.count(levels.len())?;
        for neighbours in levels {
            out.count(neighbours.len())?;
            out.list(neighbours, u32::to_le_bytes)?;
        }
    }
    Ok(())
}

pub(super) fn read(input: &mut Reader<'_>, rows: usize) -> io::Result<Graph> {
    let (entry, top, count) = (input.u32()?, input.count()?, input.count()?);
    let known = |row: u32| (row as usize) < count;
    let places = count.checked_mul(GROUND).filter(|_| count <= rows).ok_or_else(|| wrong("a count is too large"))?;
    let mut links = Links { ground: input.list(places, u32::from_le_bytes)?, ..Links::default() };
    if links.ground.iter().any(|row| *row != NONE && !known(*row)) || entry != NONE && !known(entry) {
        return Err(wrong("the graph leads nowhere"));
    }
    for _ in 0..input.count()? {
        let (row, levels) = (input.u32()?, input.count()?);
        if !known(row) || levels > HIGHEST {
            return Err(wrong("the graph leads nowhere"));
        }
        let levels = (0..levels).map(|_| neighbours(input, count)).collect::<io::Result<_>>()?;
        links.above.insert(row, levels);
    }
    Ok(Graph { links, entry: (entry != NONE).then_some((entry, top)) })
}

fn neighbours(input: &mut Reader<'_>, rows: usize) -> io::Result<Vec<u32>> {
    let count = input.count()?;
    if count > ABOVE {
        return Err(wrong("a count is too large"));
    }
    let list = input.list(count, u32::from_le_bytes)?;
    if list.iter().any(|row| *row as usize >= rows) {
        return Err(wrong("the graph leads nowhere"));
    }
    Ok(list)
}
