//! Lists in one dialect: a typed filter, one sort order, keyset paging by a signed cursor, and field selection.

mod cursor;
mod field;
mod filter;
mod memory;
mod page;

pub use field::{Field, FieldKind, Listing};
pub use memory::{Datum, Filter};
pub use page::{FieldMask, ListParams, ListRequest, Page, Span};
