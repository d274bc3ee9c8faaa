//! All SQL of this module. What leaves it are the words of the model, and rows whose private part is still sealed.

pub(crate) mod collections;
pub(crate) mod documents;
pub(crate) mod grants;
pub(crate) mod keys;
pub(crate) mod purge;
pub(crate) mod records;
pub(crate) mod versions;
mod visible;
