//! Plain text, Markdown, HTML, CSV and code.

use super::super::BlockKind::{Code, Heading, ListItem, Paragraph, Row, Table, Term};
use super::super::{Limits, read_document};
use super::{read, read_blocks, state};

fn own(blocks: &[(super::BlockKind, &str)]) -> Vec<(super::BlockKind, String)> {
    blocks.iter().map(|(kind, text)| (*kind, (*text).to_owned())).collect()
}

#[test]
fn plain_text_falls_into_paragraphs_and_underlined_headings() {
    let text = b"Title\r\n=====\r\n\r\nOne line\r\nand another.\r\n\r\n\r\nLast.\r\n";
    assert_eq!(
        read_blocks(text, "a.txt"),
        own(&[(Heading(1), "Title"), (Paragraph, "One line\nand another."), (Paragraph, "Last."),])
    );
}

#[test]
fn characters_are_read_in_the_encoding_that_fits() {
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain("Grüße 🙂".encode_utf16().flat_map(u16::to_le_bytes)).collect();
    assert_eq!(read(&utf16, "a.txt").unwrap().text, "Grüße 🙂");
    assert_eq!(read(b"Gr\xfc\xdfe", "a.txt").unwrap().text, "Grüße");
    assert_eq!(read("\u{feff}Grüße".as_bytes(), "a.txt").unwrap().text, "Grüße");
    assert_eq!(
        read("Grüße, żółw \u{1f600}".as_bytes().split_last().unwrap().1, "a").unwrap().text,
        "Grüße, żółw \u{fffd}"
    );
    let latin2 = b"<meta charset=iso-8859-2><p>za\xbf\xf3\xb3\xe6</p>";
    assert_eq!(read(latin2, "a.html").unwrap().text, "zażółć");
}

#[test]
fn nul_bytes_and_control_characters_become_blanks() {
    let text = read(b"one\0two \x1b[31mred, and enough words to be text\x07", "a.txt").unwrap().text;
    assert_eq!(text, "one two  [31mred, and enough words to be text");
    assert!(
        !read(b"<p>a\0b\x01c and enough words around it to be text</p>", "a.html")
            .unwrap()
            .text
            .contains(char::is_control)
    );
}

#[test]
fn an_empty_document_and_one_of_blanks_hold_no_text() {
    assert_eq!(state(b"", "a.txt"), "no_text");
    assert_eq!(state(b" \n\t \r\n", "a.txt"), "no_text");
    assert_eq!(state(b"<html><body><script>x()</script></body></html>", "a.html"), "no_text");
    assert_eq!(state(b"\xef\xbb\xbf", "a.md"), "no_text");
}

#[test]
fn markdown_reads_as_its_readers_see_it() {
    let text = b"---\ntitle: \"The Title\"\n---\n# One *two* `three`\n\nA [link](http://x) and\nmore.\n\n\
        - first\n- second\n\n  again\n  1. inner\n\n```rust\n  fn x() {}\n\n  y\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n<div>raw <b>html</b></div>\n";
    let extracted = read(text, "a.md").unwrap();
    assert_eq!(extracted.title.as_deref(), Some("The Title"));
    assert_eq!(
        read_blocks(text, "a.md"),
        own(&[
            (Heading(1), "One two three"),
            (Paragraph, "A link and more."),
            (ListItem, "- first"),
            (ListItem, "- second"),
            (Paragraph, "again"),
            (ListItem, "1. inner"),
            (Code, "  fn x() {}\n\n  y"),
            (Table, "a | b\n1 | 2"),
            (Paragraph, "raw html"),
        ])
    );
}

#[test]
fn html_keeps_its_structure() {
    let page = b"<!doctype html><html><head><title> A  page </title><style>p{}</style></head><body>\
        <h1>Head<a class=headerlink>P</a></h1><p>One &amp; <b>two</b>\n three<p>four<br>five\
        <ul><li>a<li><p>b</p><p>b2</p></ul><ol start=3><li>c</ol><pre>\n  x\n    y</pre>\
        <table><caption>T</caption><tr><th>k<th>v<tr><td><p>1</p><td>2</table>\
        <dl><dt><code>f(x)</code><dd>does it</dl><div class=note><h3>Note</h3><p>careful</div>";
    assert_eq!(read(page, "x").unwrap().title.as_deref(), Some("A page"));
    assert_eq!(
        read_blocks(page, "x"),
        own(&[
            (Heading(1), "Head"),
            (Paragraph, "One & two three"),
            (Paragraph, "four\nfive"),
            (ListItem, "- a"),
            (ListItem, "- b"),
            (Paragraph, "b2"),
            (ListItem, "3. c"),
            (Code, "  x\n    y"),
            (Table, "T\nk | v\n1 | 2"),
            (Term, "f(x)"),
            (Paragraph, "does it"),
            (Term, "Note"),
            (Paragraph, "careful"),
        ])
    );
}

#[test]
fn what_surrounds_the_content_or_is_out_of_sight_is_left_out() {
    let page = b"<html><body><nav>menu <nav>inner</nav> menu</nav><div class='x navheader'>up <div>down</div></div>\
        <p>seen</p><p hidden>no</p><p style='color:red; DISPLAY : none'>no</p><p aria-hidden=true>no</p>\
        <script>if (a<b) document.write('<p>no</p>')</script><noscript>no</noscript><footer>no</footer></body></html>";
    assert_eq!(read(page, "a.html").unwrap().text, "seen");
    let main = format!("<p>before</p><main><p>{}</p></main><p>after</p>", "main words ".repeat(30));
    assert!(!read(main.as_bytes(), "a.html").unwrap().text.contains("before"));
    assert_eq!(read(b"<html><nav>only a menu</nav></html>", "a.html").unwrap().text, "only a menu");
}

#[test]
fn a_record_reads_with_the_names_of_its_fields() {
    let data = b"name;city;note\nAda;London;\"said: \"\"x\nand y\"\"\"\nBob;;z\n";
    assert_eq!(
        read_blocks(data, "a.csv"),
        own(&[(Row, "name: Ada; city: London; note: said: \"x and y\""), (Row, "name: Bob; note: z"),])
    );
    assert_eq!(read_blocks(b"1,2\n3,4\n", "a.csv"), own(&[(Row, "1; 2"), (Row, "3; 4")]));
    assert_eq!(read(b"only,names\n", "a.csv").unwrap().text, "only; names");
}

#[test]
fn code_keeps_its_lines_and_falls_into_definitions() {
    let code = b"import os\n\ndef one():\n    x = 1\n\n    return x\n\nclass Two:\n    pass\n";
    assert_eq!(
        read_blocks(code, "a.py"),
        own(&[(Code, "import os"), (Code, "def one():\n    x = 1\n\n    return x"), (Code, "class Two:\n    pass"),])
    );
    assert_eq!(read_blocks(b"{\"a\": 1,\n \"b\": 2}", "a.json"), own(&[(Code, "{\"a\": 1,\n \"b\": 2}")]));
}

#[test]
fn limits_on_text_and_parts_hold() {
    let limits = Limits { text_bytes: 1000, blocks: 10, source_bytes: 5000, ..Limits::default() };
    let with = |bytes: &[u8], name: &str| read_document(bytes, "", name, &limits).unwrap_err().state();
    assert_eq!(with("word ".repeat(300).as_bytes(), "a.txt"), "too_large");
    assert_eq!(with("word ".repeat(2000).as_bytes(), "a.txt"), "too_large");
    assert_eq!(with("<p>x".repeat(20).as_bytes(), "a.html"), "too_complex");
    assert_eq!(with("a,b\n".repeat(20).as_bytes(), "a.csv"), "too_complex");
}

#[test]
fn a_million_nodes_and_a_great_depth_cost_time_alone() {
    let deep = format!("{}deep{}", "<div>".repeat(200_000), "</div>".repeat(200_000));
    assert_eq!(read(deep.as_bytes(), "a.html").unwrap().text, "deep");
    let lists = format!("{}deep", "<ul><li>".repeat(100_000));
    assert!(read(lists.as_bytes(), "a.html").unwrap().text.ends_with("- deep"));
    let unmatched = format!("{}{}x", "<div>".repeat(100_000), "</span></b>".repeat(300_000));
    assert_eq!(read(unmatched.as_bytes(), "a.html").unwrap().text, "x");
    let wide = "<b>x</b>".repeat(1_000_000);
    assert_eq!(read(wide.as_bytes(), "a.html").unwrap().text.len(), 1_000_000);
    let quotes = "> ".repeat(50_000) + "deep";
    assert!(read(quotes.as_bytes(), "a.md").is_ok());
}
