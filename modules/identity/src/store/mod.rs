//! All SQL of this module, one file a table.

pub(crate) mod accounts;
pub(crate) mod api_keys;
pub(crate) mod domains;
pub(crate) mod refresh;
pub(crate) mod sessions;
pub(crate) mod signing_keys;
