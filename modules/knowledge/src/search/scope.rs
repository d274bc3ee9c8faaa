//! What a search may look at: what the caller may read, and what it asks for of that.

use std::collections::{BTreeSet, HashSet};

use kernel::{Caller, ListParams, ListRequest};
use uuid::Uuid;
use vault::{CollectionId, DocumentId, Reach};

use crate::error::Error;
use crate::knowledge::Knowledge;
use crate::listing::DOCUMENTS;
use crate::model::Search;
use crate::permitted::{Permitted, Places};
use crate::store::documents;
use crate::store::terms::Within;

/// Documents that one filter can select.
const MOST_FILTERED: usize = 20_000;
const PAGE: i64 = 200;

/// What one search may look at.
pub(super) struct Scope {
    reach: Reach,
    asked: Option<Asked>,
}

/// What is asked for of what may be read.
enum Asked {
    Collections(BTreeSet<CollectionId>),
    Documents(BTreeSet<DocumentId>),
}

/// Finds out what the caller may read now, and which of it the search is about.
pub(super) async fn of(knowledge: &Knowledge, caller: &Caller, search: &Search) -> Result<Scope, Error> {
    let reach = knowledge.vault().reach(caller).await?;
    let collections: Option<BTreeSet<CollectionId>> =
        search.collections.as_ref().map(|collections| collections.iter().copied().collect());
    let asked = match search.filter.as_deref().map(str::trim).filter(|filter| !filter.is_empty()) {
        Some(filter) => Some(Asked::Documents(filtered(knowledge, caller, filter, collections.as_ref()).await?)),
        None => collections.map(Asked::Collections),
    };
    Ok(Scope { reach, asked })
}

/// The documents that a filter selects; the reach is applied later, to all alike.
async fn filtered(
    knowledge: &Knowledge,
    caller: &Caller,
    filter: &str,
    collections: Option<&BTreeSet<CollectionId>>,
) -> Result<BTreeSet<DocumentId>, Error> {
    let mut selected = BTreeSet::new();
    let mut cursor = None;
    loop {
        let params = ListParams { limit: Some(PAGE), cursor, filter: Some(filter.to_owned()), sort: None };
        let request = ListRequest::new(&DOCUMENTS, &params, caller, knowledge.db().keys())?;
        let rows = knowledge.db().read(caller, async |tx| documents::page(tx, &request, None).await).await?;
        let page = request.page(rows)?;
        let wanted = page.items.iter().filter(|item| collections.is_none_or(|all| all.contains(&item.collection)));
        selected.extend(wanted.map(|item| item.document));
        cursor = page.next;
        if cursor.is_none() || selected.len() >= MOST_FILTERED {
            return Ok(selected);
        }
    }
}

impl Scope {
    /// Whether nothing may be found, so that nothing need be looked at.
    pub(super) fn is_empty(&self) -> bool {
        let nothing_read =
            !self.reach.everything && self.reach.collections.is_empty() && self.reach.documents.is_empty();
        let nothing_asked = match &self.asked {
            Some(Asked::Collections(collections)) => collections.is_empty(),
            Some(Asked::Documents(documents)) => documents.is_empty(),
            None => false,
        };
        nothing_read || nothing_asked
    }

    /// Whether a passage of this document may be shown.
    pub(super) fn covers(&self, collection: CollectionId, document: DocumentId) -> bool {
        let asked = match &self.asked {
            Some(Asked::Collections(collections)) => collections.contains(&collection),
            Some(Asked::Documents(documents)) => documents.contains(&document),
            None => true,
        };
        asked && self.reach.covers(collection, document)
    }

    /// The same for the indexes.
    pub(super) fn permitted(&self) -> Permitted {
        let permitted = if self.reach.everything {
            Permitted::everything()
        } else {
            Permitted::only(Places {
                collections: self.reach.collections.iter().map(|id| id.uuid()).collect(),
                documents: self.reach.documents.iter().map(|id| id.uuid()).collect(),
            })
        };
        match &self.asked {
            Some(asked) => permitted.narrowed(asked.places()),
            None => permitted,
        }
    }

    /// The same for the database.
    pub(super) fn within(&self) -> Vec<Within> {
        let mut all = Vec::new();
        if !self.reach.everything {
            all.push(Within {
                collections: self.reach.collections.iter().map(|id| id.uuid()).collect(),
                documents: self.reach.documents.iter().map(|id| id.uuid()).collect(),
            });
        }
        if let Some(asked) = &self.asked {
            let places = asked.places();
            all.push(Within {
                collections: places.collections.into_iter().collect(),
                documents: places.documents.into_iter().collect(),
            });
        }
        all
    }
}

impl Asked {
    fn places(&self) -> Places {
        let (collections, documents): (HashSet<Uuid>, HashSet<Uuid>) = match self {
            Self::Collections(ids) => (ids.iter().map(|id| id.uuid()).collect(), HashSet::new()),
            Self::Documents(ids) => (HashSet::new(), ids.iter().map(|id| id.uuid()).collect()),
        };
        Places { collections, documents }
    }
}
