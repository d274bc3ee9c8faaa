//! Which paragraph styles are headings, and what the document calls itself.

use std::collections::HashMap;

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};

use super::archive::{Xml, next};
use crate::extract::error::Unreadable;

/// More styles than a person makes.
const STYLES: usize = 20_000;

/// Heading levels by the id of the style, which every language of Word spells otherwise.
#[derive(Default)]
pub(super) struct Levels(HashMap<String, u8>);

impl Levels {
    pub(super) fn of(&self, style: &str) -> Option<u8> {
        self.0.get(style).copied()
    }

    pub(super) fn read(&mut self, xml: &mut Xml<'_>) -> Result<(), Unreadable> {
        let mut buffer = Vec::new();
        let mut style = String::new();
        loop {
            match next(xml, &mut buffer)? {
                Event::Start(tag) | Event::Empty(tag) => match tag.local_name().as_ref() {
                    "style" => style = attribute(&tag, "w:styleId").unwrap_or_default(),
                    "name" => {
                        let name = attribute(&tag, "w:val").unwrap_or_default().to_ascii_lowercase();
                        let level = name.strip_prefix("heading ").and_then(|level| level.trim().parse().ok());
                        self.set(&style, if name == "title" { Some(1) } else { level });
                    }
                    "outlineLvl" => {
                        let level = attribute(&tag, "w:val").and_then(|level| level.parse::<u8>().ok());
                        self.set(&style, level.map(|level| level.saturating_add(1)));
                    }
                    _ => {}
                },
                Event::Eof => return Ok(()),
                _ => {}
            }
        }
    }

    fn set(&mut self, style: &str, level: Option<u8>) {
        let Some(level) = level.filter(|level| (1..=9).contains(level)) else { return };
        if !style.is_empty() && self.0.len() < STYLES {
            self.0.insert(style.to_owned(), level.min(6));
        }
    }
}

/// `dc:title` of the core properties.
pub(super) fn title(xml: &mut Xml<'_>, title: &mut String) -> Result<(), Unreadable> {
    let mut buffer = Vec::new();
    let mut inside = false;
    loop {
        match next(xml, &mut buffer)? {
            Event::Start(tag) => inside = tag.local_name().as_ref() == "title",
            Event::End(_) => inside = false,
            Event::Text(text) if inside => title.push_str(&text),
            Event::GeneralRef(reference) if inside => title.extend(character(&reference)),
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

/// The value of an attribute, by its full name.
pub(super) fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = tag.try_get_attribute(name).ok()??;
    attribute.normalized_value(XmlVersion::Implicit1_0).ok().map(std::borrow::Cow::into_owned)
}

/// What `&name;` or `&#number;` stands for; XML's own five and numbers alone.
pub(super) fn character(reference: &quick_xml::events::BytesRef<'_>) -> Option<char> {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return Some(character);
    }
    match &**reference {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}
