//! What parent and child say to each other.
//!
//! To the child: one line of JSON ([`Request`]), then the document's bytes to the end of its input. From the child: one
//! line of JSON ([`Answer`]), then the text, if there is one, as it is: JSON would make it up to six times as long.

use serde::{Deserialize, Serialize};

use super::error::Unreadable;
use super::limits::Limits;
use super::model::{Block, BlockKind, Extracted};

/// The longest request line, in bytes.
pub(super) const REQUEST_BYTES: u64 = 64 * 1024;
/// Bytes of one block in an answer, at most: a kind, two offsets, a page and their commas.
const BLOCK_BYTES: u64 = 48;
/// Bytes of all else in an answer.
const HEAD_BYTES: u64 = 16 * 1024;

#[derive(Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) media_type: String,
    pub(super) name: String,
    pub(super) limits: Limits,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Text { bytes: usize, title: Option<String>, blocks: Vec<(u8, usize, usize, u32)> },
    Unreadable(Unreadable),
}

/// The most bytes that an answer can have under these limits.
pub(super) fn answer_limit(limits: &Limits) -> u64 {
    limits.text_bytes + u64::from(limits.blocks) * (BLOCK_BYTES + 2) + HEAD_BYTES
}

/// The line of an answer; the text follows it.
pub(super) fn answer_line(result: &Result<Extracted, Unreadable>) -> Result<Vec<u8>, serde_json::Error> {
    let answer = match result {
        Ok(extracted) => Answer::Text {
            bytes: extracted.text.len(),
            title: extracted.title.clone(),
            blocks: extracted.blocks.iter().map(pack).collect(),
        },
        Err(unreadable) => Answer::Unreadable(unreadable.clone()),
    };
    let mut line = serde_json::to_vec(&answer)?;
    line.push(b'\n');
    Ok(line)
}

/// Reads an answer; `None` when it isn't one. The child met a hostile document, so nothing that it says is believed
/// before it was checked.
pub(super) fn parse_answer(mut answer: Vec<u8>) -> Option<Result<Extracted, Unreadable>> {
    let line = memchr::memchr(b'\n', &answer)?;
    match serde_json::from_slice(&answer[..line]).ok()? {
        Answer::Unreadable(unreadable) => Some(Err(unreadable)),
        Answer::Text { bytes, title, blocks } => {
            answer.drain(..=line);
            let text = String::from_utf8(answer).ok().filter(|text| text.len() == bytes)?;
            let blocks = blocks.into_iter().map(unpack).collect::<Option<_>>()?;
            let extracted = Extracted { text, title, blocks };
            let clean = !extracted.text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\t'));
            (clean && extracted.is_sound()).then_some(Ok(extracted))
        }
    }
}

fn pack(block: &Block) -> (u8, usize, usize, u32) {
    let kind = match block.kind {
        BlockKind::Heading(level) => level.clamp(1, 6),
        BlockKind::Paragraph => 10,
        BlockKind::ListItem => 11,
        BlockKind::Term => 12,
        BlockKind::Code => 13,
        BlockKind::Table => 14,
        BlockKind::Row => 15,
    };
    (kind, block.range.start, block.range.end, block.page.unwrap_or(0))
}

fn unpack((kind, start, end, page): (u8, usize, usize, u32)) -> Option<Block> {
    let kind = match kind {
        1..=6 => BlockKind::Heading(kind),
        10 => BlockKind::Paragraph,
        11 => BlockKind::ListItem,
        12 => BlockKind::Term,
        13 => BlockKind::Code,
        14 => BlockKind::Table,
        15 => BlockKind::Row,
        _ => return None,
    };
    Some(Block { kind, range: start..end, page: (page > 0).then_some(page) })
}
