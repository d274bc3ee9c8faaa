//! Terms that the tenant's documents have and that are like those asked for.

use std::collections::BTreeSet;

use kernel::{Caller, Problem};

use crate::error::Error;
use crate::knowledge::Knowledge;
use crate::store::terms;

/// From this likeness on, a term is taken for another (`pg_trgm`'s own default).
const LIKE: f32 = 0.3;
/// Terms taken for one that is not known.
const TAKEN: usize = 3;
/// Terms that are compared.
const COMPARED: i64 = 50_000;
/// Terms that begin like one.
const BEGIN: i64 = 20;

/// For each term, those spelled most nearly like it: by the trigrams that both have, of all that either has.
pub(super) async fn spelled(knowledge: &Knowledge, caller: &Caller, wanted: &[String]) -> Result<Vec<String>, Error> {
    let mut taken = BTreeSet::new();
    for term in wanted {
        let first: String = term.chars().take(1).collect();
        // Most typing errors leave the first letter as it is.
        let mut best = most_like(term, &range(knowledge, caller, &first, COMPARED).await?);
        if best.is_empty() {
            best = most_like(term, &range(knowledge, caller, "", COMPARED).await?);
        }
        taken.extend(best);
    }
    Ok(taken.into_iter().collect())
}

/// For each term, some that begin with it.
pub(super) async fn beginning(knowledge: &Knowledge, caller: &Caller, wanted: &[String]) -> Result<Vec<String>, Error> {
    let mut taken = BTreeSet::new();
    for term in wanted {
        taken.extend(range(knowledge, caller, term, BEGIN).await?);
    }
    Ok(taken.into_iter().collect())
}

/// The tenant's terms that begin so. Which documents they come from is for the ranking to ask.
async fn range(knowledge: &Knowledge, caller: &Caller, prefix: &str, limit: i64) -> Result<Vec<String>, Problem> {
    let end = format!("{prefix}\u{10ffff}");
    knowledge.db().read(caller, async |tx| terms::between(tx, prefix, &end, limit).await).await
}

fn most_like(term: &str, known: &[String]) -> Vec<String> {
    let wanted = trigrams(term);
    let mut liked: Vec<(f32, &String)> = known
        .iter()
        .map(|other| (likeness(&wanted, &trigrams(other)), other))
        .filter(|(likeness, _)| *likeness >= LIKE)
        .collect();
    liked.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    liked.into_iter().take(TAKEN).map(|(_, other)| other.clone()).collect()
}

/// The trigrams of a term with two blanks before and one after, as `pg_trgm` takes them.
fn trigrams(term: &str) -> BTreeSet<[char; 3]> {
    let padded: Vec<char> = "  ".chars().chain(term.chars()).chain(" ".chars()).collect();
    padded.windows(3).map(|three| [three[0], three[1], three[2]]).collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts of trigrams of a word")]
fn likeness(a: &BTreeSet<[char; 3]>, b: &BTreeSet<[char; 3]>) -> f32 {
    let both = a.intersection(b).count();
    both as f32 / (a.len() + b.len() - both).max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_is_taken_for_the_word_that_is_known() {
        let known = ["replic", "repli", "vacuum", "postgresql"].map(str::to_owned);

        assert_eq!(most_like("vaccum", &known), ["vacuum"]);
        assert_eq!(most_like("postgersql", &known), ["postgresql"]);
        assert!(most_like("zebra", &known).is_empty());
    }
}
