//! The word that somebody who mistyped probably meant.

/// The nearest of the known words, if one is near enough to be a typing error.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let near = |candidate: &&str| strsim::damerau_levenshtein(word, candidate);
    known.iter().copied().min_by_key(near).filter(|best| near(best) <= 1 + word.len() / 3)
}
