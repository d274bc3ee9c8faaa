//! Builds the text and its blocks, and keeps both within their limits.

use super::error::Unreadable;
use super::limits::Limits;
use super::model::{Block, BlockKind, Extracted};

/// Longest title that is kept, in characters.
const TITLE_CHARS: usize = 300;

/// Collects a document's text, block by block.
pub(super) struct Writer {
    text: String,
    blocks: Vec<Block>,
    title: Option<String>,
    open: Option<(BlockKind, usize)>,
    /// White space was seen and the next word needs one before it.
    gap: bool,
    page: Option<u32>,
    text_limit: u64,
    block_limit: usize,
}

/// Where a writer stood; what came after can be dropped or kept alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    block: usize,
}

impl Writer {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            text: String::new(),
            blocks: Vec::new(),
            title: None,
            open: None,
            gap: false,
            page: None,
            text_limit: limits.text_bytes,
            block_limit: limits.blocks as usize,
        }
    }

    /// The page of the blocks that begin from now on.
    pub(super) fn page(&mut self, page: u32) {
        self.page = Some(page);
    }

    /// The document's title; the first one that says something stays.
    pub(super) fn title(&mut self, title: &str) {
        let clean: Vec<&str> = title.split(|c: char| c.is_whitespace() || c.is_control()).collect();
        let clean = clean.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        if self.title.is_none() && !clean.is_empty() {
            self.title = Some(clean.chars().take(TITLE_CHARS).collect());
        }
    }

    /// Whether the open block has no text yet.
    pub(super) fn is_fresh(&self) -> bool {
        self.open.is_some_and(|(_, start)| start == self.text.len())
    }

    /// Closes the open block and begins another.
    pub(super) fn begin(&mut self, kind: BlockKind) -> Result<(), Unreadable> {
        self.end();
        if self.blocks.len() >= self.block_limit {
            return Err(Unreadable::too_complex(format!("it has more than {} parts", self.block_limit)));
        }
        if let Some(last) = self.blocks.last() {
            let tight = matches!(kind, BlockKind::ListItem | BlockKind::Row) && last.kind == kind;
            self.text.push_str(if tight { "\n" } else { "\n\n" });
        }
        self.open = Some((kind, self.text.len()));
        Ok(())
    }

    /// Running text into the open block (a paragraph when none is open): white space becomes single blanks.
    pub(super) fn words(&mut self, text: &str) -> Result<(), Unreadable> {
        let mut word_start = None;
        for (at, c) in text.char_indices() {
            if is_blank(c) {
                if let Some(start) = word_start.take() {
                    self.word(&text[start..at])?;
                }
                self.gap = true;
            } else if word_start.is_none() {
                word_start = Some(at);
            }
        }
        word_start.map_or(Ok(()), |start| self.word(&text[start..]))
    }

    fn word(&mut self, word: &str) -> Result<(), Unreadable> {
        if self.open.is_none() {
            self.begin(BlockKind::Paragraph)?;
        }
        if self.gap && !self.is_fresh() && !self.text.ends_with(['\n', '\t']) {
            self.text.push(' ');
        }
        self.gap = false;
        if word.contains(is_invisible) { self.put(&word.replace(is_invisible, "")) } else { self.put(word) }
    }

    /// Text as it stands into the open block (code when none is open); control characters become blanks.
    pub(super) fn verbatim(&mut self, text: &str) -> Result<(), Unreadable> {
        if self.open.is_none() {
            if text.trim().is_empty() {
                return Ok(());
            }
            self.begin(BlockKind::Code)?;
        }
        self.gap = false;
        if text.contains(is_unwanted) {
            let clean = text.replace("\r\n", "\n").replace('\r', "\n").replace(is_unwanted, " ");
            self.put(&clean)
        } else {
            self.put(text)
        }
    }

    /// A new line inside the open block.
    pub(super) fn line_break(&mut self) -> Result<(), Unreadable> {
        self.gap = false;
        if self.open.is_none() || self.is_fresh() { Ok(()) } else { self.put("\n") }
    }

    fn put(&mut self, text: &str) -> Result<(), Unreadable> {
        if (self.text.len() + text.len()) as u64 > self.text_limit {
            return Err(Unreadable::TooLarge { limit: self.text_limit });
        }
        self.text.push_str(text);
        Ok(())
    }

    /// Closes the open block; one without text leaves no trace.
    pub(super) fn end(&mut self) {
        self.gap = false;
        let Some((kind, start)) = self.open.take() else { return };
        let body = &self.text[start..];
        let lead =
            if kind == BlockKind::Code { leading_blank_lines(body) } else { body.len() - body.trim_start().len() };
        let from = start + lead;
        let to = start + body.trim_end().len();
        if from >= to {
            self.text.truncate(self.blocks.last().map_or(0, |last| last.range.end));
            return;
        }
        self.text.truncate(to);
        self.blocks.push(Block { kind, range: from..to, page: self.page });
    }

    /// The text of the open block so far.
    pub(super) fn open_text(&self) -> &str {
        self.open.map_or("", |(_, start)| &self.text[start..])
    }

    /// The open block is something else than it seemed.
    pub(super) fn turn_into(&mut self, kind: BlockKind) {
        if let Some(open) = &mut self.open {
            open.0 = kind;
        }
    }

    /// The place between what is written and what comes.
    pub(super) fn mark(&mut self) -> Mark {
        self.end();
        Mark { block: self.blocks.len() }
    }

    /// Bytes of text between two marks.
    pub(super) fn span(&self, from: Mark, to: Mark) -> usize {
        self.blocks[from.block..to.block].iter().map(|block| block.range.len()).sum()
    }

    /// Keeps only what was written between two marks.
    pub(super) fn keep(&mut self, from: Mark, to: Mark) {
        self.end();
        let Some(first) = self.blocks.get(from.block).filter(|_| from.block < to.block) else { return };
        let (start, end) = (first.range.start, self.blocks[to.block - 1].range.end);
        self.blocks.truncate(to.block);
        self.blocks.drain(..from.block);
        self.text.truncate(end);
        self.text.drain(..start);
        for block in &mut self.blocks {
            block.range = block.range.start - start..block.range.end - start;
        }
    }

    /// Whether nothing was written.
    pub(super) fn is_empty(&self) -> bool {
        self.blocks.is_empty() && self.open.is_none()
    }

    /// The document.
    ///
    /// # Errors
    /// [`Unreadable::NoText`] when there is none.
    pub(super) fn finish(mut self) -> Result<Extracted, Unreadable> {
        self.end();
        if self.blocks.is_empty() {
            return Err(Unreadable::NoText);
        }
        Ok(Extracted { text: self.text, title: self.title, blocks: self.blocks })
    }
}

/// Bytes of the whole lines at the beginning that are blank: code keeps the indentation of its first line.
fn leading_blank_lines(body: &str) -> usize {
    let blank = body.len() - body.trim_start().len();
    body[..blank].rfind('\n').map_or(0, |at| at + 1)
}

/// White space, and control characters that would end a database's patience.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || c.is_control()
}

/// Has no width and no meaning for search: soft hyphen, byte order mark, zero width space.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{feff}' | '\u{200b}')
}

fn is_unwanted(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\t')
}
