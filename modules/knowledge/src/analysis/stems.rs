//! Stems of words, kept for those that come again: in any text most do, and looking one up is less work than
//! stemming it.

use std::cell::RefCell;

use rust_stemmers::{Algorithm, Stemmer};

/// Words a thread keeps; a newer one takes the place of another that falls together with it.
const KEPT: usize = 2048;

/// A word with its stem.
type Known = Option<(Box<str>, Box<str>)>;

struct Stems {
    stemmer: Stemmer,
    known: Vec<Known>,
}

thread_local! {
    static STEMS: RefCell<Stems> =
        RefCell::new(Stems { stemmer: Stemmer::create(Algorithm::English), known: vec![None; KEPT] });
}

/// The stem of a folded English word.
pub(super) fn stem(word: &str) -> String {
    STEMS.with_borrow_mut(|stems| stems.of(word).to_owned())
}

impl Stems {
    fn of(&mut self, word: &str) -> &str {
        let slot = &mut self.known[place(word)];
        if slot.as_ref().is_none_or(|(known, _)| &**known != word) {
            *slot = None;
        }
        let (_, stem) = slot.get_or_insert_with(|| (word.into(), self.stemmer.stem(word).into()));
        stem
    }
}

/// FNV-1a, folded to a place.
fn place(word: &str) -> usize {
    let hash = word.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash ^ (hash >> 16)) as usize % KEPT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_fall_together_keep_their_own_stems() {
        let all: Vec<String> =
            (0..KEPT * 3).map(|number| format!("{}ing", "walk".repeat(1 + number % 7)) + &letters(number)).collect();
        let plain = Stemmer::create(Algorithm::English);

        for word in all.iter().chain(all.iter().rev()) {
            assert_eq!(stem(word), plain.stem(word), "{word}");
        }
    }

    fn letters(mut number: usize) -> String {
        let mut text = String::new();
        while number > 0 {
            text.push(char::from(b'a' + u8::try_from(number % 26).unwrap()));
            number /= 26;
        }
        text
    }
}
