//! Which format a document is in: the bytes decide, what was declared only chooses between kinds of text.

use super::error::Unreadable;

/// The formats that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Pdf,
    Docx,
    Html,
    Markdown,
    /// CSV and its kin; `None` finds the separator out.
    Rows {
        separator: Option<u8>,
    },
    /// Source code, JSON, XML and settings: lines that mean something.
    Code,
    Plain,
}

const CSV: Format = Format::Rows { separator: None };
const TSV: Format = Format::Rows { separator: Some(b'\t') };
const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

/// How much of the beginning is looked at.
const SAMPLE: usize = 64 * 1024;

/// Beginnings of files that hold no text for us, and what to call them.
const MAGIC: &[(&[u8], &str)] = &[
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"II*\0", "a TIFF image"),
    (b"MM\0*", "a TIFF image"),
    (b"RIFF", "a RIFF sound, picture or film"),
    (b"OggS", "an Ogg sound or film"),
    (b"ID3", "an MP3 sound"),
    (b"fLaC", "a FLAC sound"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\0", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90\0", "a program"),
    (b"\xca\xfe\xba\xbe", "a program"),
    (b"\0asm", "a program"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"{\\rtf", "an RTF document"),
    (b"%!PS", "a PostScript document"),
];

/// Endings of names of source code, data and settings.
const CODE: &[&str] = &[
    "ada",
    "asm",
    "bash",
    "bat",
    "c",
    "cc",
    "cfg",
    "clj",
    "cmake",
    "conf",
    "cpp",
    "cs",
    "css",
    "cxx",
    "dart",
    "diff",
    "erl",
    "ex",
    "exs",
    "f90",
    "fs",
    "go",
    "gradle",
    "graphql",
    "groovy",
    "h",
    "hcl",
    "hh",
    "hpp",
    "hs",
    "ini",
    "ipynb",
    "java",
    "jl",
    "js",
    "json",
    "jsonl",
    "jsx",
    "kt",
    "kts",
    "less",
    "lisp",
    "lua",
    "m",
    "mjs",
    "ml",
    "mli",
    "mm",
    "ndjson",
    "nim",
    "nix",
    "patch",
    "php",
    "pl",
    "pm",
    "properties",
    "proto",
    "ps1",
    "py",
    "pyi",
    "r",
    "rb",
    "rs",
    "scala",
    "scss",
    "sh",
    "sol",
    "sql",
    "svelte",
    "svg",
    "swift",
    "tcl",
    "tf",
    "toml",
    "ts",
    "tsx",
    "v",
    "vb",
    "vhd",
    "vue",
    "xml",
    "xsd",
    "xsl",
    "yaml",
    "yml",
    "zig",
    "zsh",
];

/// Finds the format of a document.
///
/// # Errors
/// [`Unreadable::NoText`] when it is empty, [`Unreadable::Encrypted`] for an Office file with a password,
/// [`Unreadable::UnsupportedType`] for what is not read.
pub(super) fn recognise(bytes: &[u8], media_type: &str, name: &str) -> Result<Format, Unreadable> {
    if bytes.is_empty() {
        return Err(Unreadable::NoText);
    }
    let essence = media_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    let ending = name.rsplit_once('.').map_or_else(String::new, |(_, ending)| ending.trim().to_ascii_lowercase());
    if let Some(binary) = recognise_binary(bytes, &essence, &ending)? {
        return Ok(binary);
    }
    let declared = by_media_type(&essence);
    let named = by_ending(&ending);
    let hint = match declared {
        Some(Format::Plain) | None => named.or(declared),
        some => some,
    };
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    Ok(match hint {
        Some(format @ (Format::Markdown | Format::Code)) => format,
        _ if begins_as_html(sample) => Format::Html,
        Some(Format::Html) if !has_tag(sample) => Format::Plain,
        Some(format) => format,
        None => Format::Plain,
    })
}

/// `None` when the bytes are text.
fn recognise_binary(bytes: &[u8], essence: &str, ending: &str) -> Result<Option<Format>, Unreadable> {
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    let trimmed = sample.strip_prefix(b"\xef\xbb\xbf").unwrap_or(sample).trim_ascii_start();
    let said_pdf = essence == "application/pdf" || ending == "pdf";
    if trimmed.starts_with(b"%PDF-") || said_pdf && find(&sample[..sample.len().min(1024)], b"%PDF-") {
        return Ok(Some(Format::Pdf));
    }
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        let docx = essence == DOCX || ending == "docx" || find(bytes, b"word/document.xml");
        return if docx {
            Ok(Some(Format::Docx))
        } else {
            Err(unsupported("a ZIP archive or another Office document"))
        };
    }
    if bytes.starts_with(b"\xd0\xcf\x11\xe0") {
        let marker: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let encrypted = find(bytes, &marker);
        return Err(if encrypted { Unreadable::Encrypted } else { unsupported("an Office document of before 2007") });
    }
    if let Some((_, what)) = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Err(unsupported(what));
    }
    if bytes.get(4..8) == Some(b"ftyp") {
        return Err(unsupported("a film or sound"));
    }
    let is_wide = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    let controls = sample.iter().filter(|b| **b < 0x20 && !matches!(**b, b'\t'..=b'\r' | 0x1b)).count();
    if !is_wide && controls * 20 > sample.len() {
        return Err(unsupported("binary data"));
    }
    Ok(None)
}

fn by_media_type(essence: &str) -> Option<Format> {
    Some(match essence {
        "text/html" | "application/xhtml+xml" => Format::Html,
        "text/markdown" | "text/x-markdown" => Format::Markdown,
        "text/csv" | "application/csv" => CSV,
        "text/tab-separated-values" => TSV,
        "application/json"
        | "application/xml"
        | "text/xml"
        | "text/css"
        | "text/javascript"
        | "application/javascript"
        | "application/toml"
        | "application/yaml"
        | "application/sql"
        | "application/x-sh" => Format::Code,
        _ if essence.ends_with("+json") || essence.ends_with("+xml") || essence.starts_with("text/x-") => Format::Code,
        _ if essence.starts_with("text/") => Format::Plain,
        _ => return None,
    })
}

fn by_ending(ending: &str) -> Option<Format> {
    Some(match ending {
        "html" | "htm" | "xhtml" => Format::Html,
        "md" | "markdown" | "mkd" => Format::Markdown,
        "csv" => CSV,
        "tsv" | "tab" => TSV,
        _ if CODE.binary_search(&ending).is_ok() => Format::Code,
        _ => return None,
    })
}

/// Whether the text opens as an HTML page, after comments and an XML declaration.
fn begins_as_html(sample: &[u8]) -> bool {
    let mut rest = sample.strip_prefix(b"\xef\xbb\xbf").unwrap_or(sample);
    loop {
        rest = rest.trim_ascii_start();
        let close: &[u8] = if rest.starts_with(b"<!--") {
            b"-->"
        } else if rest.starts_with(b"<?xml") {
            b"?>"
        } else {
            break;
        };
        let Some(at) = rest.windows(close.len()).position(|window| window == close) else { return false };
        rest = &rest[at + close.len()..];
    }
    let head = &rest[..rest.len().min(14)];
    let head = head.to_ascii_lowercase();
    head.starts_with(b"<!doctype html") || head.starts_with(b"<html") || head.starts_with(b"<head")
}

fn has_tag(sample: &[u8]) -> bool {
    sample.windows(2).any(|pair| pair[0] == b'<' && (pair[1].is_ascii_alphabetic() || matches!(pair[1], b'/' | b'!')))
}

fn find(bytes: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(bytes, needle).is_some()
}

fn unsupported(found: &str) -> Unreadable {
    Unreadable::UnsupportedType { found: found.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endings_of_code_are_sorted() {
        assert!(CODE.is_sorted());
    }

    #[test]
    fn bytes_outrank_what_was_declared() {
        assert_eq!(recognise(b"%PDF-1.4 x", "text/plain", "a.txt"), Ok(Format::Pdf));
        assert_eq!(recognise(b"<!DOCTYPE html><p>x", "text/plain", "a.txt"), Ok(Format::Html));
        assert_eq!(recognise(b"only words", "application/pdf", "a.pdf"), Ok(Format::Plain));
        assert_eq!(recognise(b"only words", "text/html", "a.html"), Ok(Format::Plain));
        let png = recognise(b"\x89PNG\r\n\x1a\nxxx", "text/markdown", "a.md").unwrap_err();
        assert_eq!(png.state(), "unsupported_type");
    }

    #[test]
    fn a_declared_kind_of_text_outranks_the_name_and_the_name_outranks_plain() {
        assert_eq!(recognise(b"a,b", "text/csv", "a.txt"), Ok(CSV));
        assert_eq!(recognise(b"a,b", "text/plain; charset=utf-8", "a.CSV"), Ok(CSV));
        assert_eq!(recognise(b"fn x() {}", "application/octet-stream", "x.rs"), Ok(Format::Code));
        assert_eq!(recognise(b"# x", "", "README.md"), Ok(Format::Markdown));
        assert_eq!(recognise(b"# x", "", "\u{1}\u{0}../\n.weird"), Ok(Format::Plain));
    }

    #[test]
    fn an_office_file_with_a_password_is_encrypted_and_an_old_one_is_not_read() {
        let mut ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
        assert_eq!(recognise(&ole, DOCX, "a.docx").unwrap_err().state(), "unsupported_type");
        ole.extend("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes));
        assert_eq!(recognise(&ole, DOCX, "a.docx"), Err(Unreadable::Encrypted));
    }

    #[test]
    fn a_few_nul_bytes_are_text_and_many_are_not() {
        assert_eq!(recognise(b"a line of words\0 and another one of words\n", "", "a"), Ok(Format::Plain));
        assert_eq!(recognise(b"\0\x01\x02abc\0\0", "text/plain", "a.txt").unwrap_err().state(), "unsupported_type");
    }
}
