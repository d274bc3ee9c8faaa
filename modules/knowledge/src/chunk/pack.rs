//! Joins pieces to passages.

use unicode_segmentation::UnicodeSegmentation;

use super::pieces::Piece;
use super::sections::Sections;
use super::sentences::cut_sentences;
use super::{ChunkConfig, Passage};

/// A section this far out begins a passage of its own unless what stands before it is a crumb.
const OUTER: u8 = 2;
/// A crumb, in characters.
const CRUMB: usize = 80;
/// At most so many sentences are repeated.
const REPEATED: usize = 2;

/// The passage that grows.
#[derive(Clone, Copy)]
struct Open {
    /// The first piece that is not repeated.
    first: usize,
    start: usize,
    chars: usize,
}

struct Packer<'t> {
    text: &'t str,
    pieces: &'t [Piece],
    sections: &'t Sections,
    config: &'t ChunkConfig,
}

/// All passages.
pub(super) fn pack(text: &str, pieces: &[Piece], sections: &Sections, config: &ChunkConfig) -> Vec<Passage> {
    let Some(head) = pieces.first() else { return Vec::new() };
    let packer = Packer { text, pieces, sections, config };
    let mut passages = Vec::new();
    let mut open = Open { first: 0, start: head.range.start, chars: head.chars };
    for at in 1..pieces.len() {
        if let Some(chars) = packer.joined(open, at) {
            open.chars = chars;
        } else {
            let end = packer.without_leads(open.first, at);
            passages.push(packer.passage(open, end));
            open = packer.reopen(open, end, at);
        }
    }
    passages.push(packer.passage(open, pieces.len()));
    passages
}

impl Packer<'_> {
    /// The length with the piece `at`, if it belongs to the open passage.
    fn joined(&self, open: Open, at: usize) -> Option<usize> {
        let piece = &self.pieces[at];
        let before = open.chars + self.count(self.pieces[at - 1].range.end, piece.range.start);
        let joined = before + piece.chars;
        if joined > self.config.max_chars {
            return None;
        }
        let joins = if piece.begins_section {
            let crumb = if self.sections.depth(piece.section) <= OUTER { CRUMB } else { usize::MAX };
            open.chars < self.config.min_chars.min(crumb) || self.pieces[open.first..at].iter().all(|piece| piece.leads)
        } else {
            joined <= self.config.target_chars
                || before + piece.rest <= self.config.max_chars
                || open.chars < self.config.min_chars
        };
        joins.then_some(joined)
    }

    /// The end of a passage that would end before `at`: headings and terms at its end go with what follows them.
    fn without_leads(&self, first: usize, at: usize) -> usize {
        let mut end = at;
        while end > first + 1 && self.pieces[end - 1].leads {
            end -= 1;
        }
        let fits = self.count(self.pieces[end].range.start, self.pieces[at].range.end) <= self.config.max_chars;
        if fits && !self.pieces[end - 1].leads { end } else { at }
    }

    /// The next passage: the pieces `end` to `at`, and what it repeats.
    fn reopen(&self, closed: Open, end: usize, at: usize) -> Open {
        let last = self.pieces[at].range.end;
        let start = self.pieces[end].range.start;
        let repeated = self.repeated(closed, end).map(|from| (from, self.count(from, last)));
        let (start, chars) = repeated
            .filter(|(_, chars)| *chars <= self.config.max_chars)
            .unwrap_or_else(|| (start, self.count(start, last)));
        Open { first: end, start, chars }
    }

    /// Where the last sentences of a passage begin, if the next one is of the same section and should repeat them.
    fn repeated(&self, closed: Open, end: usize) -> Option<usize> {
        let (last, next) = (&self.pieces[end - 1], &self.pieces[end]);
        if last.section != next.section || !last.is_prose || !next.is_prose {
            return None;
        }
        let from = closed.start.max(last.range.start);
        let body = &self.text[from..last.range.end];
        // The sentences of the tail only: its first one may be cut, so it isn't used.
        let torn = body.char_indices().rev().nth(self.config.overlap_chars).map(|(at, _)| at);
        let skipped = torn.unwrap_or(0);
        let mut starts: Vec<usize> = if torn.is_none() { vec![0] } else { Vec::new() };
        starts.extend(cut_sentences(&body[skipped..], usize::MAX).into_iter().map(|at| skipped + at));
        starts.pop();
        // From a piece that is one sentence of a paragraph, the ones before it count too.
        let from = starts.get(starts.len().saturating_sub(REPEATED)).map(|at| from + at)?;
        let from = if from == last.range.start { self.one_before(closed, end, from) } else { from };
        let from = from + (self.text[from..].len() - self.text[from..].trim_start().len());
        (from > closed.start && from < last.range.end).then_some(from)
    }

    /// The sentence before, when it is a piece of its own in the same paragraph and short enough.
    fn one_before(&self, closed: Open, end: usize, from: usize) -> usize {
        let Some(piece) = end.checked_sub(2).filter(|at| *at >= closed.first).map(|at| &self.pieces[at]) else {
            return from;
        };
        let last = &self.pieces[end - 1];
        let near = piece.is_prose && !self.text[piece.range.end..last.range.start].contains('\n');
        let fits = self.count(piece.range.start, last.range.end) <= self.config.overlap_chars;
        let one = self.text[from..last.range.end].unicode_sentences().nth(1).is_none();
        if near && fits && one && piece.section == last.section { piece.range.start } else { from }
    }

    fn passage(&self, open: Open, end: usize) -> Passage {
        let own = &self.pieces[open.first..end];
        let mut bodies = own.iter().filter(|piece| !piece.begins_section).map(|piece| piece.section);
        let first = bodies.next().or(own.last().map(|piece| piece.section)).unwrap_or(0);
        let shared = bodies.fold(first, |left, right| self.sections.shared(left, right));
        let section = if shared == 0 { first } else { shared };
        Passage {
            start: open.start,
            end: self.pieces[end - 1].range.end,
            heading: self.sections.path(self.text, section),
            page: own.first().and_then(|piece| piece.page),
        }
    }

    fn count(&self, start: usize, end: usize) -> usize {
        self.text[start..end].chars().count()
    }
}
