//! The only ways to the database: [`Db::read`], [`Db::write`], and its forms [`Db::write_one`] and [`Db::write_once`].

mod connect;
mod engine;
mod facts;
mod fault;
mod figures;
mod group;
mod idempotency;
mod invalidation;
mod line;
mod readers;
mod signal;
mod tx;

use std::sync::Arc;
use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, DatabaseConnection, Statement, TransactionTrait, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::caller::{Caller, Reach};
use crate::clock::{Clock, Random};
use crate::keys::{RootKey, Sealer};
use crate::problem::Problem;

pub use connect::{ConnectError, DbConfig};
pub use engine::Engine;
pub use figures::DbFigures;
pub use idempotency::prune as prune_idempotency;
pub use invalidation::{Invalidations, StaleHook};
pub use signal::Signals;
pub use tx::{Conn, Tx};

use fault::Fault;
use group::GroupWriter;
use tx::Hooks;

/// How often a unit of work that lost a race is run again, deadline permitting.
const MAX_ATTEMPTS: u32 = 8;
/// How long a client is asked to wait while the database is away.
const AWAY: Duration = Duration::from_secs(2);

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    engine: Engine,
    readers: Readers,
    writer: Writer,
    clock: Clock,
    random: Random,
    signals: Signals,
    invalidations: Invalidations,
    keys: RootKey,
}

/// What reads go by.
enum Readers {
    Sqlite(Arc<readers::Readers>),
    Postgres(DatabaseConnection),
}

/// How units of work reach the disk.
enum Writer {
    /// One connection that commits concurrent units of work together; and another, opened for schema steps alone.
    Group(GroupWriter, DatabaseConnection),
    /// A transaction each, on a pooled connection.
    Pool(DatabaseConnection),
}

/// How one attempt at a unit of work ended, when not well.
enum Failure<E> {
    /// Another transaction was in the way; run it again.
    Lost,
    /// It failed for good.
    Final(E),
}

impl Db {
    /// Which engine this is. For messages, never for decisions in a module.
    pub fn engine(&self) -> Engine {
        self.0.engine
    }

    /// The clock of this installation.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The source of chance of this installation.
    pub fn random(&self) -> &Random {
        &self.0.random
    }

    /// The root key of this installation.
    pub fn keys(&self) -> &RootKey {
        &self.0.keys
    }

    /// Wake-ups that follow a commit in this process.
    pub fn signals(&self) -> &Signals {
        &self.0.signals
    }

    /// What goes stale with a commit, in this process or another.
    pub fn invalidations(&self) -> &Invalidations {
        &self.0.invalidations
    }

    /// Runs queries in the caller's scope. Each statement sees what was committed when it began.
    ///
    /// # Errors
    /// What `work` returns; 503 when the database is away; 504 when the deadline passes.
    pub async fn read<T, E, F>(&self, caller: &Caller, work: F) -> Result<T, E>
    where
        E: From<Problem>,
        F: AsyncFnOnce(&Tx) -> Result<T, E>,
    {
        let attempt = async {
            let conn = match &self.0.readers {
                Readers::Sqlite(readers) => Conn::lent(readers.lend().await.map_err(|error| fault::problem(&error))?),
                Readers::Postgres(pool) => {
                    let tx = pool.begin().await.map_err(|error| fault::problem(&error))?;
                    let scope = format!("SET TRANSACTION READ ONLY; {}", scope_sql(caller));
                    tx.execute_unprepared(&scope).await.map_err(|error| fault::problem(&error))?;
                    Conn::transaction(tx)
                }
            };
            let tx = self.tx(conn, caller);
            match work(&tx).await {
                Ok(value) => Ok(value),
                Err(error) => Err(tx.fault().map_or(error, |fault| fault.problem().into())),
            }
        };
        bounded(caller, attempt).await
    }

    /// Runs a unit of work in the caller's scope: committed on `Ok`, gone otherwise. Work that loses a race against
    /// another transaction is run again (hence `Clone`: capture references), so it must have no effect but through `tx`.
    ///
    /// # Errors
    /// What `work` returns; 503 when the database is away, full or read-only; 504 when the deadline passes.
    pub async fn write<T, E, F>(&self, caller: &Caller, work: F) -> Result<T, E>
    where
        E: From<Problem>,
        F: AsyncFnOnce(&Tx) -> Result<T, E> + Clone,
    {
        let attempts = async {
            for attempt in 1..=MAX_ATTEMPTS {
                match self.attempt(caller, work.clone()).await {
                    Ok(value) => return Ok(value),
                    Err(Failure::Final(error)) => return Err(error),
                    Err(Failure::Lost) => tokio::time::sleep(self.backoff(attempt)).await,
                }
            }
            Err(Problem::unavailable("kernel.contention", "Too many writers at once; try again.", AWAY).into())
        };
        bounded(caller, attempts).await
    }

    /// Runs one statement as a unit of work of its own, and rings `bell` after its commit. On SQLite it is one word
    /// to the connection where [`Self::write`] takes three at least. What the statement does is its whole effect; it may
    /// not fail but by a fault of the database.
    ///
    /// # Errors
    /// 503 when the database is away, full or read-only; 504 when the deadline passes (it may be done then or not).
    pub async fn write_one(
        &self,
        caller: &Caller,
        sql: &'static str,
        values: &[Value],
        bell: &'static str,
    ) -> Result<(), Problem> {
        let Writer::Group(group, _) = &self.0.writer else {
            let work = async |tx: &Tx| {
                tx.execute(sql, values.iter().cloned()).await?;
                tx.ring_on_commit(bell);
                Ok(())
            };
            return self.write(caller, work).await;
        };
        let attempts = async {
            for attempt in 1..=MAX_ATTEMPTS {
                let statement = Statement::from_sql_and_values(self.0.engine.backend(), sql, values.iter().cloned());
                match group.single(statement, Hooks::bell(bell)).await {
                    Ok(()) => return Ok(()),
                    Err(Fault::Contention) => tokio::time::sleep(self.backoff(attempt)).await,
                    Err(fault) => return Err(fault.problem()),
                }
            }
            Err(Fault::Contention.problem())
        };
        bounded(caller, attempts).await
    }

    /// [`Self::write`], at most once for each `Idempotency-Key` of the caller: a repetition returns the first
    /// result and changes nothing. `input` is what the client asked for; the same key with other input is a 422.
    ///
    /// # Errors
    /// Those of [`Self::write`], and the 422.
    pub async fn write_once<T, E, I, F>(
        &self,
        caller: &Caller,
        operation: &'static str,
        input: &I,
        work: F,
    ) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned,
        E: From<Problem>,
        I: Serialize,
        F: AsyncFnOnce(&Tx) -> Result<T, E> + Clone,
    {
        let Some(key) = caller.request.idempotency_key.clone() else {
            return self.write(caller, work).await;
        };
        let ticket = idempotency::Ticket::new(&self.0.keys, caller, operation, &key, input)?;
        self.write(caller, async |tx| {
            if let Some(stored) = ticket.claim(tx).await? {
                let request = caller.request.clone();
                tx.on_commit(move || request.mark_replayed());
                return Ok(stored);
            }
            let value = work(tx).await?;
            ticket.complete(tx, &value).await?;
            Ok(value)
        })
        .await
    }

    /// Whether the database answers, within `wait`.
    ///
    /// # Errors
    /// Why it does not.
    pub async fn ping(&self, wait: Duration) -> Result<(), String> {
        let asked = async {
            match &self.0.readers {
                Readers::Sqlite(readers) => readers.lend().await?.line.execute_unprepared("SELECT 1").await,
                Readers::Postgres(pool) => pool.execute_unprepared("SELECT 1").await,
            }
        };
        match tokio::time::timeout(wait, asked).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no answer within {} ms", wait.as_millis())),
        }
    }

    /// Closes all connections after their work.
    pub async fn close(&self) {
        let writer = match &self.0.writer {
            Writer::Group(group, steps) => {
                group.close().await;
                steps.clone().close().await
            }
            Writer::Pool(_) => Ok(()),
        };
        let readers = match &self.0.readers {
            Readers::Sqlite(readers) => readers.close().await,
            Readers::Postgres(pool) => pool.clone().close().await,
        };
        if let Err(error) = writer.and(readers) {
            tracing::warn!(%error, "the database did not close cleanly");
        }
    }

    /// The connection for schema steps.
    pub fn migration_connection(&self) -> DatabaseConnection {
        match &self.0.writer {
            Writer::Group(_, steps) => steps.clone(),
            Writer::Pool(pool) => pool.clone(),
        }
    }

    async fn attempt<T, E, F>(&self, caller: &Caller, work: F) -> Result<T, Failure<E>>
    where
        E: From<Problem>,
        F: AsyncFnOnce(&Tx) -> Result<T, E> + Clone,
    {
        match &self.0.writer {
            Writer::Group(group, _) => self.in_group(group, caller, work).await,
            Writer::Pool(pool) => self.in_transaction(pool, caller, work).await,
        }
    }

    async fn in_group<T, E, F>(&self, group: &GroupWriter, caller: &Caller, work: F) -> Result<T, Failure<E>>
    where
        E: From<Problem>,
        F: AsyncFnOnce(&Tx) -> Result<T, E> + Clone,
    {
        let unit = group.turn().await.map_err(failure)?;
        let tx = self.tx(Conn::unit(unit), caller);
        let value = settle(&tx, work(&tx).await)?;
        let (conn, hooks) = tx.into_parts();
        let unit = conn.into_unit().ok_or_else(|| Failure::Final(Problem::internal("no unit").into()))?;
        unit.commit(hooks).await.map_err(failure)?;
        Ok(value)
    }

    async fn in_transaction<T, E, F>(
        &self,
        pool: &DatabaseConnection,
        caller: &Caller,
        work: F,
    ) -> Result<T, Failure<E>>
    where
        E: From<Problem>,
        F: AsyncFnOnce(&Tx) -> Result<T, E> + Clone,
    {
        let begun = pool.begin().await.map_err(|error| failure(Fault::of(&error)))?;
        begun.execute_unprepared(&scope_sql(caller)).await.map_err(|error| failure(Fault::of(&error)))?;
        let tx = self.tx(Conn::transaction(begun), caller);
        let value = settle(&tx, work(&tx).await)?;
        let (conn, hooks) = tx.into_parts();
        let begun = conn.into_transaction().ok_or_else(|| Failure::Final(Problem::internal("no unit").into()))?;
        let left = self.0.invalidations.leave_word(&begun, &hooks.stale).await;
        left.map_err(|error| failure(Fault::of(&error)))?;
        let signals = self.0.signals.clone();
        let commit = async move {
            begun.commit().await.map_err(|error| Fault::of(&error))?;
            hooks.run(&signals);
            Ok(())
        };
        // On a task of its own: an author who leaves in the middle must not keep the hooks from running.
        #[expect(clippy::disallowed_methods, reason = "it is one commit long, and waited for by the connection pool")]
        let committed = tokio::spawn(commit).await;
        committed.unwrap_or(Err(Fault::Other)).map_err(failure)?;
        Ok(value)
    }

    fn tx(&self, conn: Conn, caller: &Caller) -> Tx {
        let (engine, invalidations) = (self.0.engine, self.0.invalidations.clone());
        Tx::new(conn, (engine, invalidations), caller.tenant, (self.0.clock.clone(), self.0.random.clone()))
    }

    /// Full jitter over a doubling bound from 4 ms.
    fn backoff(&self, attempt: u32) -> Duration {
        Duration::from_millis(4u64 << attempt.min(6)).mul_f64(self.0.random.fraction())
    }
}

/// Turns the outcome of a unit into a value to commit or a failure; a fault of the database outranks what the
/// work made of it.
fn settle<T, E: From<Problem>>(tx: &Tx, outcome: Result<T, E>) -> Result<T, Failure<E>> {
    match (outcome, tx.fault()) {
        (Ok(value), None) => Ok(value),
        (_, Some(fault)) => Err(failure(fault)),
        (Err(error), None) => Err(Failure::Final(error)),
    }
}

fn failure<E: From<Problem>>(fault: Fault) -> Failure<E> {
    match fault {
        Fault::Contention => Failure::Lost,
        other => Failure::Final(other.problem().into()),
    }
}

/// Ends with a 504 when the caller's deadline passes; what was begun is rolled back.
async fn bounded<T, E: From<Problem>>(caller: &Caller, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let deadline = tokio::time::Instant::from_std(caller.request.deadline.max(Instant::now()));
    tokio::time::timeout_at(deadline, work).await.unwrap_or_else(|_| Err(Problem::timeout().into()))
}

/// The scope for row-level security, and a bound for each statement; one round trip.
fn scope_sql(caller: &Caller) -> String {
    let everyone = match caller.reach() {
        Reach::Tenant => "off",
        Reach::Platform => "on",
    };
    let millis = caller.time_left().as_millis().max(1);
    format!(
        "SET LOCAL holdfast.tenant = '{}'; SET LOCAL holdfast.everyone = '{everyone}'; \
         SET LOCAL statement_timeout = {millis}",
        caller.tenant.uuid()
    )
}
