//! A connection to SQLite while somebody has it. It has a thread of its own, and a word to it costs two context
//! switches, so whoever can says several things at once.

use sea_orm::sqlx::sqlite::{Sqlite, SqliteConnection};
use sea_orm::sqlx::{self, AssertSqlSafe, Executor};
use sea_orm::{DbErr, ExecResult, QueryResult, RuntimeErr, Statement, Values};
use sea_query_sqlx::SqlxValues;

/// A connection, and whether what was asked of it last came to its end.
pub(super) struct Line {
    connection: Option<SqliteConnection>,
    sound: bool,
}

impl Line {
    pub(super) fn new(connection: SqliteConnection) -> Self {
        Self { connection: Some(connection), sound: true }
    }

    /// Whether nothing failed on it and nothing was given up on in its midst.
    pub(super) fn is_sound(&self) -> bool {
        self.sound
    }

    /// The connection, once.
    pub(super) fn take(&mut self) -> Option<SqliteConnection> {
        self.connection.take()
    }

    /// The connection, believed broken until [`Self::settle`] says otherwise: whoever drops the query in its midst
    /// leaves a statement behind that still runs.
    fn borrow(&mut self) -> Result<&mut SqliteConnection, DbErr> {
        self.sound = false;
        self.connection.as_mut().ok_or_else(|| away(sqlx::Error::PoolClosed))
    }

    fn settle<T>(&mut self, outcome: Result<T, sqlx::Error>) -> Result<T, DbErr> {
        self.sound = outcome.is_ok();
        outcome.map_err(failed)
    }

    pub(super) async fn one(&mut self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let outcome = query(&statement.sql, statement.values).fetch_optional(self.borrow()?).await;
        Ok(self.settle(outcome)?.map(QueryResult::from))
    }

    pub(super) async fn all(&mut self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let outcome = query(&statement.sql, statement.values).fetch_all(self.borrow()?).await;
        Ok(self.settle(outcome)?.into_iter().map(QueryResult::from).collect())
    }

    pub(super) async fn execute(&mut self, statement: Statement) -> Result<ExecResult, DbErr> {
        let outcome = query(&statement.sql, statement.values).execute(self.borrow()?).await;
        Ok(self.settle(outcome)?.into())
    }

    pub(super) async fn execute_unprepared(&mut self, sql: &str) -> Result<ExecResult, DbErr> {
        let outcome = self.borrow()?.execute(AssertSqlSafe(sql)).await;
        Ok(self.settle(outcome)?.into())
    }
}

/// Says words of our own, several statements at once perhaps; they are prepared once.
pub(super) async fn say(connection: &mut SqliteConnection, words: &'static str) -> Result<(), DbErr> {
    if words.is_empty() {
        return Ok(());
    }
    query(words, None).execute(connection).await.map(|_| ()).map_err(failed)
}

/// Runs a statement, or several that are written as one.
pub(super) async fn run(connection: &mut SqliteConnection, statement: Statement) -> Result<(), DbErr> {
    query(&statement.sql, statement.values).execute(connection).await.map(|_| ()).map_err(failed)
}

fn query(sql: &str, values: Option<Values>) -> sqlx::query::Query<'_, Sqlite, SqlxValues> {
    sqlx::query_with(AssertSqlSafe(sql), SqlxValues(values.unwrap_or(Values(Vec::new()))))
}

/// What a failed statement becomes.
pub(super) fn failed(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}

/// What a connection that can't be had becomes.
pub(super) fn away(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(error.into()))
}
