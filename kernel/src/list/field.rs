//! What a list can be filtered and sorted by: an allow-list a resource.

use chrono::{DateTime, Utc};
use sea_orm::Value;
use uuid::Uuid;

use crate::problem::Problem;

/// What kind of value a field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// Text, compared byte by byte.
    Text,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// An id with this prefix.
    Id(&'static str),
    /// A time, RFC 3339.
    Time,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// Shown only: neither filtered nor sorted by.
    Opaque,
}

/// One field of a resource as clients see it.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name in JSON.
    pub name: &'static str,
    /// Its column, or an SQL expression.
    pub column: &'static str,
    /// Its kind.
    pub kind: FieldKind,
    /// Whether a list can be sorted by it; the column must not be null.
    pub sortable: bool,
}

impl Field {
    /// A field that can be filtered by.
    pub const fn new(name: &'static str, column: &'static str, kind: FieldKind) -> Self {
        Self { name, column, kind, sortable: false }
    }

    /// A field that can be filtered and sorted by.
    pub const fn sorted(name: &'static str, column: &'static str, kind: FieldKind) -> Self {
        Self { name, column, kind, sortable: true }
    }

    /// A field that is only shown.
    pub const fn shown(name: &'static str) -> Self {
        Self { name, column: "", kind: FieldKind::Opaque, sortable: false }
    }
}

/// A resource that can be listed: its name, all its fields (the first of them `id`), and how it is sorted by default.
#[derive(Clone, Copy, Debug)]
pub struct Listing {
    /// The resource, such as `tenancy.tenants`; cursors are bound to it.
    pub resource: &'static str,
    /// All fields of its JSON form.
    pub fields: &'static [Field],
    /// The order without a `sort` parameter, such as `-created_at`.
    pub default_sort: &'static str,
    /// The column that makes the order total.
    pub tie_break: &'static str,
}

impl Listing {
    pub(super) fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl FieldKind {
    /// Reads a literal of this kind into a value for the database.
    pub(super) fn read(self, name: &str, text: &str) -> Result<Value, Problem> {
        let wrong = |what: &str| {
            Err(Problem::field("filter", "kernel.filter_invalid", format!("{name} takes {what}, not {text:?}.")))
        };
        match self {
            Self::Text => Ok(text.into()),
            Self::OneOf(words) if words.contains(&text) => Ok(text.into()),
            Self::OneOf(words) => wrong(&format!("one of {}", words.join(", "))),
            Self::Id(prefix) => {
                let hex = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_'));
                hex.and_then(|hex| Uuid::try_parse(hex).ok())
                    .map_or_else(|| wrong(&format!("an id that begins with {prefix}_")), |uuid| Ok(uuid.into()))
            }
            Self::Time => DateTime::parse_from_rfc3339(text).map_or_else(
                |_| wrong("a time such as 2026-01-31T12:00:00Z"),
                |time| Ok(time.with_timezone(&Utc).into()),
            ),
            Self::Integer => text.parse::<i64>().map_or_else(|_| wrong("a whole number"), |number| Ok(number.into())),
            Self::Boolean => text.parse::<bool>().map_or_else(|_| wrong("true or false"), |flag| Ok(flag.into())),
            Self::Opaque => wrong("no filter"),
        }
    }
}
