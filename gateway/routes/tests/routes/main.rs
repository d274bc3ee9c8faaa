//! The route table from outside.
#![expect(clippy::unwrap_used, reason = "tests")]

mod files;
mod finding;
mod support;
mod validation;
