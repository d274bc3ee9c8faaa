//! How busy the connections are.

use crate::db::{Db, Readers, Writer};

/// How the connections to the database stand at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DbFigures {
    /// Connections at work (on SQLite those that read).
    pub busy: u32,
    /// Open ones that wait for work.
    pub idle: u32,
    /// The most that may be open.
    pub most: u32,
    /// Units of work that wait for the one writer of SQLite; 0 on PostgreSQL.
    pub waiting: usize,
}

impl Db {
    /// How the connections stand now.
    pub fn figures(&self) -> DbFigures {
        let (most, busy, idle) = match &self.0.readers {
            Readers::Sqlite(readers) => readers.figures(),
            Readers::Postgres(pool) => {
                let pool = pool.get_postgres_connection_pool();
                let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
                (pool.options().get_max_connections(), pool.size().saturating_sub(idle), idle)
            }
        };
        let waiting = match &self.0.writer {
            Writer::Group(group, _) => group.waiting(),
            Writer::Pool(_) => 0,
        };
        DbFigures { busy, idle, most, waiting }
    }
}
