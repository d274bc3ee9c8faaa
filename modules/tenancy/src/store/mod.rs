//! All SQL of this module. Rows are private to its files; what leaves them are the words of the model.

pub(crate) mod domain_steps;
pub(crate) mod domains;
pub(crate) mod invitations;
pub(crate) mod members;
pub(crate) mod permissions;
pub(crate) mod roles;
pub(crate) mod tenants;

use kernel::Problem;
use sea_orm::{DbErr, SqlErr};

use crate::error::Error;

/// What a clash with a unique index means; everything else is the kernel's.
fn clash(error: DbErr, meaning: impl FnOnce() -> Error) -> Error {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => meaning(),
        _ => Problem::from(error).into(),
    }
}

/// What a reference to a missing row, or from a remaining one, means; everything else is the kernel's.
fn dangling(error: DbErr, meaning: impl FnOnce() -> Error) -> Error {
    match error.sql_err() {
        Some(SqlErr::ForeignKeyConstraintViolation(_)) => meaning(),
        _ => Problem::from(error).into(),
    }
}
