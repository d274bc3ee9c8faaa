//! DOCX.

use super::super::BlockKind::{Heading, ListItem, Paragraph, Table};
use super::super::{Limits, read_document};
use super::samples::{archive, docx};
use super::{read, read_blocks, state};

const P: &str = "<w:p><w:r><w:t>words</w:t></w:r></w:p>";

#[test]
fn a_document_keeps_headings_lists_and_tables() {
    let file = docx(
        "<w:p><w:pPr><w:pStyle w:val=\"berschrift1\"/></w:pPr><w:r><w:t>Head</w:t></w:r></w:p>\
         <w:p><w:r><w:t xml:space=\"preserve\">One &amp; </w:t></w:r><w:r><w:t>two</w:t><w:br/><w:t>three</w:t></w:r>\
         <w:del><w:r><w:delText>gone</w:delText></w:r></w:del>\
         <w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r></w:p>\
         <w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t>item</w:t></w:r></w:p>\
         <w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc></w:tr>\
         <w:tr><w:tc><w:p><w:r><w:t>c</w:t></w:r></w:p></w:tc></w:tr></w:tbl>\
         <mc:Fallback><w:p><w:r><w:t>twice</w:t></w:r></w:p></mc:Fallback>",
    );
    assert_eq!(read(&file, "a.docx").unwrap().title.as_deref(), Some("The & Title"));
    let expected = [(Heading(1), "Head"), (Paragraph, "One & two\nthree"), (ListItem, "- item"), (Table, "a | b\nc")];
    assert_eq!(read_blocks(&file, "named.txt"), expected.map(|(kind, text)| (kind, text.to_owned())));
}

#[test]
fn a_torn_document_is_broken_at_any_length() {
    let file = docx(&P.repeat(2000));
    for length in (40..file.len()).step_by(file.len() / 13) {
        assert_eq!(state(&file[..length], "a.docx"), "broken", "{length} of {}", file.len());
    }
}

#[test]
fn flipped_bytes_end_in_a_state_or_a_text() {
    let file = docx(&P.repeat(50));
    for at in (0..file.len()).step_by(3) {
        let mut damaged = file.clone();
        damaged[at] ^= 0x55;
        let _text_or_state = read(&damaged, "a.docx").map_err(|unreadable| unreadable.state());
    }
}

#[test]
fn an_archive_that_unpacks_without_end_is_too_complex() {
    let mut body = b"<w:document><w:body><w:p><w:r>".to_vec();
    body.resize(body.len() + (9 << 20), b' ');
    let file = archive(&[("word/document.xml", &body)]);
    let limits = Limits { unpacked_bytes: 8 << 20, ..Limits::default() };
    assert_eq!(read_document(&file, "", "a.docx", &limits).unwrap_err().state(), "too_complex");
}

#[test]
fn entities_of_ones_own_are_refused() {
    let laughs = "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;\">]>\
        <w:document><w:p><w:r><w:t>&c;</w:t></w:r></w:p></w:document>";
    assert_eq!(state(&archive(&[("word/document.xml", laughs.as_bytes())]), "a.docx"), "broken");
    // As XML of its own it is a text like any other, and grows by nothing.
    assert_eq!(read(laughs.as_bytes(), "a.xml").unwrap().text.len(), laughs.len());
}

#[test]
fn other_archives_are_not_read() {
    assert_eq!(state(&archive(&[("a.txt", b"x")]), "a.zip"), "unsupported_type");
    assert_eq!(state(&archive(&[("xl/workbook.xml", b"<x/>")]), "a.xlsx"), "unsupported_type");
    assert_eq!(state(&archive(&[("xl/workbook.xml", b"<x/>")]), "a.docx"), "broken");
}
