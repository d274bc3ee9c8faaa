//! SQLite's reading connections, lent out whole. sqlx's pool says one word more than the query with every return of a
//! connection (a ping), which would double what a short read costs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sea_orm::DbErr;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sea_orm::sqlx::{self, Connection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::db::line::{Line, away};

/// The connections that nobody uses now, and room for more.
pub(super) struct Readers {
    options: SqliteConnectOptions,
    idle: Mutex<Vec<SqliteConnection>>,
    places: Arc<Semaphore>,
    most: u32,
    wait: Duration,
}

impl Readers {
    /// Room for `most` connections; one waits `wait` for a place.
    pub(super) fn new(options: SqliteConnectOptions, most: u32, wait: Duration) -> Arc<Self> {
        let places = Arc::new(Semaphore::new(most as usize));
        Arc::new(Self { options, idle: Mutex::default(), places, most, wait })
    }

    /// A connection for one unit of work. No thread is asked for it unless a new one must be opened.
    pub(super) async fn lend(self: &Arc<Self>) -> Result<Lent, DbErr> {
        let place = timeout(self.wait, Arc::clone(&self.places).acquire_owned());
        let place = place.await.map_err(|_| away(sqlx::Error::PoolTimedOut))?;
        let place = place.map_err(|_| away(sqlx::Error::PoolClosed))?;
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => SqliteConnection::connect_with(&self.options).await.map_err(away)?,
        };
        Ok(Lent { line: Line::new(connection), readers: Arc::clone(self), _place: place })
    }

    /// How many may be lent out, how many are, and how many lie idle.
    pub(super) fn figures(&self) -> (u32, u32, u32) {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).len();
        let free = u32::try_from(self.places.available_permits()).unwrap_or(u32::MAX);
        (self.most, self.most.saturating_sub(free), u32::try_from(idle).unwrap_or(u32::MAX))
    }

    /// Lends no more and closes what lies idle; what is lent out closes when it comes back.
    pub(super) async fn close(&self) -> Result<(), DbErr> {
        self.places.close();
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        for connection in idle {
            connection.close().await.map_err(away)?;
        }
        Ok(())
    }
}

/// A connection on loan. It goes back when dropped, unless something failed or was given up on it.
pub(super) struct Lent {
    pub(super) line: Line,
    readers: Arc<Readers>,
    _place: OwnedSemaphorePermit,
}

impl Drop for Lent {
    fn drop(&mut self) {
        if !self.line.is_sound() || self.readers.places.is_closed() {
            return;
        }
        if let Some(connection) = self.line.take() {
            self.readers.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }
}
