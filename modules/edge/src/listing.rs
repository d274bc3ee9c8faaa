//! What the lists of this module can be filtered and sorted by.

use kernel::{Field, FieldKind, Listing};

pub(crate) const CERTIFICATES: Listing = Listing {
    resource: "edge.certificates",
    fields: &[
        Field::sorted("name", "name", FieldKind::Text),
        Field::new("tenant_id", "owner", FieldKind::Text),
        Field::shown("status"),
        Field::shown("issuer"),
        Field::shown("not_before"),
        Field::shown("expires_at"),
        Field::shown("renew_at"),
        Field::shown("failure"),
        Field::new("next_look_at", "due_at", FieldKind::Time),
    ],
    default_sort: "name",
    tie_break: "name",
};

pub(crate) const STEPS: Listing = Listing {
    resource: "edge.certificate_steps",
    fields: &[
        Field::sorted("number", "number", FieldKind::Integer),
        Field::shown("at"),
        Field::shown("status"),
        Field::shown("sentence"),
        Field::shown("code"),
        Field::shown("evidence"),
        Field::shown("mend"),
        Field::shown("next_try_at"),
    ],
    default_sort: "-number",
    tie_break: "number",
};

pub(crate) const ROUTES: Listing = Listing {
    resource: "edge.routes",
    fields: &[
        Field::new("id", "id", FieldKind::Id("rte")),
        Field::sorted("name", "name", FieldKind::Text),
        Field::shown("priority"),
        Field::shown("enabled"),
        Field::shown("match"),
        Field::shown("action"),
        Field::shown("modifiers"),
        Field::sorted("created_at", "created_at", FieldKind::Time),
        Field::sorted("updated_at", "updated_at", FieldKind::Time),
        Field::shown("version"),
    ],
    default_sort: "name",
    tie_break: "id",
};

pub(crate) const POOLS: Listing = Listing {
    resource: "edge.pools",
    fields: &[
        Field::new("id", "id", FieldKind::Id("pol")),
        Field::sorted("name", "name", FieldKind::Text),
        Field::shown("settings"),
        Field::sorted("created_at", "created_at", FieldKind::Time),
        Field::sorted("updated_at", "updated_at", FieldKind::Time),
        Field::shown("version"),
    ],
    default_sort: "name",
    tie_break: "id",
};

/// Requests lie in memory, so columns are only names.
pub(crate) const REQUESTS: Listing = Listing {
    resource: "edge.requests",
    fields: &[
        Field::sorted("number", "number", FieldKind::Integer),
        Field::new("at", "at", FieldKind::Time),
        Field::new("method", "method", FieldKind::Text),
        Field::new("scheme", "scheme", FieldKind::OneOf(&["http", "https"])),
        Field::new("host", "host", FieldKind::Text),
        Field::new("path", "path", FieldKind::Text),
        Field::new("protocol", "protocol", FieldKind::Text),
        Field::new("status", "status", FieldKind::Integer),
        Field::new("duration_us", "duration_us", FieldKind::Integer),
        Field::new("bytes", "bytes", FieldKind::Integer),
        Field::new("complete", "complete", FieldKind::Boolean),
        Field::new("route", "route", FieldKind::Text),
        Field::new("operation", "operation", FieldKind::Text),
        Field::new("pool", "pool", FieldKind::Text),
        Field::new("upstream", "upstream", FieldKind::Text),
        Field::new("cache", "cache", FieldKind::OneOf(&["hit", "miss", "collapsed", "stale", "bypass"])),
        Field::new("limit_outcome", "limit_outcome", FieldKind::OneOf(&["refused", "would_refuse"])),
        Field::shown("refused_by"),
        Field::shown("would_refuse"),
        Field::new("address", "address", FieldKind::Text),
        Field::new("tenant_id", "tenant_id", FieldKind::Text),
        Field::new("tenant", "tenant", FieldKind::Text),
        Field::new("account_id", "account_id", FieldKind::Text),
        Field::new("actor", "actor", FieldKind::Text),
        Field::new("credential", "credential", FieldKind::Text),
        Field::new("request_id", "request_id", FieldKind::Text),
        Field::new("trace_id", "trace_id", FieldKind::Text),
    ],
    default_sort: "-number",
    tie_break: "number",
};
