//! What comes out of a document.

use std::ops::Range;

/// A document's text and its structure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extracted {
    /// All of the text: UTF-8, lines end with `\n`, no other control character but tab.
    pub text: String,
    /// The document's own title, when it has one.
    pub title: Option<String>,
    /// The parts of the text, in order, apart from each other; what lies between is white space.
    pub blocks: Vec<Block>,
}

/// One part of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// What it is.
    pub kind: BlockKind,
    /// Where it is: bytes of the text.
    pub range: Range<usize>,
    /// The page that it begins on, from 1, when the format has pages.
    pub page: Option<u32>,
}

/// Kinds of [`Block`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockKind {
    /// A heading; 1 is the highest level, 6 the lowest.
    Heading(u8),
    /// Running text.
    Paragraph,
    /// One item of a list, with its marker.
    ListItem,
    /// What the next block explains: the term of a definition list, the signature of a function.
    Term,
    /// Preformatted text.
    Code,
    /// A whole table, a line for each row.
    Table,
    /// One record of a data file, with the names of its fields.
    Row,
}

impl Extracted {
    /// Whether the blocks are in order, apart, not empty and on the borders of characters.
    pub(super) fn is_sound(&self) -> bool {
        let mut end = 0;
        self.blocks.iter().all(|block| {
            let sound = block.range.start >= end
                && block.range.start < block.range.end
                && self.text.get(block.range.clone()).is_some();
            end = block.range.end;
            sound
        })
    }
}
