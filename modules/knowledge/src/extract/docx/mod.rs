//! DOCX (Office Open XML, ECMA-376): a ZIP archive with the text in `word/document.xml`.

mod archive;
mod styles;
mod walk;

use super::error::Unreadable;
use super::limits::Limits;
use super::writer::Writer;
use archive::Archive;

/// Body, footnotes and endnotes; headings by their style, tables by rows, without deleted and hidden text.
pub(super) fn read(bytes: &[u8], limits: &Limits, out: &mut Writer) -> Result<(), Unreadable> {
    let mut archive = Archive::open(bytes, limits)?;
    let mut title = String::new();
    archive.part("docProps/core.xml", |xml| styles::title(xml, &mut title))?;
    out.title(&title);
    let mut levels = styles::Levels::default();
    archive.part("word/styles.xml", |xml| levels.read(xml))?;
    if !archive.part("word/document.xml", |xml| walk::read(xml, &levels, out))? {
        return Err(Unreadable::broken("it has no word/document.xml"));
    }
    for notes in ["word/footnotes.xml", "word/endnotes.xml"] {
        archive.part(notes, |xml| walk::read(xml, &levels, out))?;
    }
    Ok(())
}
