use proptest::prelude::*;

use crate::analysis::{highlights, joined, query_terms, terms};

fn texts(text: &str) -> Vec<String> {
    terms(text).map(|term| term.text).collect()
}

#[test]
fn forms_of_a_word_are_one_term() {
    assert_eq!(texts("Index indexes INDEXED indexing"), ["index", "index", "index", "index"]);
    assert_eq!(texts("Café cafe\u{301} ＣＡＦＥ"), ["cafe", "cafe", "cafe"]);
    assert_eq!(texts("the user’s user's"), texts("the user users"));
}

#[test]
fn a_name_is_found_whole_and_in_its_pieces() {
    assert_eq!(texts("pg_dump"), ["pg_dump", "pg", "dump"]);
    assert_eq!(texts("pg_hba.conf"), ["pg_hba.conf", "pg_hba", "pg", "hba", "conf"]);
    assert_eq!(texts("os.path.join"), ["os.path.join", "os", "path", "join"]);
    assert_eq!(texts("HTMLParser"), ["htmlparser", "html", "parser"]);
    assert_eq!(texts("getItem PDFs SQL"), ["getitem", "get", "item", "pdfs", "sql"]);
    assert_eq!(texts("max_wal_size")[1..], ["max", "wal", "size"]);
    assert_eq!(texts("3.14 1,000"), ["3.14", "1,000"]);
}

#[test]
fn ranges_point_at_what_was_written() {
    let text = "Ärger: call os.path.join(ThreadPool) — ﬁnally";
    for term in terms(text) {
        let written = &text[term.start..term.end];
        assert!(!written.contains(' ') && texts(written).contains(&term.text), "{term:?} {written:?}");
    }
}

#[test]
fn scripts_without_spaces_have_terms() {
    assert_eq!(texts("東京都").len(), 3);
    assert_eq!(texts("поиск документов"), ["поиск", "документов"]);
}

#[test]
fn a_question_keeps_what_it_is_about() {
    assert_eq!(query_terms("How do I create an index on what is in the table?"), ["i", "creat", "index", "tabl"]);
    assert_eq!(query_terms("the who"), ["the", "who"], "nothing else is there");
    assert_eq!(query_terms("what is WHO"), ["who"], "capitals are a name");
    assert_eq!(query_terms("index index indexes"), ["index"]);
    assert_eq!(query_terms(" ?! "), Vec::<String>::new());
    let many: Vec<String> = (0..500).map(|n| format!("w{n}")).collect();
    assert_eq!(query_terms(&many.join(" ")).len(), 64);
}

#[test]
fn highlights_mark_each_place_once() {
    let text = "Use pg_dump to dump; dumping is safe.";
    let wanted = query_terms("pg_dump");

    let marked: Vec<&str> = highlights(text, &wanted, 10).into_iter().map(|(from, to)| &text[from..to]).collect();

    assert_eq!(marked, ["pg_dump", "dump", "dumping"]);
    assert_eq!(highlights(text, &wanted, 2).len(), 2);
}

#[test]
fn an_endless_word_is_cut() {
    let word = "a".repeat(1 << 20);
    assert_eq!(texts(&word), ["a".repeat(64)]);
    let name = "a_".repeat(1 << 18);
    assert!(texts(&name).len() <= 70);
}

proptest! {
    #[test]
    fn any_text_gives_terms_without_spaces_inside_it(text in ".{0,200}") {
        for term in terms(&text) {
            prop_assert!(text.get(term.start..term.end).is_some());
            prop_assert!(!term.text.is_empty() && !term.text.contains(char::is_whitespace), "{:?}", term);
        }
    }

    #[test]
    fn joined_terms_come_apart_into_the_same(text in "[a-zA-Z_. '’éß東-]{0,80}") {
        let expected: Vec<String> = terms(&text).map(|term| term.text).collect();
        let again: Vec<String> = joined(&text).split_whitespace().map(str::to_owned).collect();
        prop_assert_eq!(again, expected);
    }
}
