//! How each format reads.

mod office;
mod pages;
mod samples;
mod texts;

use super::{BlockKind, Extracted, Limits, Unreadable, read_document};

fn read(bytes: &[u8], name: &str) -> Result<Extracted, Unreadable> {
    let result = read_document(bytes, "application/octet-stream", name, &Limits::default());
    if let Ok(extracted) = &result {
        assert!(extracted.is_sound(), "{extracted:?}");
        assert_eq!(result, read_document(bytes, "application/octet-stream", name, &Limits::default()));
    }
    result
}

/// Kind and text of each block.
fn blocks(extracted: &Extracted) -> Vec<(BlockKind, &str)> {
    extracted.blocks.iter().map(|block| (block.kind, &extracted.text[block.range.clone()])).collect()
}

fn read_blocks(bytes: &[u8], name: &str) -> Vec<(BlockKind, String)> {
    let extracted = read(bytes, name).unwrap();
    blocks(&extracted).into_iter().map(|(kind, text)| (kind, text.to_owned())).collect()
}

fn state(bytes: &[u8], name: &str) -> &'static str {
    read(bytes, name).unwrap_err().state()
}
