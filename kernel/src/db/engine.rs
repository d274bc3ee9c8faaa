//! The two engines, and the few words of SQL in which they differ.

use sea_orm::DbBackend;

/// Which database is underneath.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Embedded, one file.
    Sqlite,
    /// A server.
    Postgres,
}

impl Engine {
    /// `sqlite` or `postgres`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }

    pub(super) const fn backend(self) -> DbBackend {
        match self {
            Self::Sqlite => DbBackend::Sqlite,
            Self::Postgres => DbBackend::Postgres,
        }
    }

    /// Goes at the end of a `SELECT` that claims rows: others pass the claimed ones by. SQLite has one writer and
    /// needs nothing.
    pub const fn skip_locked(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE SKIP LOCKED",
        }
    }

    /// Goes at the end of a `SELECT` whose rows must not change before the commit.
    pub const fn for_update(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE",
        }
    }

    /// The number of the transaction that writes, for a log whose readers must not outrun transactions in flight.
    /// SQLite's single writer commits in the order of writing, so there all share number 0.
    pub const fn transaction_number(self) -> &'static str {
        match self {
            Self::Sqlite => "0",
            Self::Postgres => "pg_current_xact_id()::text::bigint",
        }
    }

    /// Below this number, no transaction is still in flight: rows under it are complete and will get no company.
    pub const fn settled_below(self) -> &'static str {
        match self {
            Self::Sqlite => "1",
            Self::Postgres => "pg_snapshot_xmin(pg_current_snapshot())::text::bigint",
        }
    }

    /// Below this number lies every transaction that has begun to write: a row with another number comes from another
    /// server, by way of a restored backup.
    pub const fn assigned_below(self) -> &'static str {
        match self {
            Self::Sqlite => "1",
            Self::Postgres => "pg_snapshot_xmax(pg_current_snapshot())::text::bigint",
        }
    }

    /// A table of the texts in a parameter that is a JSON array of them, for a `FROM`: its column is `value`. One parameter
    /// for many rows, since binding so many costs the square of their number on SQLite.
    pub fn texts(self, parameter: usize) -> String {
        match self {
            Self::Sqlite => format!("json_each(${parameter})"),
            Self::Postgres => format!("json_array_elements_text(${parameter}::json) AS texts (value)"),
        }
    }

    /// A statement that serialises all writers which name the same number until they commit.
    pub fn lock(self, number: i64) -> Option<String> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some(format!("SELECT pg_advisory_xact_lock({number})")),
        }
    }
}
