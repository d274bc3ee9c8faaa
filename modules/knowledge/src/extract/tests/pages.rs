//! PDF.

use super::super::BlockKind::{Heading, Paragraph};
use super::samples::{encrypted_trailer, pdf, shown};
use super::{blocks, read, state};

#[test]
fn a_pdf_keeps_pages_headings_and_paragraphs() {
    let file = pdf(
        &[
            shown(&[
                (20, 700, "The Heading"),
                (10, 660, "The first line of a para-"),
                (10, 648, "graph, and the second."),
                (10, 610, "Another paragraph."),
                (10, 30, "1"),
            ]),
            shown(&[(10, 700, "On page two (with \\\\ and \\(\\))."), (10, 30, "2")]),
        ],
        "",
    );
    let extracted = read(&file, "a.pdf").unwrap();
    assert_eq!(
        blocks(&extracted),
        [
            (Heading(1), "The Heading"),
            (Paragraph, "The first line of a paragraph, and the second."),
            (Paragraph, "Another paragraph."),
            (Paragraph, "On page two (with \\ and ())."),
        ]
    );
    assert_eq!(
        extracted.blocks.iter().map(|block| block.page).collect::<Vec<_>>(),
        [Some(1), Some(1), Some(1), Some(2)]
    );
}

#[test]
fn words_that_stand_apart_without_a_blank_are_parted() {
    let content = "BT /F1 10 Tf 72 700 Td [(one) -400 (two) -20 (three)] TJ ET".to_owned();
    assert_eq!(read(&pdf(&[content], ""), "a.pdf").unwrap().text, "one twothree");
}

#[test]
fn what_stands_at_the_end_of_every_page_is_left_out() {
    let pages: Vec<String> = (1..=5)
        .map(|page| {
            shown(&[(10, 760, &format!("The Manual, page {page}")), (10, 700, &format!("Words of page {page} alone."))])
        })
        .collect();
    let text = read(&pdf(&pages, ""), "a.pdf").unwrap().text;
    assert!(!text.contains("Manual") && text.contains("Words of page 3"), "{text}");
}

#[test]
fn a_pdf_with_a_password_is_encrypted() {
    assert_eq!(state(&pdf(&[shown(&[(10, 700, "secret")])], &encrypted_trailer()), "a.pdf"), "encrypted");
}

#[test]
fn a_pdf_with_too_many_pages_is_refused_before_it_is_read() {
    let pages = vec![shown(&[(10, 700, "again")]); 10_000];
    assert_eq!(state(&pdf(&pages, ""), "a.pdf"), "too_many_pages");
}

#[test]
fn a_torn_pdf_ends_in_a_state_or_what_is_left_of_it() {
    let pages: Vec<String> = (0..20).map(|page| shown(&[(10, 700, &format!("Page {page}."))])).collect();
    let file = pdf(&pages, "");
    for length in (8..file.len()).step_by(file.len() / 23) {
        if let Err(unreadable) = read(&file[..length], "a.pdf") {
            assert!(["broken", "no_text"].contains(&unreadable.state()), "{unreadable:?}");
        }
    }
    assert_eq!(state(b"%PDF-1.7\nnothing", "a.pdf"), "broken");
}

#[test]
fn a_pdf_of_pictures_alone_holds_no_text() {
    assert_eq!(state(&pdf(&["0 0 10 10 re f".to_owned()], ""), "a.pdf"), "no_text");
}

#[test]
fn forms_that_draw_themselves_end() {
    let own = pdf(&["/F1 Do q Q ".repeat(1000)], "");
    assert_eq!(state(&own, "a.pdf"), "no_text");
}

#[test]
fn a_table_of_contents_loses_its_dots_and_holds_no_headings() {
    let contents = shown(&[(10, 700, "Body text of this page, the most of all."), (18, 600, "1 First ........... 7")]);
    let extracted = read(&pdf(&[contents], ""), "a.pdf").unwrap();
    assert_eq!(blocks(&extracted)[1], (Paragraph, "1 First … 7"));
}
