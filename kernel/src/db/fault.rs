//! What a database error means for the request: lost a race, database away, disk full, read-only, or a bug.

use std::time::Duration;

use sea_orm::{DbErr, RuntimeErr, sqlx};

use crate::problem::Problem;

/// A fault of the database, as opposed to an answer of it (such as a violated constraint).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Serialization failure, deadlock or busy: run the unit again.
    Contention,
    /// Not reachable, shutting down, or out of connections.
    Away,
    /// No space left.
    Full,
    /// The file or its folder can't be written.
    ReadOnly,
    /// The statement ran into its time limit.
    Timeout,
    /// Anything else that is not about the data.
    Other,
}

/// How long a client is asked to wait.
const RETRY: Duration = Duration::from_secs(2);

impl Fault {
    /// The fault behind an error; [`Fault::Other`] if it is none of the known ones.
    pub(crate) fn of(error: &DbErr) -> Self {
        let known = Self::known(error);
        if known.is_none() {
            tracing::error!(%error, "unexpected database error");
        }
        known.unwrap_or(Self::Other)
    }

    /// The fault behind an error, if it is one of the known ones.
    pub(crate) fn known(error: &DbErr) -> Option<Self> {
        match error {
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => Some(Self::Away),
            DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause)) => {
                Self::of_driver(cause)
            }
            _ => None,
        }
    }

    fn of_driver(error: &sqlx::Error) -> Option<Self> {
        match error {
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Protocol(_)
            | sqlx::Error::Tls(_) => Some(Self::Away),
            sqlx::Error::Database(answer) => {
                let code = answer.code()?;
                if answer.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
                    Self::of_sqlite(code.parse().ok()?)
                } else {
                    Self::of_postgres(&code)
                }
            }
            _ => None,
        }
    }

    /// Result codes: <https://sqlite.org/rescode.html>; extended codes keep the primary one in the low byte.
    fn of_sqlite(code: u32) -> Option<Self> {
        match code & 0xff {
            5 | 6 => Some(Self::Contention),
            8 => Some(Self::ReadOnly),
            13 => Some(Self::Full),
            9 | 10 | 14 => Some(Self::Away),
            _ => None,
        }
    }

    /// SQLSTATE classes of PostgreSQL, appendix A.
    fn of_postgres(code: &str) -> Option<Self> {
        match code {
            "40001" | "40P01" | "55P03" => Some(Self::Contention),
            "57014" => Some(Self::Timeout),
            "53100" => Some(Self::Full),
            "25006" => Some(Self::ReadOnly),
            "57P01" | "57P02" | "57P03" | "53300" => Some(Self::Away),
            class if class.starts_with("08") => Some(Self::Away),
            _ => None,
        }
    }

    /// What the client is told.
    pub(crate) fn problem(self) -> Problem {
        match self {
            Self::Contention => {
                Problem::unavailable("kernel.contention", "Too many writers at once; try again.", RETRY)
            }
            Self::Away => {
                Problem::unavailable("kernel.database_away", "The database does not answer; try again soon.", RETRY)
            }
            Self::Full => Problem::unavailable(
                "kernel.storage_full",
                "The storage is full, so nothing was written; free some space and try again.",
                RETRY * 5,
            ),
            Self::ReadOnly => Problem::unavailable(
                "kernel.storage_read_only",
                "The storage is read-only, so nothing was written; make it writable and try again.",
                RETRY * 5,
            ),
            Self::Timeout => Problem::timeout(),
            Self::Other => Problem::internal("database fault"),
        }
    }
}

/// What an error of the database becomes when nothing better is known about it.
pub(crate) fn problem(error: &DbErr) -> Problem {
    Fault::known(error).map_or_else(|| Problem::internal(error), Fault::problem)
}

impl From<DbErr> for Problem {
    fn from(error: DbErr) -> Self {
        problem(&error)
    }
}
