//! The headings above each part of a document.

use std::ops::Range;

use super::Passage;

/// Longest heading in a path, and longest path, in characters.
const HEADING: usize = 100;
const PATH: usize = 240;

/// What stands between two headings of a path.
const APART: &str = " › ";

/// One heading and where it hangs. Index 0 is the document before its first heading.
#[derive(Debug)]
struct Section {
    parent: usize,
    depth: u8,
    level: u8,
    heading: Range<usize>,
}

/// All sections of a document, as a tree without copies of the headings: a hostile document has a million.
#[derive(Debug)]
pub(super) struct Sections(Vec<Section>);

impl Sections {
    pub(super) fn new() -> Self {
        Self(vec![Section { parent: 0, depth: 0, level: 0, heading: 0..0 }])
    }

    /// Opens the section of a heading after section `current`.
    pub(super) fn open(&mut self, current: usize, level: u8, heading: Range<usize>) -> usize {
        let level = level.max(1);
        let mut parent = current;
        while parent != 0 && self.0[parent].level >= level {
            parent = self.0[parent].parent;
        }
        let depth = self.0[parent].depth.saturating_add(1);
        self.0.push(Section { parent, depth, level, heading });
        self.0.len() - 1
    }

    /// How many headings stand above and including the section's own; 1 is the outermost.
    pub(super) fn depth(&self, section: usize) -> u8 {
        self.0[section].depth
    }

    /// The deepest section that holds both.
    pub(super) fn shared(&self, mut left: usize, mut right: usize) -> usize {
        while left != right {
            if self.0[left].depth >= self.0[right].depth {
                left = self.0[left].parent;
            } else {
                right = self.0[right].parent;
            }
        }
        left
    }

    /// `A › B`, without the outermost headings where that would be too long.
    pub(super) fn path(&self, text: &str, mut section: usize) -> Option<String> {
        let mut parts: Vec<String> = Vec::new();
        let mut length = 0;
        while section != 0 {
            let heading = &text[self.0[section].heading.clone()];
            let words: String = heading.split_whitespace().flat_map(|word| [" ", word]).skip(1).collect();
            let mut part: String = words.chars().take(HEADING).collect();
            if part.len() < words.len() {
                part.push('…');
            }
            length += part.chars().count() + 3;
            if length > PATH && !parts.is_empty() {
                break;
            }
            parts.push(part);
            section = self.0[section].parent;
        }
        parts.reverse();
        (!parts.is_empty()).then(|| parts.join(APART))
    }
}

/// Puts the document's title above the headings of its passages, unless one of both says the other: many a page is called
/// by its first heading, but its later sections stand beside that one, not below it.
pub(super) fn put_under(title: &str, passages: &mut [Passage]) {
    let title: String = title.chars().take(HEADING).collect();
    for passage in passages {
        passage.heading = Some(match passage.heading.take() {
            None => title.clone(),
            Some(path) => {
                let outermost = path.split(APART).next().unwrap_or("");
                let same = title.contains(outermost) || outermost.contains(&title);
                if same { path } else { format!("{title}{APART}{path}") }
            }
        });
    }
}
