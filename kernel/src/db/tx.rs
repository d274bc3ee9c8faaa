//! A unit of work, and the connection that runs it and notes faults.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, FromQueryResult, QueryResult, Statement, Value,
};

use crate::clock::{Clock, Random};
use crate::db::engine::Engine;
use crate::db::fault::Fault;
use crate::db::group::Unit;
use crate::db::invalidation::{Invalidations, Stale};
use crate::db::readers::Lent;
use crate::db::signal::Signals;
use crate::id::{Id, IdKind, TenantId};

/// A connection in use. Runs sea-orm's queries and remembers the first fault of the database, so that the unit of
/// work is judged by it and not by what a module made of the error.
pub struct Conn {
    executor: Executor,
    fault: Mutex<Option<Fault>>,
}

enum Executor {
    Lent(tokio::sync::Mutex<Lent>),
    Unit(tokio::sync::Mutex<Unit>),
    Transaction(DatabaseTransaction),
}

impl Conn {
    pub(super) fn lent(connection: Lent) -> Self {
        Self { executor: Executor::Lent(tokio::sync::Mutex::new(connection)), fault: Mutex::default() }
    }

    pub(super) fn unit(unit: Unit) -> Self {
        Self { executor: Executor::Unit(tokio::sync::Mutex::new(unit)), fault: Mutex::default() }
    }

    pub(super) fn transaction(transaction: DatabaseTransaction) -> Self {
        Self { executor: Executor::Transaction(transaction), fault: Mutex::default() }
    }

    pub(super) fn into_transaction(self) -> Option<DatabaseTransaction> {
        match self.executor {
            Executor::Transaction(transaction) => Some(transaction),
            Executor::Lent(_) | Executor::Unit(_) => None,
        }
    }

    pub(super) fn into_unit(self) -> Option<Unit> {
        match self.executor {
            Executor::Unit(unit) => Some(unit.into_inner()),
            Executor::Lent(_) | Executor::Transaction(_) => None,
        }
    }

    fn note<T>(&self, outcome: Result<T, DbErr>) -> Result<T, DbErr> {
        if let Some(fault) = outcome.as_ref().err().and_then(Fault::known) {
            self.fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(fault);
        }
        outcome
    }
}

#[async_trait]
impl ConnectionTrait for Conn {
    fn get_database_backend(&self) -> DbBackend {
        match &self.executor {
            Executor::Lent(_) | Executor::Unit(_) => DbBackend::Sqlite,
            Executor::Transaction(conn) => conn.get_database_backend(),
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.note(match &self.executor {
            Executor::Lent(conn) => conn.lock().await.line.execute(statement).await,
            Executor::Unit(conn) => conn.lock().await.line.execute(statement).await,
            Executor::Transaction(conn) => conn.execute_raw(statement).await,
        })
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.note(match &self.executor {
            Executor::Lent(conn) => conn.lock().await.line.execute_unprepared(sql).await,
            Executor::Unit(conn) => conn.lock().await.line.execute_unprepared(sql).await,
            Executor::Transaction(conn) => conn.execute_unprepared(sql).await,
        })
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.note(match &self.executor {
            Executor::Lent(conn) => conn.lock().await.line.one(statement).await,
            Executor::Unit(conn) => conn.lock().await.line.one(statement).await,
            Executor::Transaction(conn) => conn.query_one_raw(statement).await,
        })
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.note(match &self.executor {
            Executor::Lent(conn) => conn.lock().await.line.all(statement).await,
            Executor::Unit(conn) => conn.lock().await.line.all(statement).await,
            Executor::Transaction(conn) => conn.query_all_raw(statement).await,
        })
    }
}

/// What to do once the unit of work is on disk.
#[derive(Default)]
pub(super) struct Hooks {
    /// What other processes are told.
    pub(super) stale: Vec<Stale>,
    actions: Vec<Box<dyn FnOnce() + Send>>,
    bells: Vec<&'static str>,
}

impl Hooks {
    pub(super) fn bell(name: &'static str) -> Self {
        Self { bells: vec![name], ..Self::default() }
    }

    pub(super) fn run(self, signals: &Signals) {
        self.actions.into_iter().for_each(|action| action());
        self.bells.into_iter().for_each(|bell| signals.ring(bell));
    }
}

/// A unit of work in one tenant's scope. Made by [`crate::Db::read`] and [`crate::Db::write`] only.
pub struct Tx {
    conn: Conn,
    engine: Engine,
    tenant: TenantId,
    clock: Clock,
    random: Random,
    invalidations: Invalidations,
    hooks: Mutex<Hooks>,
}

impl fmt::Debug for Tx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tx({:?}, {})", self.engine, self.tenant)
    }
}

impl Tx {
    pub(super) fn new(
        conn: Conn,
        (engine, invalidations): (Engine, Invalidations),
        tenant: TenantId,
        (clock, random): (Clock, Random),
    ) -> Self {
        Self { conn, engine, tenant, clock, random, invalidations, hooks: Mutex::default() }
    }

    pub(super) fn into_parts(self) -> (Conn, Hooks) {
        (self.conn, self.hooks.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn fault(&self) -> Option<Fault> {
        *self.conn.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection, for sea-orm.
    pub fn conn(&self) -> &Conn {
        &self.conn
    }

    /// The engine's words of SQL.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// The tenant in whose scope this runs.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Now.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// The source of chance.
    pub fn random(&self) -> &Random {
        &self.random
    }

    /// A new identifier of this moment.
    pub fn new_id<K: IdKind>(&self) -> Id<K> {
        self.random.id(self.now())
    }

    /// Does this once the unit is on disk and before its author gets the answer. It must be quick.
    pub fn on_commit(&self, action: impl FnOnce() + Send + 'static) {
        self.hooks.lock().unwrap_or_else(PoisonError::into_inner).actions.push(Box::new(action));
    }

    /// Once the unit is on disk, what is remembered under this topic about this subject (a name without spaces) is stale,
    /// in every process: see [`Invalidations`].
    pub fn stale_on_commit(&self, topic: &'static str, subject: &str) {
        let invalidations = self.invalidations.clone();
        let own = subject.to_owned();
        self.on_commit(move || invalidations.tell(topic, Some(&own)));
        if self.engine == Engine::Postgres {
            self.hooks.lock().unwrap_or_else(PoisonError::into_inner).stale.push((topic, subject.to_owned()));
        }
    }

    /// Rings a bell of [`Signals`] once the unit is on disk.
    pub fn ring_on_commit(&self, bell: &'static str) {
        let mut hooks = self.hooks.lock().unwrap_or_else(PoisonError::into_inner);
        if !hooks.bells.contains(&bell) {
            hooks.bells.push(bell);
        }
    }

    /// Runs hand-written SQL with `$1` placeholders (both engines take them) and returns the rows.
    ///
    /// # Errors
    /// What the database says.
    pub async fn all<R: FromQueryResult>(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<R>, DbErr> {
        let rows = self.conn.query_all_raw(self.statement(sql, values)).await?;
        rows.iter().map(|row| R::from_query_result(row, "")).collect()
    }

    /// The first row of hand-written SQL, if there is one.
    ///
    /// # Errors
    /// What the database says.
    pub async fn one<R: FromQueryResult>(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Option<R>, DbErr> {
        let row = self.conn.query_one_raw(self.statement(sql, values)).await?;
        row.map(|row| R::from_query_result(&row, "")).transpose()
    }

    /// Runs hand-written SQL and returns the number of rows that it changed.
    ///
    /// # Errors
    /// What the database says.
    pub async fn execute(&self, sql: &str, values: impl IntoIterator<Item = Value>) -> Result<u64, DbErr> {
        Ok(self.conn.execute_raw(self.statement(sql, values)).await?.rows_affected())
    }

    /// Makes all writers that name the same number take turns until they commit.
    ///
    /// # Errors
    /// What the database says.
    pub async fn lock(&self, number: i64) -> Result<(), DbErr> {
        match self.engine.lock(number) {
            Some(sql) => self.conn.query_one_raw(self.statement(&sql, [])).await.map(|_| ()),
            None => Ok(()),
        }
    }

    fn statement(&self, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
        Statement::from_sql_and_values(self.engine.backend(), sql, values)
    }
}
