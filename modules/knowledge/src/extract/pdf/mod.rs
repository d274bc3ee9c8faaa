//! PDF: the interpreter says which characters stand where, and their places and sizes give back lines, paragraphs and
//! headings, since a PDF holds no structure that one could rely on.

mod glyphs;
mod layout;
mod structure;

use hayro_interpret::hayro_syntax::{DecryptionError, LoadPdfError, Pdf};
use hayro_interpret::kurbo::{Affine, Rect};
use hayro_interpret::{Context, InterpreterCache, InterpreterSettings, interpret_page};

use super::error::Unreadable;
use super::limits::Limits;
use super::writer::Writer;
use glyphs::Page;
use layout::Part;

/// The text of every page, in the order in which it is drawn.
pub(super) fn read(bytes: &[u8], limits: &Limits, out: &mut Writer) -> Result<(), Unreadable> {
    let pdf = Pdf::new(bytes.to_vec()).map_err(refusal)?;
    let count = pdf.pages().len();
    if count > limits.pages as usize {
        return Err(Unreadable::TooManyPages { pages: count as u64, limit: limits.pages });
    }
    if count == 0 {
        return Err(Unreadable::broken("it has no pages"));
    }
    if let Some(title) = &pdf.metadata().title {
        out.title(&text_string(title));
    }
    let cache = InterpreterCache::new();
    let mut pages: Vec<Vec<Part>> = Vec::with_capacity(count);
    let mut bytes_left = limits.text_bytes;
    for page in pdf.pages().iter() {
        let mut device = Page::new(bytes_left);
        let settings = InterpreterSettings { warning_sink: std::sync::Arc::new(|_| ()), ..Default::default() };
        let bounds = Rect::new(0.0, 0.0, 1.0, 1.0);
        let mut context = Context::new(Affine::IDENTITY, bounds, &cache, pdf.xref(), settings);
        interpret_page(page, &mut context, &mut device);
        let lines = device.lines().ok_or(Unreadable::TooLarge { limit: limits.text_bytes })?;
        bytes_left -= lines.iter().map(|line| line.text.len() as u64).sum::<u64>().min(bytes_left);
        let bounds = page.media_box();
        pages.push(layout::parts(&lines, bounds.y0, bounds.y1));
    }
    structure::write(pages, out)
}

fn refusal(error: LoadPdfError) -> Unreadable {
    match error {
        LoadPdfError::Decryption(DecryptionError::PasswordProtected | DecryptionError::UnsupportedAlgorithm) => {
            Unreadable::Encrypted
        }
        LoadPdfError::Decryption(_) => Unreadable::broken("its encryption breaks the rules of PDF"),
        LoadPdfError::Invalid => Unreadable::broken("it is cut off or not a PDF inside"),
    }
}

/// A PDF text string: UTF-16 or UTF-8 by its mark, else about Latin-1 (ISO 32000-2, 7.9.2.2).
fn text_string(bytes: &[u8]) -> String {
    match encoding_rs::Encoding::for_bom(bytes) {
        Some((encoding, mark)) => encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned(),
        None => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(),
    }
}
