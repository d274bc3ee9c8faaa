//! Where a long text may be cut.

use unicode_segmentation::UnicodeSegmentation;

use super::ChunkConfig;

/// Abbreviations after which a capital letter begins no sentence.
const ABBREVIATIONS: [&str; 24] = [
    "abb", "al", "approx", "bzw", "ca", "cf", "dr", "e.g", "eq", "etc", "fig", "i.e", "inc", "mr", "mrs", "ms", "no",
    "nr", "p", "pp", "prof", "sec", "st", "vs",
];

/// The ends of the sentences of a text (Unicode Standard Annex 29, without its cuts at lines that end in mid-sentence and
/// after abbreviations). The last end is the text's own.
pub(super) fn cut_sentences(text: &str, longest: usize) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut start = 0;
    let mut at = 0;
    for part in text.split_sentence_bounds() {
        at += part.len();
        // Text without full stops is cut at its lines.
        if ends_sentence(&text[start..at]) || at - start > longest && part.ends_with('\n') {
            ends.push(at);
            start = at;
        }
    }
    if start < text.len() {
        ends.push(text.len());
    }
    ends
}

/// Whether a text that was cut by the standard's rules ends as a sentence does.
fn ends_sentence(text: &str) -> bool {
    let body = text.trim_end();
    let blank = &text[body.len()..];
    if blank.matches('\n').count() > 1 {
        return true;
    }
    let closed = body.trim_end_matches(['"', '\'', ')', ']', '”', '’', '»']);
    let Some(last) = closed.chars().next_back() else { return false };
    if last == '.' {
        // Far enough back for any abbreviation, and no farther: a hostile text is one word.
        let tail = &closed[closed.floor_char_boundary(closed.len().saturating_sub(24))..closed.len() - 1];
        let word = tail.rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or("");
        return !is_abbreviation(word);
    }
    // A line that ends with a comma or a letter goes on.
    blank.is_empty() && !last.is_alphanumeric() && last != ','
        || matches!(last, '!' | '?' | '…' | ':' | ';' | '。' | '！' | '？')
}

fn is_abbreviation(word: &str) -> bool {
    let mut letters = word.chars();
    let initial = letters.next().is_some_and(char::is_alphabetic) && letters.next().is_none();
    initial || word.len() <= 8 && ABBREVIATIONS.binary_search(&word.to_lowercase().as_str()).is_ok()
}

/// The ends of parts that are no longer than a passage may be: cut at white space where there is some near, else between
/// characters as people see them.
pub(super) fn cut_hard(text: &str, config: &ChunkConfig) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut start = 0;
    while let Some(past) = nth_char(&text[start..], config.max_chars) {
        let longest = &text[start..start + past];
        let target = nth_char(longest, config.target_chars).unwrap_or(past);
        let window = &longest[..target];
        let near = window.rfind(char::is_whitespace).filter(|at| *at > target / 2);
        let cut = near.unwrap_or_else(|| {
            let seen = window.grapheme_indices(true).next_back().map_or(0, |(at, _)| at);
            if seen > target / 2 { seen } else { target }
        });
        start += cut.max(1);
        debug_assert!(text.is_char_boundary(start));
        ends.push(start);
    }
    ends.push(text.len());
    ends
}

/// Where character number `count` begins, if the text is longer than that.
fn nth_char(text: &str, count: usize) -> Option<usize> {
    if text.len() <= count {
        return None;
    }
    text.char_indices().nth(count).map(|(at, _)| at)
}
