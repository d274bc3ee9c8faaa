//! SQLite's reading connections, lent out whole. Each has a thread of its own, and a word to it costs two context
//! switches; sqlx's pool says one more than the query with every return of a connection (a ping), which would double
//! what a short read costs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sea_orm::sqlx::sqlite::{Sqlite, SqliteConnectOptions, SqliteConnection};
use sea_orm::sqlx::{self, AssertSqlSafe, Connection, Executor};
use sea_orm::{DbErr, ExecResult, QueryResult, RuntimeErr, Statement, Values};
use sea_query_sqlx::SqlxValues;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

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
        Ok(Lent { connection: Some(connection), sound: true, readers: Arc::clone(self), _place: place })
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

fn away(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(error.into()))
}

/// A connection on loan. It goes back when dropped, unless something failed or was given up on it.
pub(super) struct Lent {
    connection: Option<SqliteConnection>,
    sound: bool,
    readers: Arc<Readers>,
    _place: OwnedSemaphorePermit,
}

impl Lent {
    /// The connection, believed broken until [`Self::settle`] says otherwise: whoever drops the query in its midst
    /// leaves a statement behind that still runs.
    fn borrow(&mut self) -> Result<&mut SqliteConnection, DbErr> {
        self.sound = false;
        self.connection.as_mut().ok_or_else(|| away(sqlx::Error::PoolClosed))
    }

    fn settle<T>(&mut self, outcome: Result<T, sqlx::Error>) -> Result<T, DbErr> {
        self.sound = outcome.is_ok();
        outcome.map_err(|error| DbErr::Query(RuntimeErr::SqlxError(error.into())))
    }

    pub(super) async fn one(&mut self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let outcome = query(&statement).fetch_optional(self.borrow()?).await;
        Ok(self.settle(outcome)?.map(QueryResult::from))
    }

    pub(super) async fn all(&mut self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let outcome = query(&statement).fetch_all(self.borrow()?).await;
        Ok(self.settle(outcome)?.into_iter().map(QueryResult::from).collect())
    }

    pub(super) async fn execute(&mut self, statement: Statement) -> Result<ExecResult, DbErr> {
        let outcome = query(&statement).execute(self.borrow()?).await;
        Ok(self.settle(outcome)?.into())
    }

    pub(super) async fn execute_unprepared(&mut self, sql: &str) -> Result<ExecResult, DbErr> {
        let outcome = self.borrow()?.execute(AssertSqlSafe(sql)).await;
        Ok(self.settle(outcome)?.into())
    }
}

fn query(statement: &Statement) -> sqlx::query::Query<'_, Sqlite, SqlxValues> {
    let values = statement.values.clone().unwrap_or(Values(Vec::new()));
    sqlx::query_with(AssertSqlSafe(statement.sql.as_str()), SqlxValues(values))
}

impl Drop for Lent {
    fn drop(&mut self) {
        let returned = self.connection.take().filter(|_| self.sound && !self.readers.places.is_closed());
        if let Some(connection) = returned {
            self.readers.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }
}
