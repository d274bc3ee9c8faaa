//! The ground floor: what every module stands on. It knows no module.
//!
//! Start at [`Caller`] (who asks), [`Db`] (the only way to the database) and [`Problem`] (all that goes wrong).
//! Owns the tables `kernel_*`.

mod caller;
mod clock;
mod db;
mod egress;
pub mod graphql;
mod id;
mod keys;
mod list;
mod patch;
mod problem;
pub mod rest;
mod secret;
mod standing;
mod tasks;
mod version;

pub use caller::{Actor, Caller, Level, Permission, PermissionSet, PermissionSpec, Reach, RequestContext};
pub use clock::{Clock, Random};
pub use db::{
    Conn, ConnectError, Db, DbConfig, DbFigures, Engine, Invalidations, Signals, StaleHook, Tx, prune_idempotency,
};
pub use egress::{Egress, EgressAnswer, EgressConfig, EgressError, EgressRequest, Pace};
pub use id::{
    AccountId, AccountKind, ApiKeyId, ApiKeyKind, Id, IdKind, SYSTEM_TENANT, SessionId, SessionKind, TenantId,
    TenantKind,
};
pub use keys::{KeyError, Mac, OpenError, RootKey, Sealer};
pub use list::{Datum, Field, FieldKind, FieldMask, Filter, ListParams, ListRequest, Listing, Page, Span};
pub use patch::Patch;
pub use problem::{FieldError, Kind, Problem};
pub use secret::Secret;
pub use standing::{Standing, Vigil};
pub use tasks::Tasks;
pub use version::{Expected, etag};
