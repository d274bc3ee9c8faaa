//! Markdown (`CommonMark` with tables, footnotes, task lists and metadata blocks), without its marks.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::error::Unreadable;
use super::html;
use super::model::BlockKind;
use super::writer::Writer;

/// Headings, paragraphs, list items, code and tables as a reader sees them.
pub(super) fn read(text: &str, out: &mut Writer) -> Result<(), Unreadable> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    let mut walk = Walk { out, lists: Vec::new(), in_item: false, cell: 0, within: Within::Text, html: String::new() };
    Parser::new_ext(text, options).try_for_each(|event| walk.event(event))
}

/// Where plain text belongs.
#[derive(PartialEq)]
enum Within {
    Text,
    Code,
    Html,
    Metadata,
}

struct Walk<'w> {
    out: &'w mut Writer,
    /// The next number of each open list; `None` when it has bullets.
    lists: Vec<Option<u64>>,
    /// An item was opened and has no paragraph yet.
    in_item: bool,
    cell: usize,
    within: Within,
    html: String,
}

impl Walk<'_> {
    fn event(&mut self, event: Event<'_>) -> Result<(), Unreadable> {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => match self.within {
                Within::Code => self.out.verbatim(&text),
                Within::Metadata => {
                    self.metadata(&text);
                    Ok(())
                }
                Within::Html | Within::Text => self.out.words(&text),
            },
            Event::Code(text) | Event::InlineMath(text) | Event::DisplayMath(text) => self.out.words(&text),
            Event::SoftBreak => self.out.words(" "),
            Event::HardBreak | Event::Rule => self.out.line_break(),
            Event::Html(html) => {
                self.html.push_str(&html);
                Ok(())
            }
            Event::InlineHtml(html) if html.starts_with("<br") => self.out.line_break(),
            Event::TaskListMarker(done) => self.out.words(if done { "[x] " } else { "[ ] " }),
            Event::InlineHtml(_) | Event::FootnoteReference(_) => Ok(()),
        }
    }

    fn start(&mut self, tag: &Tag<'_>) -> Result<(), Unreadable> {
        match tag {
            Tag::Heading { level, .. } => self.out.begin(BlockKind::Heading(*level as u8)),
            Tag::Paragraph if self.in_item => {
                self.in_item = false;
                Ok(())
            }
            Tag::Paragraph | Tag::FootnoteDefinition(_) => self.out.begin(BlockKind::Paragraph),
            Tag::CodeBlock(_) => {
                self.within = Within::Code;
                self.out.begin(BlockKind::Code)
            }
            Tag::HtmlBlock => {
                self.within = Within::Html;
                self.out.end();
                Ok(())
            }
            Tag::MetadataBlock(_) => {
                self.within = Within::Metadata;
                Ok(())
            }
            Tag::List(first) => {
                self.lists.push(*first);
                Ok(())
            }
            Tag::Item => self.item(),
            Tag::Table(_) => self.out.begin(BlockKind::Table),
            Tag::TableHead | Tag::TableRow => {
                self.cell = 0;
                self.out.line_break()
            }
            Tag::TableCell => {
                self.cell += 1;
                if self.cell > 1 { self.out.words(" | ") } else { Ok(()) }
            }
            _ => Ok(()),
        }
    }

    fn item(&mut self) -> Result<(), Unreadable> {
        self.out.begin(BlockKind::ListItem)?;
        self.in_item = true;
        match self.lists.last_mut() {
            Some(Some(number)) => {
                let marker = format!("{number}. ");
                *number = number.saturating_add(1);
                self.out.words(&marker)
            }
            _ => self.out.words("- "),
        }
    }

    fn end(&mut self, tag: TagEnd) -> Result<(), Unreadable> {
        match tag {
            TagEnd::Heading(level) => {
                if level as u8 == 1 {
                    let title = self.out.open_text().to_owned();
                    self.out.title(&title);
                }
                self.out.end();
            }
            TagEnd::CodeBlock => {
                self.within = Within::Text;
                self.out.end();
            }
            TagEnd::HtmlBlock => {
                self.within = Within::Text;
                return html::read_fragment(&std::mem::take(&mut self.html), self.out);
            }
            TagEnd::MetadataBlock(_) => self.within = Within::Text,
            TagEnd::List(_) => {
                self.lists.pop();
                self.out.end();
            }
            TagEnd::Item => {
                self.in_item = false;
                self.out.end();
            }
            TagEnd::Paragraph | TagEnd::Table | TagEnd::FootnoteDefinition => self.out.end(),
            _ => {}
        }
        Ok(())
    }

    /// `title: x` out of YAML front matter.
    fn metadata(&mut self, text: &str) {
        let title = text.lines().find_map(|line| line.strip_prefix("title:"));
        if let Some(title) = title {
            self.out.title(title.trim().trim_matches(['"', '\'']));
        }
    }
}
