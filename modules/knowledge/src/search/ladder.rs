//! From the best rung down, until one has an answer.

use std::sync::Arc;

use kernel::Caller;

use super::indexes::{self, Down, List};
use super::scope::Scope;
use super::{Asked, Ranker, Ranking, alone, database, near};
use crate::derived::shelf::Shelf;
use crate::error::Error;
use crate::fusion::{Fusion, fuse};
use crate::knowledge::Knowledge;
use crate::model::{Mode, Rung, RungName};

/// The answer when there is nothing to look at.
pub(super) fn nothing() -> Ranking {
    let reason = Some("there is nothing here that you may read".to_owned());
    let rung = Rung { name: RungName::Nothing, reason, coverage: 1.0 };
    Ranking { found: Vec::new(), rung, terms: Vec::new(), standings: Vec::new() }
}

/// Climbs down from the rung that was asked for.
pub(super) async fn climb(
    knowledge: &Knowledge,
    caller: &Caller,
    asked: &Asked,
    scope: &Scope,
) -> Result<Ranking, Error> {
    let upper = match knowledge.shelf(caller.tenant).await {
        Ok(shelf) => upper_rungs(knowledge, &shelf, asked, scope).await?,
        Err(problem) => Err(Down(format!("the indexes can't be opened: {}", problem.detail))),
    };
    let reason = match upper {
        Ok(ranking) if !ranking.found.is_empty() => return Ok(ranking),
        Ok(ranking) => ranking.rung.reason.unwrap_or_else(|| "no passage in the index matches".to_owned()),
        Err(Down(reason)) => reason,
    };
    lower_rungs(knowledge, caller, asked, scope, reason).await
}

async fn upper_rungs(
    knowledge: &Knowledge,
    shelf: &Arc<Shelf>,
    asked: &Asked,
    scope: &Scope,
) -> Result<Result<Ranking, Down>, Error> {
    let text = match asked.mode {
        Mode::Vector => None,
        Mode::Hybrid | Mode::Text => Some(indexes::text(shelf, asked, scope).await?),
    };
    let vector = match asked.mode {
        Mode::Text => None,
        Mode::Hybrid | Mode::Vector => Some(indexes::vector(knowledge, shelf, asked, scope).await?),
    };
    Ok(match (text, vector) {
        (Some(Ok(text)), Some(Ok(vector))) => Ok(hybrid(asked, &text, &vector)),
        (Some(Ok(text)), Some(Err(Down(reason)))) => Ok(one(asked, &text, Ranker::Text, Some(reason))),
        (Some(Ok(text)), None) => Ok(one(asked, &text, Ranker::Text, None)),
        (None, Some(Ok(vector))) => Ok(one(asked, &vector, Ranker::Vector, None)),
        (None, Some(Err(down))) => match indexes::text(shelf, asked, scope).await? {
            Ok(text) => Ok(one(asked, &text, Ranker::Text, Some(down.0))),
            Err(down) => Err(down),
        },
        (Some(Err(down)), _) => Err(down),
        (None, None) => Err(Down("no ranker was asked for".to_owned())),
    })
}

fn hybrid(asked: &Asked, text: &List, vector: &List) -> Ranking {
    Ranking {
        found: fuse(Fusion::default(), &text.ranked, &vector.ranked),
        rung: Rung { name: RungName::Hybrid, reason: None, coverage: 1.0 },
        terms: asked.terms.clone(),
        standings: vec![text.standing, vector.standing],
    }
}

fn one(asked: &Asked, list: &List, ranker: Ranker, reason: Option<String>) -> Ranking {
    let name = match ranker {
        Ranker::Text => RungName::Text,
        Ranker::Vector => RungName::Vector,
    };
    let rung = Rung { name, reason, coverage: 1.0 };
    Ranking { found: alone(&list.ranked, ranker), rung, terms: asked.terms.clone(), standings: vec![list.standing] }
}

/// The database's own terms as they are, then spelled nearly alike, then beginning alike.
async fn lower_rungs(
    knowledge: &Knowledge,
    caller: &Caller,
    asked: &Asked,
    scope: &Scope,
    reason: String,
) -> Result<Ranking, Error> {
    let ranked = database::rank(knowledge, caller, &asked.terms, scope).await?;
    if !ranked.is_empty() {
        return Ok(lower(RungName::Database, reason, &ranked, asked.terms.clone()));
    }
    for (name, said) in [(RungName::Trigram, "spelled nearly"), (RungName::Prefix, "beginning")] {
        let terms = match name {
            RungName::Trigram => near::spelled(knowledge, caller, &asked.terms).await?,
            _ => near::beginning(knowledge, caller, &asked.terms).await?,
        };
        let ranked = database::rank(knowledge, caller, &terms, scope).await?;
        if !ranked.is_empty() {
            let reason =
                format!("{reason}; no document has the words as written, so words {said} like them were taken");
            return Ok(lower(name, reason, &ranked, terms));
        }
    }
    Ok(lower(RungName::Nothing, format!("{reason}, and no word like those asked for is known"), &[], Vec::new()))
}

fn lower(name: RungName, reason: String, ranked: &[(uuid::Uuid, f32)], terms: Vec<String>) -> Ranking {
    let rung = Rung { name, reason: Some(reason), coverage: 1.0 };
    Ranking { found: alone(ranked, Ranker::Text), rung, terms, standings: Vec::new() }
}
