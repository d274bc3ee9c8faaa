//! Source code, JSON, XML and settings: lines as they are, in blocks that begin where a definition does.

use super::error::Unreadable;
use super::model::BlockKind;
use super::writer::Writer;

/// A definition longer than this is cut at its blank lines, in bytes.
const LONG: usize = 1200;

/// Blocks of code. A block begins at a line without indentation after a blank one, since definitions in nearly every
/// language do.
pub(super) fn read(text: &str, out: &mut Writer) -> Result<(), Unreadable> {
    let mut start = 0;
    let mut at = 0;
    let mut after_blank = false;
    for line in text.split_inclusive('\n') {
        let blank = line.trim().is_empty();
        let outer = !line.starts_with([' ', '\t', '}', ')', ']']);
        if after_blank && !blank && (outer || at - start > LONG) {
            block(&text[start..at], out)?;
            start = at;
        }
        after_blank = blank;
        at += line.len();
    }
    block(&text[start..], out)
}

fn block(text: &str, out: &mut Writer) -> Result<(), Unreadable> {
    if text.trim().is_empty() {
        return Ok(());
    }
    out.begin(BlockKind::Code)?;
    out.verbatim(text)
}
