//! What the lists of this module can be filtered and sorted by.

use kernel::{Field, FieldKind, Listing};

use crate::model::IngestState;

pub(crate) const DOCUMENTS: Listing = Listing {
    resource: "knowledge.documents",
    fields: &[
        Field::sorted("document", "document_id", FieldKind::Id("doc")),
        Field::new("collection", "collection_id", FieldKind::Id("col")),
        Field::shown("document_version"),
        Field::shown("live_version"),
        Field::new("name", "name", FieldKind::Text),
        Field::shown("title"),
        Field::new("media_type", "media_type", FieldKind::Text),
        Field::shown("size"),
        Field::new("state", "state", FieldKind::OneOf(IngestState::WORDS)),
        Field::new("reason", "reason", FieldKind::Text),
        Field::shown("detail"),
        Field::shown("passages_done"),
        Field::shown("passages_total"),
        Field::new("model", "model", FieldKind::Text),
        Field::sorted("created_at", "created_at", FieldKind::Time),
        Field::sorted("updated_at", "updated_at", FieldKind::Time),
        Field::shown("version"),
    ],
    default_sort: "-created_at",
    tie_break: "document_id",
};
