//! SQLite's one writer: concurrent units of work take turns inside one transaction and share its commit, so that
//! one `fsync` serves them all. Each unit has a savepoint; answers go out after the commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use tokio::sync::{mpsc, oneshot};

use crate::db::fault::Fault;
use crate::db::signal::Signals;
use crate::db::tx::Hooks;

/// The most units that share one commit; bounds what a failed commit takes down and how long the first one waits.
const MAX_GROUP: usize = 256;
/// How many units may wait for their turn.
const QUEUE: usize = 4096;

type Begin = oneshot::Sender<Result<Turn, Fault>>;

/// A unit's turn: its savepoint, and where to hand it back.
pub(super) struct Turn {
    pub(super) savepoint: DatabaseTransaction,
    pub(super) done: Done,
}

/// Where a unit that did its work hands back its savepoint. Dropping it instead rolls the unit back.
pub(super) struct Done(oneshot::Sender<Finished>);

struct Finished {
    savepoint: DatabaseTransaction,
    answered: Answered,
}

/// A unit that is on disk with the group's commit: what follows it, and who waits for it. The writer runs the hooks
/// itself, so that they run even when the author has left by then.
struct Answered {
    hooks: Hooks,
    answer: oneshot::Sender<Result<(), Fault>>,
}

impl Done {
    /// Waits until the unit is on disk and its hooks have run.
    pub(super) async fn commit(self, savepoint: DatabaseTransaction, hooks: Hooks) -> Result<(), Fault> {
        let (answer, committed) = oneshot::channel();
        let answered = Answered { hooks, answer };
        self.0.send(Finished { savepoint, answered }).map_err(|_| Fault::Timeout)?;
        committed.await.unwrap_or(Err(Fault::Away))
    }
}

/// The handle to the writer.
#[derive(Clone)]
pub(super) struct GroupWriter {
    turns: mpsc::Sender<Begin>,
    connection: DatabaseConnection,
}

impl GroupWriter {
    /// Starts the writer on a pool of exactly one connection. It ends when the last handle is gone.
    #[expect(clippy::disallowed_methods, reason = "the writer lives as long as its handles, not as a request")]
    ///
    /// After a fault, `suspect` is set and the pool must close the connection before anybody uses it again: SQLite may
    /// have ended the transaction by itself, or kept it open when a commit failed, and the driver's count of open
    /// transactions no longer tells which. A later "commit" could then be none.
    pub(super) fn start(connection: DatabaseConnection, suspect: Arc<AtomicBool>, signals: Signals) -> Self {
        let (turns, queue) = mpsc::channel(QUEUE);
        let writer = Writer { connection: connection.clone(), suspect, signals };
        tokio::spawn(writer.run(queue));
        Self { turns, connection }
    }

    /// Waits for a turn.
    pub(super) async fn turn(&self) -> Result<Turn, Fault> {
        let (begin, begun) = oneshot::channel();
        self.turns.send(begin).await.map_err(|_| Fault::Away)?;
        begun.await.unwrap_or(Err(Fault::Away))
    }

    /// How many units wait for their turn.
    pub(super) fn waiting(&self) -> usize {
        self.turns.max_capacity() - self.turns.capacity()
    }

    pub(super) fn connection(&self) -> DatabaseConnection {
        self.connection.clone()
    }

    pub(super) async fn close(&self) -> Result<(), DbErr> {
        self.connection.clone().close().await
    }
}

/// The task that owns the one writing connection.
struct Writer {
    connection: DatabaseConnection,
    suspect: Arc<AtomicBool>,
    signals: Signals,
}

impl Writer {
    async fn run(self, mut queue: mpsc::Receiver<Begin>) {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        while let Some(first) = queue.recv().await {
            match self.connection.begin_with_options(options).await {
                Ok(group) => self.serve(group, first, &mut queue).await,
                // Nobody may be there any more to hear it, which is fine.
                Err(error) => {
                    first.send(Err(Fault::of(&error))).ok();
                }
            }
        }
    }

    /// Runs one group to its commit.
    async fn serve(&self, group: DatabaseTransaction, first: Begin, queue: &mut mpsc::Receiver<Begin>) {
        let mut kept = Vec::new();
        let mut next = Some(first);
        let mut broken = None;
        while let Some(begin) = next.take() {
            match unit(&group, begin).await {
                Ok(Some(answered)) => kept.push(answered),
                Ok(None) => {}
                Err(error) => {
                    broken = Some(self.fault(&error));
                    break;
                }
            }
            if kept.len() < MAX_GROUP {
                next = queue.try_recv().ok();
            }
        }
        metrics::histogram!("holdfast_db_group_size").record(u32::try_from(kept.len()).unwrap_or(u32::MAX));
        let outcome = match broken {
            Some(fault) => {
                drop(group);
                Err(fault)
            }
            None if kept.is_empty() => group.rollback().await.map_err(|error| self.fault(&error)),
            None => group.commit().await.map_err(|error| self.fault(&error)),
        };
        for Answered { hooks, answer } in kept {
            if outcome.is_ok() {
                hooks.run(&self.signals);
            }
            // A unit whose author has left is committed all the same.
            answer.send(outcome).ok();
        }
    }

    fn fault(&self, error: &DbErr) -> Fault {
        self.suspect.store(true, Ordering::Release);
        Fault::of(error)
    }
}

/// Gives one unit its turn. `None` when it ended without work to keep.
///
/// # Errors
/// The transaction around it is broken (SQLite rolls it back itself when the disk is full, for example).
async fn unit(group: &DatabaseTransaction, begin: Begin) -> Result<Option<Answered>, DbErr> {
    if begin.is_closed() {
        return Ok(None);
    }
    let savepoint = match group.begin().await {
        Ok(savepoint) => savepoint,
        Err(error) => {
            begin.send(Err(Fault::of(&error))).ok();
            return Err(error);
        }
    };
    let (done, finished) = oneshot::channel();
    // If the author has left, the turn comes back in the error and its drop rolls the savepoint back.
    drop(begin.send(Ok(Turn { savepoint, done: Done(done) })));
    // The wait is bounded: every unit has its caller's deadline and gives the turn back when that passes.
    match finished.await {
        Ok(Finished { savepoint, answered }) => {
            savepoint.commit().await?;
            Ok(Some(answered))
        }
        Err(_) => Ok(None),
    }
}
