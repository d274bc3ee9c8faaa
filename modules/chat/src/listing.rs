//! What the lists of this module can be filtered and sorted by.

use kernel::{Field, FieldKind, Listing};

pub(crate) const CONVERSATIONS: Listing = Listing {
    resource: "chat.conversations",
    fields: &[
        Field::sorted("id", "id", FieldKind::Id("cnv")),
        Field::shown("title"),
        Field::shown("messages"),
        Field::sorted("created_at", "created_at", FieldKind::Time),
        Field::sorted("updated_at", "updated_at", FieldKind::Time),
        Field::shown("version"),
    ],
    default_sort: "-updated_at",
    tie_break: "id",
};

pub(crate) const PROVIDERS: Listing = Listing {
    resource: "chat.providers",
    fields: &[
        Field::sorted("id", "id", FieldKind::Id("prv")),
        Field::sorted("name", "name", FieldKind::Text),
        Field::shown("kind"),
        Field::shown("base_url"),
        Field::shown("has_api_key"),
        Field::shown("models"),
        Field::sorted("position", "position", FieldKind::Integer),
        Field::shown("first_token_timeout_ms"),
        Field::shown("idle_timeout_ms"),
        Field::new("enabled", "enabled", FieldKind::Boolean),
        Field::sorted("created_at", "created_at", FieldKind::Time),
        Field::sorted("updated_at", "updated_at", FieldKind::Time),
        Field::shown("version"),
    ],
    default_sort: "position",
    tie_break: "id",
};
