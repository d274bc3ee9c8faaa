//! What the lists of this module can be filtered and sorted by.

use kernel::{Field, FieldKind, Listing};

pub(crate) const TENANTS: Listing = Listing {
    resource: "tenancy.tenants",
    fields: &[
        Field::sorted("id", "tenant_id", FieldKind::Id("ten")),
        Field::sorted("slug", "slug", FieldKind::Text),
        Field::sorted("name", "name", FieldKind::Text),
        Field::new("state", "state", FieldKind::OneOf(&["active", "suspended", "deleting"])),
        Field::shown("suspended_reason"),
        Field::new("purge_at", "purge_at", FieldKind::Time),
        Field::shown("url"),
        Field::shown("issuer"),
        Field::sorted("created_at", "created_at", FieldKind::Time),
        Field::sorted("updated_at", "updated_at", FieldKind::Time),
        Field::shown("version"),
    ],
    default_sort: "-created_at",
    tie_break: "tenant_id",
};

pub(crate) const ROLES: Listing = Listing {
    resource: "tenancy.roles",
    fields: &[
        Field::sorted("id", "id", FieldKind::Id("rol")),
        Field::sorted("name", "name", FieldKind::Text),
        Field::shown("description"),
        Field::new("built_in", "(level IS NOT NULL)", FieldKind::Boolean),
        Field::shown("permissions"),
        Field::sorted("created_at", "created_at", FieldKind::Time),
        Field::sorted("updated_at", "updated_at", FieldKind::Time),
        Field::shown("version"),
    ],
    default_sort: "created_at",
    tie_break: "id",
};

pub(crate) const MEMBERS: Listing = Listing {
    resource: "tenancy.members",
    fields: &[
        Field::sorted("id", "m.id", FieldKind::Id("mem")),
        Field::new("account_id", "m.account_id", FieldKind::Id("usr")),
        Field::sorted("email", "m.email", FieldKind::Text),
        Field::sorted("display_name", "m.display_name", FieldKind::Text),
        Field::shown("role"),
        Field::new("role_id", "m.role_id", FieldKind::Id("rol")),
        Field::sorted("created_at", "m.created_at", FieldKind::Time),
        Field::shown("version"),
    ],
    default_sort: "-created_at",
    tie_break: "m.id",
};

pub(crate) const INVITATIONS: Listing = Listing {
    resource: "tenancy.invitations",
    fields: &[
        Field::sorted("id", "i.id", FieldKind::Id("inv")),
        Field::sorted("email", "i.email", FieldKind::Text),
        Field::shown("role"),
        Field::new("role_id", "i.role_id", FieldKind::Id("rol")),
        Field::new("state", "i.state", FieldKind::OneOf(&["pending", "accepted", "revoked", "expired"])),
        Field::sorted("expires_at", "i.expires_at", FieldKind::Time),
        Field::sorted("created_at", "i.created_at", FieldKind::Time),
        Field::shown("version"),
    ],
    default_sort: "-created_at",
    tie_break: "i.id",
};

pub(crate) const DOMAINS: Listing = Listing {
    resource: "tenancy.domains",
    fields: &[
        Field::sorted("id", "id", FieldKind::Id("dom")),
        Field::sorted("name", "name", FieldKind::Text),
        Field::shown("display_name"),
        Field::new("status", "status", FieldKind::OneOf(&["pending", "verified", "failing", "lapsed"])),
        Field::new("ready", "ready", FieldKind::Boolean),
        Field::shown("records"),
        Field::shown("proof"),
        Field::shown("address"),
        Field::shown("caa"),
        Field::shown("findings"),
        Field::shown("certificate"),
        Field::new("checked_at", "checked_at", FieldKind::Time),
        Field::sorted("next_check_at", "next_check_at", FieldKind::Time),
        Field::new("verified_at", "verified_at", FieldKind::Time),
        Field::shown("proof_missing_since"),
        Field::sorted("created_at", "created_at", FieldKind::Time),
        Field::sorted("updated_at", "updated_at", FieldKind::Time),
        Field::shown("version"),
    ],
    default_sort: "-created_at",
    tie_break: "id",
};

pub(crate) const DOMAIN_STEPS: Listing = Listing {
    resource: "tenancy.domain_timeline",
    fields: &[
        Field::sorted("id", "id", FieldKind::Id("dst")),
        Field::new("about", "about", FieldKind::OneOf(&["domain", "certificate"])),
        Field::sorted("at", "at", FieldKind::Time),
        Field::shown("last_at"),
        Field::shown("times"),
        Field::new("status", "status", FieldKind::Text),
        Field::shown("sentence"),
        Field::new("code", "code", FieldKind::Text),
        Field::shown("evidence"),
        Field::shown("mend"),
        Field::shown("next_try_at"),
    ],
    default_sort: "-at",
    tie_break: "id",
};

pub(crate) const PERMISSIONS: Listing = Listing {
    resource: "tenancy.permissions",
    fields: &[
        Field::sorted("name", "name", FieldKind::Text),
        Field::shown("description"),
        Field::new("module", "module", FieldKind::Text),
        Field::shown("granted_to"),
    ],
    default_sort: "name",
    tie_break: "name",
};
