//! The rows in the file.

use std::io;

use half::f16;
use uuid::Uuid;

use super::wire::{Reader, Writer, wrong};
use crate::vector_index::rows::{GONE, Rows};

pub(super) fn write(out: &mut Writer<'_>, rows: &Rows) -> io::Result<()> {
    out.count(rows.dimensions())?;
    out.count(rows.documents.len())?;
    for document in &rows.documents {
        out.id(document.id)?;
        out.id(document.collection)?;
        out.u32(u32::from(!document.rows.is_empty()))?;
    }
    out.count(rows.len())?;
    out.list(&rows.owners, u32::to_le_bytes)?;
    out.list(&rows.passages, Uuid::into_bytes)?;
    out.list(&rows.scales, f32::to_le_bytes)?;
    out.list(&rows.codes, i8::to_le_bytes)?;
    out.list(&rows.exact, f16::to_le_bytes)
}

/// `None` if they have another number of dimensions.
pub(super) fn read(input: &mut Reader<'_>, dimensions: usize) -> io::Result<Option<Rows>> {
    if input.count()? != dimensions {
        return Ok(None);
    }
    let mut rows = Rows::new(dimensions);
    let documents = input.count()?;
    for _ in 0..documents {
        let (id, collection, present) = (input.id()?, input.id()?, input.u32()?);
        rows.add_document(id, collection);
        if present == 0 {
            rows.forget(id);
        }
    }
    let count = input.count()?;
    let numbers = count.checked_mul(dimensions).ok_or_else(|| wrong("a count is too large"))?;
    let owners = input.list(count, u32::from_le_bytes)?;
    let passages = input.list(count, Uuid::from_bytes)?;
    rows.scales = input.list(count, f32::from_le_bytes)?;
    rows.codes = input.list(numbers, i8::from_le_bytes)?;
    rows.exact = input.list(numbers, f16::from_le_bytes)?;
    for (owner, passage) in owners.into_iter().zip(passages) {
        if owner != GONE && owner as usize >= documents {
            return Err(wrong("a row belongs to no document"));
        }
        rows.add_row(passage, owner);
    }
    Ok(Some(rows))
}
