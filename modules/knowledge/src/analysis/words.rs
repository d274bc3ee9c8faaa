//! Words of Unicode (UAX #29), found run by run: no word goes over a blank, so each run between blanks is looked at by
//! itself, and what is plain ASCII in there, most of it, goes an easier way.

use unicode_segmentation::{UnicodeSegmentation, UnicodeWordIndices};

/// The words of a text.
pub(super) struct Words<'a> {
    text: &'a str,
    /// Where the next run may begin.
    next: usize,
    run: usize,
    in_run: UnicodeWordIndices<'a>,
}

/// Words with their offsets, in reading order.
pub(super) fn words(text: &str) -> Words<'_> {
    Words { text, next: 0, run: 0, in_run: "".unicode_word_indices() }
}

impl<'a> Iterator for Words<'a> {
    type Item = (usize, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((at, word)) = self.in_run.next() {
                return Some((self.run + at, word));
            }
            let rest = &self.text.as_bytes()[self.next..];
            let start = self.next + rest.iter().position(|byte| *byte != b' ')?;
            let rest = &self.text.as_bytes()[start..];
            let end = rest.iter().position(|byte| *byte == b' ').map_or(self.text.len(), |length| start + length);
            self.in_run = self.text[start..end].unicode_word_indices();
            (self.run, self.next) = (start, end);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn words_run_by_run_are_those_of_the_whole(text in "([a-zA-Z0-9_.,:;'\" \n-]|[éß’́東か한\u{200d}🇩👩]| ){0,120}") {
            // The last word keeps the whole from going the easier way as well.
            let whole = format!("{text} é");
            let run_by_run: Vec<_> = words(&whole).collect();
            let at_once: Vec<_> = whole.unicode_word_indices().collect();
            prop_assert_eq!(run_by_run, at_once);
        }
    }
}
