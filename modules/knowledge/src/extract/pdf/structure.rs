//! Finds headings by their size, drops what is printed on every page, and writes the blocks.

use std::collections::BTreeMap;

use super::layout::{Part, is_item};
use crate::extract::error::Unreadable;
use crate::extract::model::BlockKind;
use crate::extract::writer::Writer;

/// A running head or foot stands at the same end of at least so many pages.
const REPEATED: usize = 3;
/// Letters this much larger than most make a heading.
const LARGER: f64 = 1.12;
/// Longest heading, in characters and lines.
const HEADING_CHARS: usize = 160;
const HEADING_LINES: usize = 3;

/// Writes all pages.
pub(super) fn write(pages: Vec<Vec<Part>>, out: &mut Writer) -> Result<(), Unreadable> {
    let ends = repeated_ends(&pages);
    let levels = levels(&pages);
    for (number, parts) in (1_u32..).zip(pages) {
        out.page(number);
        let last = parts.len().saturating_sub(1);
        for (at, part) in parts.iter().enumerate() {
            let at_end = (at == 0 || at == last) && part.at_edge && part.lines <= 2;
            if at_end && (is_number(&part.text) || ends.contains_key(&pattern(&part.text))) {
                continue;
            }
            if let Some(entries) = without_leaders(&part.text) {
                out.begin(BlockKind::Paragraph)?;
                out.words(&entries)?;
            } else {
                out.begin(kind(part, &levels))?;
                out.words(&part.text)?;
            }
            out.end();
        }
    }
    Ok(())
}

fn kind(part: &Part, levels: &[i64]) -> BlockKind {
    if is_item(&part.text) {
        return BlockKind::ListItem;
    }
    let is_short = part.lines <= HEADING_LINES && part.text.chars().count() <= HEADING_CHARS;
    let has_word = part.text.chars().filter(|c| c.is_alphabetic()).count() >= 2;
    match levels.iter().position(|size| *size == half_points(part.size)) {
        Some(level) if is_short && has_word => BlockKind::Heading(u8::try_from(level + 1).unwrap_or(6).min(6)),
        _ => BlockKind::Paragraph,
    }
}

/// The sizes of headings from the largest, in half points: those clearly above the size of most letters.
fn levels(pages: &[Vec<Part>]) -> Vec<i64> {
    let mut letters: BTreeMap<i64, usize> = BTreeMap::new();
    for part in pages.iter().flatten() {
        *letters.entry(half_points(part.size)).or_default() += part.text.len();
    }
    let Some((body, _)) = letters.iter().max_by_key(|(size, count)| (**count, **size)) else { return Vec::new() };
    #[expect(clippy::cast_precision_loss, reason = "sizes of letters are small numbers")]
    let least = *body as f64 * LARGER;
    #[expect(clippy::cast_precision_loss, reason = "sizes of letters are small numbers")]
    let sizes = letters.keys().rev().copied().filter(|size| *size as f64 >= least);
    sizes.collect()
}

#[expect(clippy::cast_possible_truncation, reason = "a size beyond the range is cut, and is no heading")]
fn half_points(size: f64) -> i64 {
    (size.clamp(0.0, 10_000.0) * 2.0).round() as i64
}

/// First and last parts that many pages share, but for their numbers.
fn repeated_ends(pages: &[Vec<Part>]) -> BTreeMap<String, usize> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for parts in pages {
        let first = parts.first();
        let last = if parts.len() > 1 { parts.last() } else { None };
        for part in
            first.into_iter().chain(last).filter(|part| part.at_edge && part.lines <= 2 && part.text.len() < 300)
        {
            *counts.entry(pattern(&part.text)).or_default() += 1;
        }
    }
    counts.retain(|_, count| *count >= REPEATED);
    counts
}

/// The text without its digits.
fn pattern(text: &str) -> String {
    text.chars().filter(|c| !c.is_ascii_digit()).collect::<String>().trim().to_owned()
}

/// The entries of a table of contents without the dots that lead to their pages; `None` when it isn't one.
fn without_leaders(text: &str) -> Option<String> {
    if !text.contains("....") && !text.contains(". . . .") {
        return None;
    }
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("....").into_iter().chain(rest.find(". . . .")).min() {
        clean.push_str(rest[..at].trim_end());
        clean.push_str(" … ");
        rest = rest[at..].trim_start_matches(['.', ' ']);
    }
    clean.push_str(rest);
    Some(clean)
}

/// A page number, Arabic or Roman.
fn is_number(text: &str) -> bool {
    let text = text.trim().trim_matches(['-', '–', ' ']);
    text.len() <= 6
        && !text.is_empty()
        && (text.bytes().all(|b| b.is_ascii_digit()) || text.bytes().all(|b| b"ivxlc".contains(&b)))
}
