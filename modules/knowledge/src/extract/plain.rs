//! Plain text, and which characters its bytes mean.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::error::Unreadable;
use super::model::BlockKind;
use super::writer::Writer;

/// How far into an HTML page its declaration of an encoding is looked for (WHATWG HTML, 13.2.3.2).
const PRESCAN: usize = 1024;

/// The characters: UTF-8 or UTF-16 by their mark, else UTF-8 if it fits (a few broken bytes are shown as such), else
/// Windows-1252, which fits anything.
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Unreadable> {
    decode_or(bytes, WINDOWS_1252)
}

/// The same, but what an HTML page says of itself outranks Windows-1252.
pub(super) fn decode_html(bytes: &[u8]) -> Result<Cow<'_, str>, Unreadable> {
    decode_or(bytes, declared_in_html(&bytes[..bytes.len().min(PRESCAN)]).unwrap_or(WINDOWS_1252))
}

fn decode_or<'b>(bytes: &'b [u8], fallback: &'static Encoding) -> Result<Cow<'b, str>, Unreadable> {
    let (encoding, mark) = Encoding::for_bom(bytes).unwrap_or((UTF_8, 0));
    let body = &bytes[mark..];
    if encoding == UTF_16LE || encoding == UTF_16BE {
        let (text, broken) = encoding.decode_without_bom_handling(body);
        // Random bytes make lone surrogates by the score; a text has at most a torn end.
        if broken && text.matches('\u{fffd}').count() * 20 > text.len() {
            return Err(Unreadable::broken("its characters are not UTF-16, as its first bytes say"));
        }
        return Ok(text);
    }
    if let Ok(text) = std::str::from_utf8(body) {
        return Ok(Cow::Borrowed(text));
    }
    if mark > 0 || is_mostly_utf8(body) {
        return Ok(String::from_utf8_lossy(body));
    }
    Ok(fallback.decode_without_bom_handling(body).0)
}

/// More characters of two bytes and more that fit UTF-8 than places that don't.
fn is_mostly_utf8(body: &[u8]) -> bool {
    let (mut good, mut bad) = (0_usize, 0_usize);
    for chunk in body.utf8_chunks() {
        good += chunk.valid().bytes().filter(|b| *b >= 0xc2).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    good > bad
}

/// `<meta charset=x>` or `content="…; charset=x"`.
fn declared_in_html(head: &[u8]) -> Option<&'static Encoding> {
    let head = head.to_ascii_lowercase();
    let at = head.windows(8).position(|window| window == b"charset=")? + 8;
    let label = head[at..].trim_ascii_start();
    let label = label.strip_prefix(b"\"").or_else(|| label.strip_prefix(b"'")).unwrap_or(label);
    let end = label.iter().position(|b| matches!(b, b'"' | b'\'' | b'>' | b';' | b'/' | b' ')).unwrap_or(label.len());
    let encoding = Encoding::for_label(&label[..end])?;
    // A page whose declaration could be read is not UTF-16, and UTF-8 was tried.
    (encoding != UTF_16LE && encoding != UTF_16BE && encoding != UTF_8).then_some(encoding)
}

/// Paragraphs, apart by blank lines; a line underlined with `=` or `-` is a heading.
pub(super) fn read(text: &str, out: &mut Writer) -> Result<(), Unreadable> {
    let mut paragraph: Option<(usize, usize)> = None;
    let mut at = 0;
    for line in text.split_inclusive(['\n', '\r']) {
        let end = at + line.len();
        if line.trim().is_empty() {
            if !line.starts_with('\n') || at == 0 || !text[..at].ends_with('\r') {
                flush(&mut paragraph, text, out)?;
            }
        } else {
            paragraph = Some((paragraph.map_or(at, |(start, _)| start), end));
        }
        at = end;
    }
    flush(&mut paragraph, text, out)
}

fn flush(paragraph: &mut Option<(usize, usize)>, text: &str, out: &mut Writer) -> Result<(), Unreadable> {
    let Some((start, end)) = paragraph.take() else { return Ok(()) };
    let body = text[start..end].trim_end();
    if let Some((heading, level)) = underlined(body) {
        out.begin(BlockKind::Heading(level))?;
        out.words(heading)?;
        return Ok(());
    }
    out.begin(BlockKind::Paragraph)?;
    out.verbatim(body)
}

/// A heading of one line over a rule of the same length, about.
fn underlined(body: &str) -> Option<(&str, u8)> {
    let mut lines = body.lines();
    let (heading, rule, None) = (lines.next()?.trim(), lines.next()?.trim(), lines.next()) else { return None };
    let level = match rule.bytes().next()? {
        b'=' => 1,
        b'-' => 2,
        _ => return None,
    };
    let same = rule.bytes().all(|b| b == rule.as_bytes()[0]);
    let length = heading.chars().count();
    (same && length <= 200 && rule.len() + 3 >= length && rule.len() >= 3).then_some((heading, level))
}
