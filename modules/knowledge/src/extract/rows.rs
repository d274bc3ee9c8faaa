//! CSV and TSV: a block for each record, with the names of its fields.

use csv::{ReaderBuilder, StringRecord};

use super::error::Unreadable;
use super::model::BlockKind;
use super::writer::Writer;

/// The separators that are told apart.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// `name: value` of every field that has one, records apart by lines. The first record names the fields, unless it holds
/// numbers or holes.
pub(super) fn read(text: &str, separator: Option<u8>, out: &mut Writer) -> Result<(), Unreadable> {
    let separator = separator.unwrap_or_else(|| guess_separator(text));
    let mut reader =
        ReaderBuilder::new().delimiter(separator).has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut names: Option<StringRecord> = None;
    let mut record = StringRecord::new();
    let mut is_first = true;
    while reader.read_record(&mut record).map_err(|_| Unreadable::broken("its records can't be told apart"))? {
        if is_first && are_names(&record) {
            names = Some(record.clone());
            is_first = false;
            continue;
        }
        is_first = false;
        write(&record, names.as_ref(), out)?;
    }
    match names {
        // Names alone are what the file says.
        Some(names) if out.is_empty() => write(&names, None, out),
        _ => Ok(()),
    }
}

fn write(record: &StringRecord, names: Option<&StringRecord>, out: &mut Writer) -> Result<(), Unreadable> {
    out.begin(BlockKind::Row)?;
    let mut first = true;
    for (at, value) in record.iter().enumerate() {
        if value.trim().is_empty() {
            continue;
        }
        if !first {
            out.words("; ")?;
        }
        first = false;
        if let Some(name) = names.and_then(|names| names.get(at)).filter(|name| !name.trim().is_empty()) {
            out.words(name.trim())?;
            out.words(": ")?;
        }
        out.words(value.trim())?;
    }
    out.end();
    Ok(())
}

fn are_names(record: &StringRecord) -> bool {
    record.len() > 1 && record.iter().all(|field| !field.trim().is_empty() && field.trim().parse::<f64>().is_err())
}

/// The separator that stands most often in the first line that is not blank.
fn guess_separator(text: &str) -> u8 {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
    let count = |separator: u8| line.bytes().filter(|b| *b == separator).count();
    let mut best = SEPARATORS[0];
    for separator in SEPARATORS {
        if count(separator) > count(best) {
            best = separator;
        }
    }
    best
}
