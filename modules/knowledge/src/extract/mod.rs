//! Text with structure out of a document's bytes.
//!
//! Parsers meet hostile files here, so they run in a child process that can hurt nobody: [`Extractor`] (`parent`) starts
//! it and streams the bytes in, [`reader_process`] (`child`) is what runs inside. [`read_document`] is the reading itself,
//! plain and without a process around it.

mod child;
mod code;
mod docx;
mod error;
mod format;
mod html;
mod limits;
mod markdown;
mod model;
mod parent;
mod pdf;
mod plain;
mod rows;
mod wire;
mod writer;

#[cfg(test)]
mod tests;

pub use child::{READER_COMMAND, reader_process};
pub use error::{ExtractError, Unreadable};
pub use limits::Limits;
pub use model::{Block, BlockKind, Extracted};
pub use parent::{Extractor, ExtractorConfig};

use format::Format;
use writer::Writer;

/// Which extraction made a text. Stored with it; a citation is checked with the version that made it.
pub const EXTRACTOR_VERSION: u32 = 1;

/// Reads a document in this process and on this thread's stack.
///
/// `media_type` is what the sender declared and `name` what the file was called; both are hints, the bytes decide (a PDF
/// that was declared as text is read as a PDF). Deterministic. A parser may panic, run long or take much memory on a
/// hostile file: [`Extractor`] is for those.
///
/// # Errors
/// The named state in which the document ends.
pub fn read_document(bytes: &[u8], media_type: &str, name: &str, limits: &Limits) -> Result<Extracted, Unreadable> {
    if bytes.len() as u64 > limits.source_bytes {
        return Err(Unreadable::TooLarge { limit: limits.source_bytes });
    }
    let format = format::recognise(bytes, media_type, name)?;
    let mut out = Writer::new(limits);
    match format {
        Format::Pdf => pdf::read(bytes, limits, &mut out)?,
        Format::Docx => docx::read(bytes, limits, &mut out)?,
        Format::Html => html::read(&plain::decode_html(bytes)?, &mut out)?,
        Format::Markdown => markdown::read(&plain::decode(bytes)?, &mut out)?,
        Format::Rows { separator } => rows::read(&plain::decode(bytes)?, separator, &mut out)?,
        Format::Code => code::read(&plain::decode(bytes)?, &mut out)?,
        Format::Plain => plain::read(&plain::decode(bytes)?, &mut out)?,
    }
    out.finish()
}
