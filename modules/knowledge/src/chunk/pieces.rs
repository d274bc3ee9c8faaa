//! The parts of a text that are not cut any further: paragraphs, or sentences and lines of long ones.

use std::ops::Range;

use super::ChunkConfig;
use super::sections::Sections;
use super::sentences::{cut_hard, cut_sentences};
use crate::extract::{Block, BlockKind, Extracted};

/// One part. Never longer than a passage may be; begins and ends with a character that is not white space.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) range: Range<usize>,
    pub(super) chars: usize,
    /// Characters from here to the end of the section.
    pub(super) rest: usize,
    pub(super) section: usize,
    /// The first part of a heading.
    pub(super) begins_section: bool,
    /// Means nothing without what follows: a heading, a term.
    pub(super) leads: bool,
    /// Running text, whose sentences may be repeated.
    pub(super) is_prose: bool,
    pub(super) page: Option<u32>,
}

struct Collector<'t> {
    text: &'t str,
    config: &'t ChunkConfig,
    pieces: Vec<Piece>,
    sections: Sections,
    section: usize,
}

/// All pieces of a document and their sections.
pub(super) fn pieces(extracted: &Extracted, config: &ChunkConfig) -> (Vec<Piece>, Sections) {
    let text = extracted.text.as_str();
    let mut collector = Collector { text, config, pieces: Vec::new(), sections: Sections::new(), section: 0 };
    let mut at = 0;
    for block in &extracted.blocks {
        // Blocks come from elsewhere: what is not text, or was cut already, is left out; what lies between is text too.
        let start = text.floor_char_boundary(block.range.start).max(at);
        let end = text.floor_char_boundary(block.range.end);
        if start >= end {
            continue;
        }
        collector.block(&Block { kind: BlockKind::Paragraph, range: at..start, page: block.page });
        collector.block(&Block { kind: block.kind, range: start..end, page: block.page });
        at = end;
    }
    collector.block(&Block { kind: BlockKind::Paragraph, range: at..text.len(), page: None });
    collector.measure();
    (collector.pieces, collector.sections)
}

impl Collector<'_> {
    fn block(&mut self, block: &Block) {
        let Some(range) = trim(self.text, block.range.clone()) else { return };
        if let BlockKind::Heading(level) = block.kind {
            self.section = self.sections.open(self.section, level, range.clone());
        }
        let begins = self.pieces.len();
        let body = &self.text[range.clone()];
        if body.chars().count() <= self.config.target_chars {
            self.piece(range, block);
        } else if matches!(block.kind, BlockKind::Code | BlockKind::Table | BlockKind::Row) {
            let mut at = range.start;
            for line in body.split_inclusive('\n') {
                self.bounded(at..at + line.len(), block);
                at += line.len();
            }
        } else {
            let mut at = range.start;
            for end in cut_sentences(body, self.config.target_chars) {
                self.bounded(at..range.start + end, block);
                at = range.start + end;
            }
        }
        if let (BlockKind::Heading(_), Some(first)) = (block.kind, self.pieces.get_mut(begins)) {
            first.begins_section = true;
        }
    }

    /// One sentence or line; in parts if it is longer than a passage.
    fn bounded(&mut self, range: Range<usize>, block: &Block) {
        let Some(range) = trim(self.text, range) else { return };
        let mut at = range.start;
        for end in cut_hard(&self.text[range.clone()], self.config) {
            if let Some(part) = trim(self.text, at..range.start + end) {
                self.piece(part, block);
            }
            at = range.start + end;
        }
    }

    fn piece(&mut self, range: Range<usize>, block: &Block) {
        self.pieces.push(Piece {
            chars: self.text[range.clone()].chars().count(),
            range,
            rest: 0,
            section: self.section,
            begins_section: false,
            leads: matches!(block.kind, BlockKind::Heading(_) | BlockKind::Term),
            is_prose: matches!(block.kind, BlockKind::Paragraph | BlockKind::ListItem),
            page: block.page,
        });
    }

    /// Fills in `rest`, from the end.
    fn measure(&mut self) {
        let mut after: Option<(usize, usize, usize)> = None;
        for piece in self.pieces.iter_mut().rev() {
            piece.rest = piece.chars;
            if let Some((section, start, rest)) = after
                && section == piece.section
            {
                piece.rest += self.text[piece.range.end..start].chars().count() + rest;
            }
            after = Some((piece.section, piece.range.start, piece.rest));
        }
    }
}

/// The range without white space at its ends; `None` when nothing is left.
fn trim(text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let body = &text[range.clone()];
    let start = range.start + (body.len() - body.trim_start().len());
    let end = range.start + body.trim_end().len();
    (start < end).then_some(start..end)
}
