//! What the lists of this module can be filtered and sorted by.

use kernel::{Field, FieldKind, Listing};

pub(crate) const ACCOUNTS: Listing = Listing {
    resource: "identity.accounts",
    fields: &[
        Field::sorted("id", "id", FieldKind::Id("usr")),
        Field::new("email", "email_shown", FieldKind::Text),
        Field::sorted("display_name", "display_name", FieldKind::Text),
        Field::new("disabled", "disabled", FieldKind::Boolean),
        Field::sorted("created_at", "created_at", FieldKind::Time),
        Field::sorted("updated_at", "updated_at", FieldKind::Time),
        Field::shown("version"),
    ],
    default_sort: "-created_at",
    tie_break: "id",
};

pub(crate) const SESSIONS: Listing = Listing {
    resource: "identity.sessions",
    fields: &[
        Field::sorted("id", "s.id", FieldKind::Id("ses")),
        Field::new("account_id", "s.account_id", FieldKind::Id("usr")),
        Field::new("account_email", "a.email_shown", FieldKind::Text),
        Field::new("device", "s.device", FieldKind::Text),
        Field::shown("user_agent"),
        Field::new("address", "s.address", FieldKind::Text),
        Field::new("transport", "s.transport", FieldKind::OneOf(&["bearer", "cookie"])),
        Field::new("domain", "s.domain", FieldKind::Text),
        Field::sorted("created_at", "s.created_at", FieldKind::Time),
        Field::sorted("last_seen_at", "s.last_seen_at", FieldKind::Time),
        Field::sorted("expires_at", "s.expires_at", FieldKind::Time),
        Field::shown("current"),
    ],
    default_sort: "-created_at",
    tie_break: "s.id",
};

pub(crate) const API_KEYS: Listing = Listing {
    resource: "identity.api_keys",
    fields: &[
        Field::sorted("id", "id", FieldKind::Id("key")),
        Field::sorted("name", "name", FieldKind::Text),
        Field::new("prefix", "prefix", FieldKind::Text),
        Field::shown("scopes"),
        Field::new("account_id", "account_id", FieldKind::Id("usr")),
        Field::new("domain", "domain", FieldKind::Text),
        Field::sorted("created_at", "created_at", FieldKind::Time),
        Field::new("expires_at", "expires_at", FieldKind::Time),
        Field::new("last_used_at", "last_used_at", FieldKind::Time),
        Field::shown("version"),
    ],
    default_sort: "-created_at",
    tie_break: "id",
};

pub(crate) const SIGNING_KEYS: Listing = Listing {
    resource: "identity.signing_keys",
    fields: &[
        Field::sorted("id", "id", FieldKind::Id("skey")),
        Field::new("algorithm", "algorithm", FieldKind::Text),
        Field::new("state", "state", FieldKind::OneOf(&["next", "active", "retired"])),
        Field::sorted("created_at", "created_at", FieldKind::Time),
        Field::new("activated_at", "activated_at", FieldKind::Time),
        Field::new("retires_at", "retires_at", FieldKind::Time),
    ],
    default_sort: "-created_at",
    tie_break: "id",
};
