//! Turns paragraphs, lists and tables of `WordprocessingML` into blocks.

use quick_xml::events::{BytesStart, Event};

use super::archive::{Xml, next};
use super::styles::{Levels, attribute, character};
use crate::extract::error::Unreadable;
use crate::extract::model::BlockKind;
use crate::extract::writer::Writer;

struct Walk<'w> {
    levels: &'w Levels,
    out: &'w mut Writer,
    kind: BlockKind,
    /// The paragraph has text already.
    begun: bool,
    in_text: bool,
    hidden: bool,
    /// Depth inside what another version of the same content follows or replaces.
    skipped: usize,
    tables: usize,
    cells: usize,
}

/// One part with paragraphs.
pub(super) fn read(xml: &mut Xml<'_>, levels: &Levels, out: &mut Writer) -> Result<(), Unreadable> {
    let mut walk = Walk {
        levels,
        out,
        kind: BlockKind::Paragraph,
        begun: false,
        in_text: false,
        hidden: false,
        skipped: 0,
        tables: 0,
        cells: 0,
    };
    let mut buffer = Vec::new();
    let mut depth = 0_usize;
    loop {
        match next(xml, &mut buffer)? {
            Event::Start(tag) => {
                depth += 1;
                walk.start(&tag)?;
            }
            Event::Empty(tag) => {
                walk.start(&tag)?;
                walk.end(tag.local_name().as_ref())?;
            }
            Event::End(tag) => {
                depth = depth.saturating_sub(1);
                walk.end(tag.local_name().as_ref())?;
            }
            Event::Text(text) => walk.text(&text)?,
            Event::CData(text) => walk.text(&text)?,
            Event::GeneralRef(reference) => {
                if let Some(character) = character(&reference) {
                    walk.text(character.encode_utf8(&mut [0; 4]))?;
                }
            }
            Event::Eof if depth > 0 => return Err(Unreadable::broken("its text is cut off")),
            Event::Eof => break,
            _ => {}
        }
    }
    walk.out.end();
    Ok(())
}

impl Walk<'_> {
    fn start(&mut self, tag: &BytesStart<'_>) -> Result<(), Unreadable> {
        let name = tag.local_name();
        let name = name.as_ref();
        if self.skipped > 0 || name == "Fallback" {
            self.skipped += 1;
            return Ok(());
        }
        match name {
            "p" => self.paragraph()?,
            "pStyle" => {
                let style = attribute(tag, "w:val").unwrap_or_default();
                if let Some(level) = self.levels.of(&style) {
                    self.kind = BlockKind::Heading(level);
                }
            }
            "outlineLvl" => {
                let level = attribute(tag, "w:val").and_then(|level| level.parse::<u8>().ok());
                if let Some(level) = level.filter(|level| *level < 9) {
                    self.kind = BlockKind::Heading((level + 1).min(6));
                }
            }
            "numPr" if self.kind == BlockKind::Paragraph => self.kind = BlockKind::ListItem,
            "r" => self.hidden = false,
            "vanish" => self.hidden = !matches!(attribute(tag, "w:val").as_deref(), Some("0" | "false" | "off")),
            "t" => self.in_text = true,
            "tab" | "noBreakHyphen" if self.begun => self.out.words(if name == "tab" { " " } else { "-" })?,
            "br" | "cr" if self.tables == 0 => self.out.line_break()?,
            "br" | "cr" => self.out.words(" ")?,
            "tbl" => {
                self.tables += 1;
                if self.tables == 1 {
                    self.out.begin(BlockKind::Table)?;
                }
            }
            "tr" if self.tables > 0 => {
                self.cells = 0;
                self.out.line_break()?;
            }
            "tc" if self.tables > 0 => {
                self.cells += 1;
                self.out.words(if self.cells > 1 { " | " } else { " " })?;
            }
            _ => {}
        }
        Ok(())
    }

    fn paragraph(&mut self) -> Result<(), Unreadable> {
        self.kind = BlockKind::Paragraph;
        self.begun = false;
        if self.tables > 0 {
            return self.out.words(" ");
        }
        self.out.end();
        Ok(())
    }

    fn end(&mut self, name: &str) -> Result<(), Unreadable> {
        if self.skipped > 0 {
            self.skipped -= 1;
            return Ok(());
        }
        match name {
            "t" => self.in_text = false,
            "p" => self.paragraph()?,
            "tbl" => {
                self.tables = self.tables.saturating_sub(1);
                if self.tables == 0 {
                    self.out.end();
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Unreadable> {
        if !self.in_text || self.hidden || self.skipped > 0 {
            return Ok(());
        }
        if !self.begun && self.tables == 0 && !text.trim().is_empty() {
            self.out.begin(self.kind)?;
            if self.kind == BlockKind::ListItem {
                self.out.words("- ")?;
            }
        }
        self.begun |= !text.trim().is_empty();
        self.out.words(text)
    }
}
