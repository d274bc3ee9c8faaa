//! What a search may return, as a filter that both indexes apply inside.

use std::collections::HashSet;

use uuid::Uuid;

/// Collections and single documents; a document belongs if either names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// Everything in these.
    pub collections: HashSet<Uuid>,
    /// And these.
    pub documents: HashSet<Uuid>,
}

impl Places {
    /// Whether a document is among them.
    pub fn contain(&self, collection: Uuid, document: Uuid) -> bool {
        self.collections.contains(&collection) || self.documents.contains(&document)
    }
}

/// What the caller may read, and what the search asks for within that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permitted {
    /// `None` is everything.
    reach: Option<Places>,
    /// `None` is no narrowing.
    asked: Option<Places>,
}

impl Permitted {
    /// The whole tenant.
    pub fn everything() -> Self {
        Self::default()
    }

    /// Only these; empty places permit nothing.
    pub fn only(reach: Places) -> Self {
        Self { reach: Some(reach), asked: None }
    }

    /// The same, of which only what is also in `asked`.
    #[must_use]
    pub fn narrowed(self, asked: Places) -> Self {
        Self { asked: Some(asked), ..self }
    }

    /// Whether nothing is held back, so that a search need not look.
    pub fn is_everything(&self) -> bool {
        self.reach.is_none() && self.asked.is_none()
    }

    /// Whether a passage of this document may be returned.
    pub fn allows(&self, collection: Uuid, document: Uuid) -> bool {
        let holds = |places: &Option<Places>| places.as_ref().is_none_or(|it| it.contain(collection, document));
        holds(&self.reach) && holds(&self.asked)
    }

    /// The smallest set of places that surely holds all that is permitted; `None` if there is no bound.
    pub(crate) fn bound(&self) -> Option<&Places> {
        let size = |places: &&Places| places.collections.len() + places.documents.len();
        self.reach.iter().chain(&self.asked).min_by_key(size)
    }
}
