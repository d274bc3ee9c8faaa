//! The file of a vector index: all of it or, at any fault, none.
//!
//! Little-endian: magic, format, model, dimensions, sequence number, then the rows, the graph, and a CRC-32 of all
//! before. Written beside and moved into place.

mod graph;
mod rows;
mod wire;

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use super::State;
use super::error::VectorIndexError;
use crate::embed::ModelId;
use wire::{Reader, Writer};

const NAME: &str = "vectors.bin";
const MAGIC: &[u8; 8] = b"HFVECTOR";
/// Changes with the layout of the file and with how the graph is made.
const FORMAT: u32 = 1;

/// Makes the folder readable by its owner alone.
pub(super) fn make(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Makes the folder anew, empty.
pub(super) fn clear(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => make(folder),
    }
}

pub(super) fn write(folder: &Path, model: &ModelId, state: &State) -> Result<(), VectorIndexError> {
    let beside = folder.join(format!("{NAME}.new"));
    let mut file = BufWriter::with_capacity(1 << 20, File::create(&beside)?);
    let mut out = Writer::new(&mut file);
    out.bytes(MAGIC)?;
    out.u32(FORMAT)?;
    out.text(model.as_str())?;
    out.u64(state.seq)?;
    rows::write(&mut out, &state.rows)?;
    graph::write(&mut out, &state.graph)?;
    out.finish()?;
    file.flush()?;
    file.get_ref().sync_all()?;
    fs::rename(&beside, folder.join(NAME))?;
    File::open(folder)?.sync_all()?;
    Ok(())
}

/// The index that the folder holds; `None` if it holds none.
pub(super) fn read(folder: &Path, model: &ModelId, dimensions: usize) -> Result<Option<State>, VectorIndexError> {
    let path = folder.join(NAME);
    let length = match fs::metadata(&path) {
        Ok(meta) => meta.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let rebuild = |reason: &str| VectorIndexError::NeedsRebuild(reason.to_owned());
    // Lengths inside are believed only after the whole was found to be what was written.
    if length < 4 || !is_whole(&path, length)? {
        return Err(rebuild("its file is damaged"));
    }
    let mut file = BufReader::with_capacity(1 << 20, File::open(&path)?);
    let state = parse(&mut Reader::new(&mut file), model, dimensions);
    match state {
        Ok(Some(state)) => Ok(Some(state)),
        Ok(None) => Err(rebuild("its file is of another model or version")),
        Err(error) => Err(VectorIndexError::NeedsRebuild(format!("its file can't be read: {error}"))),
    }
}

fn parse(input: &mut Reader<'_>, model: &ModelId, dimensions: usize) -> io::Result<Option<State>> {
    if input.bytes(MAGIC.len())? != MAGIC || input.u32()? != FORMAT || input.text()? != model.as_str() {
        return Ok(None);
    }
    let seq = input.u64()?;
    let Some(rows) = rows::read(input, dimensions)? else { return Ok(None) };
    let graph = graph::read(input, rows.len())?;
    Ok(Some(State { rows, graph, seq, saved: seq }))
}

fn is_whole(path: &Path, length: u64) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let mut hasher = crc32fast::Hasher::new();
    let mut buffer = vec![0u8; 1 << 20];
    let mut left = length - 4;
    while left > 0 {
        let most = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        file.read_exact(&mut buffer[..most])?;
        hasher.update(&buffer[..most]);
        left -= most as u64;
    }
    let mut sum = [0u8; 4];
    file.read_exact(&mut sum)?;
    Ok(u32::from_le_bytes(sum) == hasher.finalize())
}
