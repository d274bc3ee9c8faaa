//! What the lists of this module can be filtered and sorted by. Names and media types can be filtered by in searchable
//! collections only: elsewhere they are sealed.

use kernel::{Field, FieldKind, Listing};

pub(crate) const COLLECTIONS: Listing = Listing {
    resource: "vault.collections",
    fields: &[
        Field::sorted("id", "vault_collection.id", FieldKind::Id("col")),
        Field::new("name", "vault_collection.name", FieldKind::Text),
        Field::shown("description"),
        Field::new("searchable", "vault_collection.searchable", FieldKind::Boolean),
        Field::shown("schema"),
        Field::shown("model"),
        Field::new("owner_id", "vault_collection.owner_id", FieldKind::Id("usr")),
        Field::sorted("created_at", "vault_collection.created_at", FieldKind::Time),
        Field::sorted("updated_at", "vault_collection.updated_at", FieldKind::Time),
        Field::shown("version"),
    ],
    default_sort: "-created_at",
    tie_break: "vault_collection.id",
};

pub(crate) const DOCUMENTS: Listing = Listing {
    resource: "vault.documents",
    fields: &[
        Field::sorted("id", "vault_document.id", FieldKind::Id("doc")),
        Field::new("collection_id", "vault_document.collection_id", FieldKind::Id("col")),
        Field::new("name", "vault_document.name", FieldKind::Text),
        Field::new("media_type", "vault_document.media_type", FieldKind::Text),
        Field::sorted("size", "vault_document.size", FieldKind::Integer),
        Field::shown("sha256"),
        Field::new("version_id", "vault_document.current_id", FieldKind::Id("ver")),
        Field::shown("version_number"),
        Field::new("searchable", "vault_collection.searchable", FieldKind::Boolean),
        Field::new("owner_id", "vault_document.owner_id", FieldKind::Id("usr")),
        Field::sorted("created_at", "vault_document.created_at", FieldKind::Time),
        Field::sorted("updated_at", "vault_document.updated_at", FieldKind::Time),
        Field::new("deleted_at", "vault_document.deleted_at", FieldKind::Time),
        Field::new("purge_at", "vault_document.purge_at", FieldKind::Time),
        Field::shown("version"),
    ],
    default_sort: "-created_at",
    tie_break: "vault_document.id",
};

pub(crate) const VERSIONS: Listing = Listing {
    resource: "vault.versions",
    fields: &[
        Field::sorted("id", "vault_version.id", FieldKind::Id("ver")),
        Field::shown("document_id"),
        Field::sorted("number", "vault_version.number", FieldKind::Integer),
        Field::shown("media_type"),
        Field::new("size", "vault_version.size", FieldKind::Integer),
        Field::shown("sha256"),
        Field::new("created_by", "vault_version.created_by", FieldKind::Id("usr")),
        Field::sorted("created_at", "vault_version.created_at", FieldKind::Time),
    ],
    default_sort: "-number",
    tie_break: "vault_version.id",
};

pub(crate) const RECORDS: Listing = Listing {
    resource: "vault.records",
    fields: &[
        Field::sorted("id", "vault_record.id", FieldKind::Id("rec")),
        Field::new("collection_id", "vault_record.collection_id", FieldKind::Id("col")),
        Field::shown("data"),
        Field::new("owner_id", "vault_record.owner_id", FieldKind::Id("usr")),
        Field::sorted("created_at", "vault_record.created_at", FieldKind::Time),
        Field::sorted("updated_at", "vault_record.updated_at", FieldKind::Time),
        Field::shown("version"),
    ],
    default_sort: "-created_at",
    tie_break: "vault_record.id",
};

pub(crate) const GRANTS: Listing = Listing {
    resource: "vault.grants",
    fields: &[
        Field::sorted("id", "vault_grant.id", FieldKind::Id("gra")),
        Field::new("collection_id", "vault_grant.collection_id", FieldKind::Id("col")),
        Field::new("document_id", "vault_grant.document_id", FieldKind::Id("doc")),
        Field::new("subject", "vault_grant.subject_kind", FieldKind::OneOf(&["account", "role", "everyone"])),
        Field::shown("subject_id"),
        Field::new("access", "vault_grant.access", FieldKind::OneOf(&["read", "write"])),
        Field::sorted("valid_from", "vault_grant.valid_from", FieldKind::Time),
        Field::new("valid_until", "vault_grant.valid_until", FieldKind::Time),
        Field::new("created_by", "vault_grant.created_by", FieldKind::Id("usr")),
        Field::sorted("created_at", "vault_grant.created_at", FieldKind::Time),
    ],
    default_sort: "-created_at",
    tie_break: "vault_grant.id",
};
