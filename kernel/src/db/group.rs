//! SQLite's one writer: concurrent units of work take turns inside one transaction and share its commit, so that
//! one `fsync` serves them all. Each unit has a savepoint; answers go out after the commit.
//!
//! The connection goes from hand to hand: the writer opens the savepoint, the unit's author works on the connection,
//! and it comes back, with work to keep or without. What ends a unit and what follows it are said at once. A unit that is
//! one statement needs neither savepoint nor author: the writer runs it, and when it is alone, its whole transaction at
//! once.

use sea_orm::sqlx::Connection;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sea_orm::{DbErr, Statement};
use tokio::sync::{mpsc, oneshot};

use crate::db::fault::Fault;
use crate::db::line::{self, Line};
use crate::db::signal::Signals;
use crate::db::tx::Hooks;

/// The most units that share one commit; bounds what a failed commit takes down and how long the first one waits.
const MAX_GROUP: usize = 256;
/// How many units may wait for their turn.
const QUEUE: usize = 4096;

const DROP_ALL: &str = "ROLLBACK";

type Begin = oneshot::Sender<Result<Unit, Fault>>;

enum Ask {
    Work(Work),
    Close(oneshot::Sender<()>),
}

enum Work {
    Turn(Begin),
    Single(Single),
}

/// A unit of one statement, which SQLite does or leaves as a whole.
struct Single {
    statement: Statement,
    answered: Answered,
}

impl Work {
    fn is_given_up(&self) -> bool {
        match self {
            Self::Turn(begin) => begin.is_closed(),
            Self::Single(single) => single.answered.answer.is_closed(),
        }
    }

    /// Tells its author that it can't be. Nobody may be there any more to hear it, which is fine.
    fn refuse(self, fault: Fault) {
        match self {
            Self::Turn(begin) => drop(begin.send(Err(fault))),
            Self::Single(single) => drop(single.answered.answer.send(Err(fault))),
        }
    }
}

/// What the group's transaction stands at, and so the words for what comes next.
#[derive(Clone, Copy)]
enum At {
    /// It has not begun.
    Start,
    /// It has begun; no savepoint is open.
    Clear,
    /// The last unit's savepoint is open, with work to keep.
    Keep,
    /// The last unit's savepoint is open, with work to undo.
    Drop,
}

impl At {
    /// What is said before this work.
    const fn before(self, work: &Work) -> &'static str {
        match (self, work) {
            (Self::Start, Work::Turn(_)) => "BEGIN IMMEDIATE; SAVEPOINT unit",
            (Self::Start, Work::Single(_)) => "BEGIN IMMEDIATE",
            (Self::Clear, Work::Turn(_)) => "SAVEPOINT unit",
            (Self::Clear, Work::Single(_)) => "",
            (Self::Keep, Work::Turn(_)) => "RELEASE unit; SAVEPOINT unit",
            (Self::Keep, Work::Single(_)) => "RELEASE unit",
            (Self::Drop, Work::Turn(_)) => "ROLLBACK TO unit",
            (Self::Drop, Work::Single(_)) => "ROLLBACK TO unit; RELEASE unit",
        }
    }

    /// The last words. A commit takes an open savepoint along.
    const fn commit(self) -> &'static str {
        match self {
            Self::Drop => "ROLLBACK TO unit; COMMIT",
            Self::Start | Self::Clear | Self::Keep => "COMMIT",
        }
    }
}

/// A unit's turn: the connection, inside the unit's savepoint. Dropping it rolls the unit back.
pub(super) struct Unit {
    pub(super) line: Line,
    back: Option<oneshot::Sender<Returned>>,
}

/// The connection after a unit, and who waits for what the unit did, if that is to be kept.
struct Returned {
    connection: SqliteConnection,
    answered: Option<Answered>,
}

/// A unit that is on disk with the group's commit: what follows it, and who waits for it. The writer runs the hooks
/// itself, so that they run even when the author has left by then.
struct Answered {
    hooks: Hooks,
    answer: oneshot::Sender<Result<(), Fault>>,
}

impl Unit {
    /// Waits until the unit is on disk and its hooks have run.
    pub(super) async fn commit(mut self, hooks: Hooks) -> Result<(), Fault> {
        let (answer, committed) = oneshot::channel();
        self.give_back(Some(Answered { hooks, answer }));
        committed.await.unwrap_or(Err(Fault::Away))
    }

    fn give_back(&mut self, answered: Option<Answered>) {
        if let (Some(connection), Some(back)) = (self.line.take(), self.back.take()) {
            // Without a writer there is no transaction either: the connection closes, and with it goes what was done.
            back.send(Returned { connection, answered }).ok();
        }
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        self.give_back(None);
    }
}

/// The handle to the writer.
#[derive(Clone)]
pub(super) struct GroupWriter(mpsc::Sender<Ask>);

impl GroupWriter {
    /// Opens the one writing connection and starts its task, which ends when the last handle is gone.
    #[expect(clippy::disallowed_methods, reason = "the writer lives as long as its handles, not as a request")]
    pub(super) async fn start(options: SqliteConnectOptions, signals: Signals) -> Result<Self, DbErr> {
        let connection = SqliteConnection::connect_with(&options).await.map_err(line::away)?;
        let (turns, queue) = mpsc::channel(QUEUE);
        let writer = Writer { options, connection: Some(connection), signals };
        tokio::spawn(writer.run(queue));
        Ok(Self(turns))
    }

    /// Waits for a turn.
    pub(super) async fn turn(&self) -> Result<Unit, Fault> {
        let (begin, begun) = oneshot::channel();
        self.0.send(Ask::Work(Work::Turn(begin))).await.map_err(|_| Fault::Away)?;
        begun.await.unwrap_or(Err(Fault::Away))
    }

    /// Runs one statement as a unit of its own, and waits until it is on disk and its hooks have run.
    pub(super) async fn single(&self, statement: Statement, hooks: Hooks) -> Result<(), Fault> {
        let (answer, committed) = oneshot::channel();
        let single = Single { statement, answered: Answered { hooks, answer } };
        self.0.send(Ask::Work(Work::Single(single))).await.map_err(|_| Fault::Away)?;
        committed.await.unwrap_or(Err(Fault::Away))
    }

    /// How many units wait for their turn.
    pub(super) fn waiting(&self) -> usize {
        self.0.max_capacity() - self.0.capacity()
    }

    /// Closes the connection after the units that wait.
    pub(super) async fn close(&self) {
        let (closed, done) = oneshot::channel();
        if self.0.send(Ask::Close(closed)).await.is_ok() {
            done.await.ok();
        }
    }
}

/// The task that owns the one writing connection.
struct Writer {
    options: SqliteConnectOptions,
    /// `None` after a fault: SQLite may have ended the transaction by itself, or kept it open when a commit failed. A
    /// later "commit" could then be none, so the next group has a new connection.
    connection: Option<SqliteConnection>,
    signals: Signals,
}

impl Writer {
    async fn run(mut self, mut queue: mpsc::Receiver<Ask>) {
        while let Some(ask) = queue.recv().await {
            let closing = match ask {
                Ask::Work(work) if work.is_given_up() => None,
                Ask::Work(first) => self.group(first, &mut queue).await,
                Ask::Close(done) => Some(done),
            };
            if let Some(done) = closing {
                if let Some(connection) = self.connection.take() {
                    connection.close().await.ok();
                }
                done.send(()).ok();
                return;
            }
        }
    }

    /// Runs one group to its commit. Returns who asked meanwhile that the connection be closed.
    async fn group(&mut self, first: Work, queue: &mut mpsc::Receiver<Ask>) -> Option<oneshot::Sender<()>> {
        let mut group = Group { queue, kept: Vec::new(), closing: None };
        let outcome = match self.connect().await {
            Ok(connection) => group.serve(connection, first).await.map(|connection| self.connection = Some(connection)),
            Err(error) => {
                first.refuse(Fault::of(&error));
                return None;
            }
        };
        let Group { kept, closing, .. } = group;
        metrics::histogram!("holdfast_db_group_size").record(u32::try_from(kept.len()).unwrap_or(u32::MAX));
        for Answered { hooks, answer } in kept {
            if outcome.is_ok() {
                hooks.run(&self.signals);
            }
            // A unit whose author has left is committed all the same.
            answer.send(outcome).ok();
        }
        closing
    }

    async fn connect(&mut self) -> Result<SqliteConnection, DbErr> {
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => SqliteConnection::connect_with(&self.options).await.map_err(line::failed),
        }
    }
}

/// Units that share one commit.
struct Group<'a> {
    queue: &'a mut mpsc::Receiver<Ask>,
    /// Those whose work is kept.
    kept: Vec<Answered>,
    closing: Option<oneshot::Sender<()>>,
}

impl Group<'_> {
    /// Gives units their turns, one after the other, and commits. The connection comes back without a transaction.
    ///
    /// # Errors
    /// The transaction around them is broken (SQLite rolls it back itself when the disk is full, for example). The
    /// connection is closed then.
    async fn serve(&mut self, mut connection: SqliteConnection, first: Work) -> Result<SqliteConnection, Fault> {
        let first = match first {
            Work::Single(single) if self.queue.is_empty() => return self.alone(connection, single).await,
            first => first,
        };
        let (mut at, mut next) = (At::Start, Some(first));
        while let Some(work) = next {
            if let Err(error) = line::say(&mut connection, at.before(&work)).await {
                let fault = given_up(connection, &error).await;
                work.refuse(fault);
                return Err(fault);
            }
            (connection, at) = match work {
                Work::Turn(begin) => self.turn(connection, begin).await?,
                Work::Single(single) => self.single(connection, single).await?,
            };
            next = self.next();
        }
        let words = if self.kept.is_empty() { DROP_ALL } else { at.commit() };
        match line::say(&mut connection, words).await {
            Ok(()) => Ok(connection),
            Err(error) => Err(given_up(connection, &error).await),
        }
    }

    /// A unit of one statement that nobody waits behind: a transaction in one go.
    async fn alone(&mut self, mut connection: SqliteConnection, single: Single) -> Result<SqliteConnection, Fault> {
        let Single { mut statement, answered } = single;
        statement.sql = format!("BEGIN IMMEDIATE; {}; COMMIT", statement.sql);
        self.kept.push(answered);
        match line::run(&mut connection, statement).await {
            Ok(()) => Ok(connection),
            // The transaction may be open: it goes with the connection.
            Err(error) => Err(given_up(connection, &error).await),
        }
    }

    /// Gives one unit its turn.
    async fn turn(&mut self, connection: SqliteConnection, begin: Begin) -> Result<(SqliteConnection, At), Fault> {
        let (back, returned) = oneshot::channel();
        // If the author has left, the turn comes back in the error, and its drop gives the connection back.
        drop(begin.send(Ok(Unit { line: Line::new(connection), back: Some(back) })));
        // The wait is bounded: every unit has its caller's deadline and gives the turn back when that passes.
        let Returned { connection, answered } = returned.await.map_err(|_| Fault::Other)?;
        let at = if answered.is_some() { At::Keep } else { At::Drop };
        self.kept.extend(answered);
        Ok((connection, at))
    }

    /// Runs a unit of one statement among others. What the database has against it is for its author alone, unless it is
    /// a fault, after which the transaction may be gone.
    async fn single(
        &mut self,
        mut connection: SqliteConnection,
        single: Single,
    ) -> Result<(SqliteConnection, At), Fault> {
        let Single { statement, answered } = single;
        match line::run(&mut connection, statement).await {
            Ok(()) => self.kept.push(answered),
            Err(error) if Fault::known(&error).is_some() => {
                let fault = given_up(connection, &error).await;
                answered.answer.send(Err(fault)).ok();
                return Err(fault);
            }
            Err(error) => drop(answered.answer.send(Err(Fault::of(&error)))),
        }
        Ok((connection, At::Clear))
    }

    /// The next unit whose author still waits, if the group takes any more.
    fn next(&mut self) -> Option<Work> {
        while self.kept.len() < MAX_GROUP && self.closing.is_none() {
            match self.queue.try_recv().ok()? {
                Ask::Work(work) if work.is_given_up() => {}
                Ask::Work(work) => return Some(work),
                Ask::Close(done) => self.closing = Some(done),
            }
        }
        None
    }
}

/// Closes a connection that is no longer trusted, so that its locks are gone before there is another.
async fn given_up(connection: SqliteConnection, error: &DbErr) -> Fault {
    if let Err(cause) = connection.close().await {
        tracing::warn!(%cause, "a connection to the database did not close cleanly");
    }
    Fault::of(error)
}
