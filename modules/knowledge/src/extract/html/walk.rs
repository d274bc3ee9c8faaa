//! Turns tags and text into blocks.

use html5gum::emitters::callback::CallbackEvent;

use super::noise::{Tag, hides, is_main, is_noise, is_void};
use crate::extract::error::Unreadable;
use crate::extract::model::BlockKind;
use crate::extract::writer::{Mark, Writer};

/// An element, until its end tag comes. Elements of the same name inside are counted, others don't matter, so that an
/// end tag costs the same at any depth.
struct Region {
    name: Vec<u8>,
    depth: usize,
}

pub(super) struct Walk<'w> {
    out: &'w mut Writer,
    drop_surroundings: bool,
    tag: Tag,
    attribute: Vec<u8>,
    skip: Option<Region>,
    main: Option<(Region, Mark)>,
    kept: Option<(Mark, Mark)>,
    title: Option<String>,
    pre: usize,
    tables: usize,
    cells: usize,
    /// The next number of each open list; `None` when it has bullets.
    lists: Vec<Option<u32>>,
    /// An item or a description was opened, and its first paragraph belongs to it.
    fresh_item: bool,
}

impl<'w> Walk<'w> {
    pub(super) fn new(out: &'w mut Writer, drop_surroundings: bool) -> Self {
        Self {
            out,
            drop_surroundings,
            tag: Tag::default(),
            attribute: Vec::new(),
            skip: None,
            main: None,
            kept: None,
            title: None,
            pre: 0,
            tables: 0,
            cells: 0,
            lists: Vec::new(),
            fresh_item: false,
        }
    }

    /// The main part, when the page named one.
    pub(super) fn finish(mut self) -> Option<(Mark, Mark)> {
        let end = self.out.mark();
        self.kept.or(self.main.take().map(|(_, start)| (start, end)))
    }

    pub(super) fn event(&mut self, event: &CallbackEvent<'_>) -> Result<(), Unreadable> {
        match event {
            CallbackEvent::OpenStartTag { name } => {
                self.tag = Tag { name: name.to_vec(), ..Tag::default() };
                Ok(())
            }
            CallbackEvent::AttributeName { name } => {
                self.attribute = name.to_vec();
                self.tag.hidden |= *name == b"hidden";
                Ok(())
            }
            CallbackEvent::AttributeValue { value } => {
                self.attribute(value);
                Ok(())
            }
            CallbackEvent::CloseStartTag { .. } => {
                let tag = std::mem::take(&mut self.tag);
                self.start(&tag)
            }
            CallbackEvent::EndTag { name } => self.end(name),
            CallbackEvent::String { value } => self.text(&String::from_utf8_lossy(value)),
            CallbackEvent::Comment { .. } | CallbackEvent::Doctype { .. } | CallbackEvent::Error(_) => Ok(()),
        }
    }

    fn attribute(&mut self, value: &[u8]) {
        let tag = &mut self.tag;
        match self.attribute.as_slice() {
            b"class" => tag.class = value.to_vec(),
            b"id" => tag.id = value.to_vec(),
            b"role" => tag.role = value.to_vec(),
            b"start" => tag.start = value.to_vec(),
            b"aria-hidden" => tag.hidden |= value == b"true",
            b"style" => tag.hidden |= hides(value),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) -> Result<(), Unreadable> {
        if let Some(title) = &mut self.title {
            title.push_str(text);
            return Ok(());
        }
        if self.skip.is_some() {
            return Ok(());
        }
        if self.fresh_item && !text.trim().is_empty() {
            self.fresh_item = false;
        }
        if self.pre > 0 && self.tables == 0 { self.out.verbatim(text) } else { self.out.words(text) }
    }

    fn start(&mut self, tag: &Tag) -> Result<(), Unreadable> {
        let name = tag.name.as_slice();
        if let Some(skip) = &mut self.skip {
            if name == skip.name {
                skip.depth += 1;
            }
            return Ok(());
        }
        if let Some((main, _)) = &mut self.main
            && main.name == name
        {
            main.depth += 1;
        }
        if is_noise(tag, self.drop_surroundings, self.main.is_some()) {
            if !is_void(name) {
                self.skip = Some(Region { name: name.to_vec(), depth: 1 });
            }
            return Ok(());
        }
        if is_main(tag) && self.main.is_none() && self.kept.is_none() {
            self.main = Some((Region { name: name.to_vec(), depth: 1 }, self.out.mark()));
        }
        self.open(tag)
    }

    fn open(&mut self, tag: &Tag) -> Result<(), Unreadable> {
        match tag.name.as_slice() {
            b"title" => self.title = Some(String::new()),
            b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6" => {
                return self.out.begin(BlockKind::Heading(tag.name[1] - b'0'));
            }
            b"br" if self.tables == 0 => return self.out.line_break(),
            b"br" | b"wbr" => return self.out.words(" "),
            b"pre" | b"listing" => {
                self.pre += 1;
                if self.tables == 0 {
                    return self.out.begin(BlockKind::Code);
                }
            }
            b"ul" => self.lists.push(None),
            b"ol" => self.lists.push(Some(number(&tag.start))),
            b"li" => return self.item(),
            b"dt" if self.tables == 0 => return self.out.begin(BlockKind::Term),
            b"table" => {
                self.tables += 1;
                if self.tables == 1 {
                    return self.out.begin(BlockKind::Table);
                }
            }
            b"tr" if self.tables > 0 => {
                self.cells = 0;
                return self.out.line_break();
            }
            b"td" | b"th" if self.tables > 0 => {
                self.cells += 1;
                return self.out.words(if self.cells > 1 { " | " } else { " " });
            }
            name if is_block(name) => {
                self.part()?;
                if tag.class == b"admonition-title" && self.tables == 0 {
                    return self.out.begin(BlockKind::Term);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A paragraph begins or ends, without a word of its own.
    fn part(&mut self) -> Result<(), Unreadable> {
        if self.tables > 0 || self.fresh_item {
            return self.out.words(" ");
        }
        if self.pre == 0 {
            self.out.end();
        }
        Ok(())
    }

    fn item(&mut self) -> Result<(), Unreadable> {
        if self.tables > 0 {
            return self.out.words(" ");
        }
        self.out.begin(BlockKind::ListItem)?;
        let marker = match self.lists.last_mut() {
            Some(Some(number)) => {
                let marker = format!("{number}. ");
                *number = number.saturating_add(1);
                marker
            }
            _ => "- ".to_owned(),
        };
        self.fresh_item = true;
        self.out.words(&marker)
    }

    fn end(&mut self, name: &[u8]) -> Result<(), Unreadable> {
        if name == b"title"
            && let Some(title) = self.title.take()
        {
            self.out.title(&title);
            return Ok(());
        }
        if let Some(skip) = &mut self.skip {
            if skip.name == name {
                skip.depth -= 1;
                if skip.depth == 0 {
                    self.skip = None;
                }
            }
            return Ok(());
        }
        self.close(name)?;
        if let Some((main, _)) = &mut self.main
            && main.name == name
        {
            main.depth -= 1;
            if main.depth == 0 {
                let end = self.out.mark();
                self.kept = self.main.take().map(|(_, start)| (start, end));
            }
        }
        Ok(())
    }

    fn close(&mut self, name: &[u8]) -> Result<(), Unreadable> {
        match name {
            b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6" => {
                let text = self.out.open_text().trim();
                if ADMONITIONS.iter().any(|word| text.eq_ignore_ascii_case(word)) {
                    self.out.turn_into(BlockKind::Term);
                }
                self.out.end();
            }
            b"pre" | b"listing" => {
                self.pre = self.pre.saturating_sub(1);
                if self.tables == 0 {
                    self.out.end();
                }
            }
            b"ul" | b"ol" => {
                self.lists.pop();
                self.fresh_item = false;
                return self.part();
            }
            b"li" => {
                self.fresh_item = false;
                return self.part();
            }
            b"table" => {
                self.tables = self.tables.saturating_sub(1);
                if self.tables == 0 {
                    self.out.end();
                }
            }
            name if is_block(name) => return self.part(),
            _ => {}
        }
        Ok(())
    }
}

/// Headings of boxes inside a section; they begin no section of their own.
const ADMONITIONS: [&str; 8] = ["note", "tip", "warning", "caution", "important", "danger", "hint", "see also"];

/// Elements that stand on lines of their own.
fn is_block(name: &[u8]) -> bool {
    matches!(
        name,
        b"address"
            | b"article"
            | b"aside"
            | b"blockquote"
            | b"body"
            | b"caption"
            | b"center"
            | b"dd"
            | b"details"
            | b"div"
            | b"dl"
            | b"dt"
            | b"fieldset"
            | b"figcaption"
            | b"figure"
            | b"footer"
            | b"form"
            | b"header"
            | b"hgroup"
            | b"hr"
            | b"legend"
            | b"main"
            | b"p"
            | b"section"
            | b"summary"
    )
}

/// The first number of an ordered list.
fn number(start: &[u8]) -> u32 {
    std::str::from_utf8(start).ok().and_then(|start| start.trim().parse().ok()).unwrap_or(1)
}
