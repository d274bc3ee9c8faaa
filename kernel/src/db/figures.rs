//! How busy the connections are.

use crate::db::{Db, Engine, Writer};

/// How the connections to the database stand at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DbFigures {
    /// Open connections of the pool (on SQLite those that read).
    pub open: u32,
    /// Of these, at work.
    pub busy: u32,
    /// The most that may be open.
    pub most: u32,
    /// Units of work that wait for the one writer of SQLite; 0 on PostgreSQL.
    pub waiting: usize,
}

impl Db {
    /// How the connections stand now.
    pub fn figures(&self) -> DbFigures {
        let (open, idle, most) = match self.0.engine {
            Engine::Sqlite => {
                let pool = self.0.readers.get_sqlite_connection_pool();
                (pool.size(), pool.num_idle(), pool.options().get_max_connections())
            }
            Engine::Postgres => {
                let pool = self.0.readers.get_postgres_connection_pool();
                (pool.size(), pool.num_idle(), pool.options().get_max_connections())
            }
        };
        let busy = open.saturating_sub(u32::try_from(idle).unwrap_or(u32::MAX));
        let waiting = match &self.0.writer {
            Writer::Group(group) => group.waiting(),
            Writer::Pool(_) => 0,
        };
        DbFigures { open, busy, most, waiting }
    }
}
