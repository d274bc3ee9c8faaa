//! How text becomes search terms: one analyzer for the index, the database's own search, queries and highlights.
//!
//! Words are those of Unicode (UAX #29), folded (compatibility forms, case, Latin accents) and stemmed as English.
//! A name such as `pg_hba.conf` or `ThreadPool` stays whole and is also taken apart, so that it is found either way.
//! All words are indexed; words that carry a question but not its subject are left out of queries.

mod stems;
mod words;

use std::borrow::Cow;
use std::collections::HashSet;

use unicode_normalization::UnicodeNormalization;
use words::{Words, words};

/// Changes with every change of what [`terms`] yields. Stored beside terms: another number means that they are stale.
pub const ANALYSIS_VERSION: u32 = 1;

/// Characters of a word that count; the rest of a longer one (encoded data, mostly) is ignored.
const LONGEST: usize = 64;
/// Pieces of one name that are searchable by themselves.
const MOST_PIECES: usize = 64;
/// Different terms of a query that are looked up.
const MOST_QUERY_TERMS: usize = 64;

/// Sorted. Leaving these out of queries is worth 0.01 nDCG@10 and most of a search's time (docs/quality.md).
const FUNCTION_WORDS: &[&str] = &[
    "a", "about", "all", "also", "an", "and", "any", "are", "as", "at", "be", "been", "being", "between", "but", "by",
    "can", "could", "did", "do", "does", "during", "each", "far", "for", "from", "had", "has", "have", "how", "if",
    "in", "into", "is", "it", "its", "may", "might", "must", "no", "not", "of", "on", "only", "or", "other", "out",
    "over", "shall", "should", "so", "some", "such", "than", "that", "the", "their", "then", "there", "these", "they",
    "this", "to", "under", "up", "very", "was", "what", "when", "where", "which", "who", "whom", "why", "will", "with",
    "would",
];

/// One searchable term and the bytes of the text it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// Folded and stemmed; never empty, without white space.
    pub text: String,
    /// First byte in the text.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// The terms of a text in reading order. A name comes whole first, then in its pieces, whose ranges lie inside it.
pub fn terms(text: &str) -> impl Iterator<Item = Term> + '_ {
    Terms { words: words(text), waiting: Vec::new() }
}

/// The terms of a text with a space between them: what the database's full text search and the text index store.
pub fn joined(text: &str) -> String {
    let mut joined = String::with_capacity(text.len());
    for term in terms(text) {
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(&term.text);
    }
    joined
}

/// The different terms of a query in reading order, at most 64. Function words (`what`, `the`) are left out, unless
/// they stand in capitals (`IT`, `WHO`) or there is nothing else.
pub fn query_terms(query: &str) -> Vec<String> {
    let distinct = |terms: &mut dyn Iterator<Item = Term>| {
        let mut seen = HashSet::new();
        terms.map(|term| term.text).filter(|term| seen.insert(term.clone())).take(MOST_QUERY_TERMS).collect()
    };
    let bearing: Vec<String> =
        distinct(&mut terms(query).filter(|term| !is_function_word(&query[term.start..term.end])));
    if bearing.is_empty() { distinct(&mut terms(query)) } else { bearing }
}

fn is_function_word(word: &str) -> bool {
    let capitals = word.len() > 1 && word.bytes().all(|b| b.is_ascii_uppercase());
    !capitals && FUNCTION_WORDS.binary_search(&word.to_ascii_lowercase().as_str()).is_ok()
}

/// Byte ranges of `text` whose terms are among `wanted` (from [`query_terms`]), in order, apart from each other: what a reader sees marked.
///
/// At most `limit` ranges. Where a whole name matches, its pieces are not marked again.
pub fn highlights(text: &str, wanted: &[String], limit: usize) -> Vec<(usize, usize)> {
    let wanted: HashSet<&str> = wanted.iter().map(String::as_str).collect();
    let mut marked: Vec<(usize, usize)> = Vec::new();
    for term in terms(text).filter(|term| wanted.contains(term.text.as_str())) {
        if marked.last().is_none_or(|last| term.start >= last.1) {
            if marked.len() == limit {
                break;
            }
            marked.push((term.start, term.end));
        }
    }
    marked
}

struct Terms<'a> {
    words: Words<'a>,
    /// The rest of a name taken apart, last one first.
    waiting: Vec<Term>,
}

impl Iterator for Terms<'_> {
    type Item = Term;

    fn next(&mut self) -> Option<Term> {
        loop {
            if let Some(term) = self.waiting.pop() {
                return Some(term);
            }
            let (start, word) = self.words.next()?;
            if is_name(word) {
                self.take_apart(start, word);
            } else if let Some(term) = Self::term(start, word) {
                return Some(term);
            }
        }
    }
}

impl Terms<'_> {
    fn term(start: usize, word: &str) -> Option<Term> {
        let folded = fold(word);
        let stems = folded.len() > 2 && folded.bytes().all(|b| b.is_ascii_lowercase() || b == b'\'');
        let text = if stems { stems::stem(&folded) } else { folded.into_owned() };
        (!text.is_empty()).then(|| Term { text, start, end: start + word.len() })
    }

    /// `pg_hba.conf` gives itself, `pg_hba`, `pg`, `hba`, `conf`.
    fn take_apart(&mut self, start: usize, word: &str) {
        let mut found = Vec::new();
        found.extend(Self::term(start, word));
        for (at, dotted) in pieces(word, &|_, c| c == '.' || c == ':') {
            if dotted.len() < word.len() {
                found.extend(Self::term(start + at, dotted));
            }
            for (inner, snake) in pieces(dotted, &|_, c| c == '_' || c == '\'' || c == '’') {
                let humps = humps(snake);
                if snake.len() < dotted.len() || humps.len() > 1 && word.len() != snake.len() {
                    found.extend(Self::term(start + at + inner, snake));
                }
                if humps.len() > 1 {
                    found.extend(humps.iter().filter_map(|(o, hump)| Self::term(start + at + inner + o, hump)));
                }
            }
            if found.len() > MOST_PIECES {
                break;
            }
        }
        found.dedup_by(|later, earlier| later.start == earlier.start && later.end == earlier.end);
        found.reverse();
        self.waiting = found;
    }
}

/// Whether a word is a name made of several: snake, dotted or camel case. Numbers such as 3.14 are not.
fn is_name(word: &str) -> bool {
    let joint = word.bytes().any(|b| matches!(b, b'_' | b'.' | b':'));
    // A hump is a capital after the first letter; most words have none, and are spared the counting.
    let humped = || word.bytes().skip(1).any(|b| b.is_ascii_uppercase()) && humps(word).len() > 1;
    joint && word.chars().any(char::is_alphabetic) || humped()
}

/// The parts of a word between the characters that `splits` names, with their offsets, without empty ones.
fn pieces<'a>(word: &'a str, splits: &dyn Fn(usize, char) -> bool) -> Vec<(usize, &'a str)> {
    let mut found = Vec::new();
    let mut start = 0;
    for (at, c) in word.char_indices().filter(|(at, c)| splits(*at, *c)) {
        if at > start {
            found.push((start, &word[start..at]));
        }
        start = at + c.len_utf8();
    }
    if start < word.len() {
        found.push((start, &word[start..]));
    }
    found.truncate(MOST_PIECES);
    found
}

/// `HTMLParser` is `HTML` and `Parser`, `getItem` is `get` and `Item`.
fn humps(word: &str) -> Vec<(usize, &str)> {
    let bytes = word.as_bytes();
    let mut found = Vec::new();
    let mut start = 0;
    for at in 1..bytes.len() {
        let rises = bytes[at - 1].is_ascii_lowercase() && bytes[at].is_ascii_uppercase();
        // Two small letters: the plural of an acronym (`PDFs`) is one word.
        let word_begins = bytes.get(at + 1..at + 3).is_some_and(|next| next.iter().all(u8::is_ascii_lowercase));
        let acronym_ends = bytes[at - 1].is_ascii_uppercase() && bytes[at].is_ascii_uppercase() && word_begins;
        if rises || acronym_ends {
            found.push((start, &word[start..at]));
            start = at;
        }
    }
    found.push((start, &word[start..]));
    found.truncate(MOST_PIECES);
    found
}

/// Compatibility forms, case and Latin accents away: `Ｃafé` is `cafe`.
fn fold(word: &str) -> Cow<'_, str> {
    if word.is_ascii() {
        let word = &word[..word.len().min(LONGEST)];
        return if word.bytes().any(|b| b.is_ascii_uppercase()) {
            Cow::Owned(word.to_ascii_lowercase())
        } else {
            Cow::Borrowed(word)
        };
    }
    let lower = word.chars().take(LONGEST).nfkd().filter(|c| !is_latin_accent(*c)).nfc().flat_map(char::to_lowercase);
    Cow::Owned(lower.map(|c| if c == '’' { '\'' } else { c }).filter(|c| !c.is_whitespace()).collect())
}

/// The combining marks of Latin, Greek and Cyrillic; those of other scripts change words and stay.
fn is_latin_accent(c: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&c)
}
