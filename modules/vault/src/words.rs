//! Words that clients choose, read into values that can't be wrong.

use mime::Mime;
use unicode_normalization::UnicodeNormalization;

use crate::error::Error;

/// The type of bytes about which nothing is known.
const UNKNOWN: &str = "application/octet-stream";
/// Types that clients send when they know nothing.
const VAGUE: &[&str] = &[UNKNOWN, "application/x-www-form-urlencoded", "binary/octet-stream"];
const MAX_NAME: usize = 255;

/// Whether a character must not stand in a name: what controls terminals and lines, what parts paths, and what turns
/// the direction of writing, so that a name looks like another one.
fn forbidden(char: char) -> bool {
    char.is_control()
        || matches!(char, '/' | '\\' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Reads a name into NFC: 1 to 255 characters after trimming, nothing that a path or a terminal would take for more.
///
/// # Errors
/// [`Error::NameInvalid`] with the field.
pub(crate) fn parse_name(path: &'static str, text: &str) -> Result<String, Error> {
    let name: String = text.trim().nfc().collect();
    let fits = (1..=MAX_NAME).contains(&name.chars().count()) && name != "." && name != "..";
    if fits && !name.chars().any(forbidden) { Ok(name) } else { Err(Error::NameInvalid(path)) }
}

/// Reads a description: at most 2000 characters, no control characters but line breaks.
pub(crate) fn parse_description(text: &str) -> Result<String, Error> {
    let text = text.trim();
    let plain = text.chars().all(|c| c == '\n' || !c.is_control());
    if plain && text.chars().count() <= 2000 { Ok(text.to_owned()) } else { Err(Error::DescriptionInvalid) }
}

/// Reads the name of an embedding model, which is kept as it is.
pub(crate) fn parse_model(text: &str) -> Result<String, Error> {
    let shaped = |c: char| c.is_ascii_alphanumeric() || "-_.:/".contains(c);
    if (1..=100).contains(&text.len()) && text.chars().all(shaped) {
        Ok(text.to_owned())
    } else {
        Err(Error::ModelInvalid)
    }
}

/// The media type of a document: what the client says, without parameters but for the alphabet, or what the name tells
/// when the client says nothing.
///
/// # Errors
/// [`Error::MediaTypeInvalid`] for a type that is none, or one for many documents in one.
pub(crate) fn parse_media_type(said: Option<&str>, name: &str) -> Result<String, Error> {
    let said = said.map(str::trim).filter(|text| !text.is_empty());
    let Some(text) = said else { return Ok(guessed(name)) };
    let parsed: Mime = text.parse().map_err(|_| Error::MediaTypeInvalid)?;
    let essence = parsed.essence_str().to_ascii_lowercase();
    if VAGUE.contains(&essence.as_str()) {
        return Ok(guessed(name));
    }
    if parsed.type_() == mime::STAR || parsed.type_() == mime::MULTIPART || essence.len() > 127 {
        return Err(Error::MediaTypeInvalid);
    }
    let charset = parsed.get_param(mime::CHARSET).map(|charset| charset.as_str().to_ascii_lowercase());
    match charset.filter(|charset| charset.len() <= 40) {
        Some(charset) => Ok(format!("{essence}; charset={charset}")),
        None => Ok(essence),
    }
}

fn guessed(name: &str) -> String {
    mime_guess::from_path(name).first_raw().unwrap_or(UNKNOWN).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_a_path_or_a_trick_is_refused() {
        for wrong in
            ["", " ", ".", "..", "../a", "a/b", "a\\b", "a\0b", "a\nb", "a\u{7f}", "a\u{202e}fdp.exe", &"é".repeat(256)]
        {
            assert!(parse_name("name", wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(parse_name("name", " e\u{301}té.pdf ").unwrap(), "été.pdf");
        assert!(parse_name("name", &"é".repeat(255)).is_ok());
    }

    #[test]
    fn a_media_type_is_said_or_guessed() {
        let of = |said, name| parse_media_type(said, name).unwrap();

        assert_eq!(of(Some("Text/HTML; Charset=UTF-8; x=y"), "a"), "text/html; charset=utf-8");
        assert_eq!(of(None, "a.pdf"), "application/pdf");
        assert_eq!(of(Some("application/x-www-form-urlencoded"), "a.md"), "text/markdown");
        assert_eq!(of(Some("application/octet-stream"), "a.unheard-of"), UNKNOWN);
        for wrong in ["pdf", "*/*", "multipart/mixed; boundary=a", "a/b\r\nx: y"] {
            assert!(parse_media_type(Some(wrong), "a").is_err(), "{wrong:?}");
        }
    }
}
