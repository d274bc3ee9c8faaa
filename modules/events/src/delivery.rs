//! One subscriber's loop: read on from its place, do what it wants to hear, and try again what failed.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use kernel::{Caller, Db, Problem, Tasks, Tx};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::attempt::{self, Failed};
use crate::model::{Logged, Position};
use crate::store;
use crate::subscriber::Subscriber;

/// How many events are read at once.
const BATCH: usize = 100;
/// How many events of one tenant are done in one unit of work: a commit each would make a tenant's burst last, and
/// whoever comes after it wait. More would keep other writers waiting.
const RUN: usize = 16;
/// How many parked events are tried at once.
const RETRIES: i64 = 20;
/// The longest wait without a wake-up.
const POLL: Duration = Duration::from_secs(1);
/// The first wait. An event may be heard of before the last transaction that could come in front of it has ended,
/// so it pays to look again soon.
const FIRST_LOOK: Duration = Duration::from_millis(10);
/// How long events gather after the bell, so that one look finds many.
const GATHER: Duration = Duration::from_millis(5);
/// How often a place is written that moved past unwanted events only.
const SAVE: Duration = Duration::from_secs(1);

/// What a turn brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Something; there may be more.
    Busy,
    /// Nothing.
    Idle,
}

/// One subscriber's loop.
pub(crate) struct Delivery {
    db: Db,
    subscriber: Arc<dyn Subscriber>,
    place: Option<Place>,
}

/// Where the subscriber is.
#[derive(Clone, Copy)]
struct Place {
    /// As the database has it.
    saved: Position,
    /// Including unwanted events after that.
    seen: Position,
    saved_at: Instant,
}

impl Place {
    fn at(position: Position) -> Self {
        Self { saved: position, seen: position, saved_at: Instant::now() }
    }
}

impl Delivery {
    pub(crate) fn new(db: Db, subscriber: Arc<dyn Subscriber>) -> Self {
        Self { db, subscriber, place: None }
    }

    /// Runs until the process stops.
    pub(crate) async fn run(mut self, tasks: &Tasks, bell: &Notify) {
        let mut idle = 0_u32;
        while !tasks.is_stopping() {
            match self.turn(tasks).await {
                Ok(Turn::Busy) => {
                    idle = 0;
                    continue;
                }
                Ok(Turn::Idle) => idle = idle.saturating_add(1),
                Err(problem) => {
                    tracing::warn!(subscriber = self.subscriber.name(), ?problem, "events wait for the database");
                    self.place = None;
                    idle = u32::MAX;
                }
            }
            tokio::select! {
                () = tasks.stopping() => break,
                () = bell.notified() => {
                    idle = 0;
                    tasks.pause(GATHER).await;
                }
                () = tokio::time::sleep(self.wait(idle)) => {}
            }
        }
        if let Err(problem) = self.save().await {
            tracing::debug!(subscriber = self.subscriber.name(), ?problem, "the place in the log was not saved");
        }
    }

    /// One look at the log.
    ///
    /// # Errors
    /// The database is away.
    pub(crate) async fn turn(&mut self, tasks: &Tasks) -> Result<Turn, Problem> {
        let place = match self.place {
            Some(place) => place,
            None => *self.place.insert(Place::at(self.position().await?)),
        };
        let name = self.subscriber.name();
        let caller = Caller::platform("events");
        let read = async |tx: &Tx| {
            let due = store::due(tx, name, RETRIES).await?;
            Ok::<_, Problem>((due, store::settled(tx, place.seen, BATCH).await?))
        };
        let (due, batch) = self.db.read(&caller, read).boxed().await?;
        // Unwanted events alone are no reason to look again at once, unless there were as many as are read.
        let wanted = batch.iter().any(|logged| self.wants(logged)) || batch.len() >= BATCH;
        let mut turn = if wanted || !due.is_empty() { Turn::Busy } else { Turn::Idle };
        for parked in due {
            match attempt::again(&self.db, &*self.subscriber, &parked).await {
                Ok(()) | Err(Failed::Overtaken) => {}
                Err(Failed::Handler(error)) => self.complain(&parked.logged, &error, parked.attempts + 1),
                Err(Failed::Away(problem)) => return Err(problem),
            }
        }
        let mut rest = &batch[..];
        while !rest.is_empty() && !tasks.is_stopping() {
            let (run, after) = self.run_of(rest);
            if !self.deliver_run(&run).await? {
                turn = Turn::Idle; // another process is at it; leave it to that one for a moment
                break;
            }
            if let (Some(place), Some(unwanted)) = (&mut self.place, rest[..rest.len() - after.len()].last()) {
                place.seen = unwanted.at;
            }
            rest = after;
        }
        if self.place.is_some_and(|place| place.saved_at.elapsed() >= SAVE) {
            self.save().await?;
        }
        Ok(turn)
    }

    /// The next wanted events as far as they are of one tenant, and what comes after them and the unwanted ones between.
    fn run_of<'a>(&self, batch: &'a [Logged]) -> (Vec<&'a Logged>, &'a [Logged]) {
        let mut run: Vec<&Logged> = Vec::new();
        for (number, logged) in batch.iter().enumerate().filter(|(_, logged)| self.wants(logged)) {
            if run.len() >= RUN || run.first().is_some_and(|first| first.event.tenant != logged.event.tenant) {
                return (run, &batch[number..]);
            }
            run.push(logged);
        }
        (run, &[])
    }

    /// Deals with wanted events together, or one by one if that fails; `false` when another process did so first.
    async fn deliver_run(&mut self, run: &[&Logged]) -> Result<bool, Problem> {
        let Some(Place { saved: from, .. }) = self.place else { return Ok(false) };
        if let [_, .., last] = run {
            match attempt::next(&self.db, &*self.subscriber, from, run).await {
                Ok(()) => {
                    self.place = Some(Place::at(last.at));
                    return Ok(true);
                }
                Err(Failed::Handler(_)) => {} // one of them; the others are not to suffer
                Err(Failed::Overtaken) => {
                    self.place = None;
                    return Ok(false);
                }
                Err(Failed::Away(problem)) => return Err(problem),
            }
        }
        for logged in run {
            if !self.deliver(logged).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Deals with one wanted event; `false` when another process did so first.
    async fn deliver(&mut self, logged: &Logged) -> Result<bool, Problem> {
        let Some(Place { saved: from, .. }) = self.place else { return Ok(false) };
        let mut outcome = attempt::next(&self.db, &*self.subscriber, from, &[logged]).await;
        if let Err(Failed::Handler(error)) = &outcome {
            self.complain(logged, error, 1);
            outcome = attempt::park(&self.db, &*self.subscriber, from, logged, error).await;
        }
        match outcome {
            Ok(()) => {
                self.place = Some(Place::at(logged.at));
                Ok(true)
            }
            Err(Failed::Overtaken) => {
                self.place = None;
                Ok(false)
            }
            Err(Failed::Handler(error)) => Err(Problem::internal(error)),
            Err(Failed::Away(problem)) => Err(problem),
        }
    }

    fn wants(&self, logged: &Logged) -> bool {
        let kinds = self.subscriber.kinds();
        kinds.is_empty() || kinds.contains(&logged.event.kind.as_str())
    }

    async fn position(&self) -> Result<Position, Problem> {
        let name = self.subscriber.name();
        let caller = Caller::platform("events");
        let find = async |tx: &Tx| Ok::<_, Problem>(store::position(tx, name).await?);
        if let Some(position) = self.db.read(&caller, find).boxed().await? {
            return Ok(position);
        }
        let register = async |tx: &Tx| Ok::<_, Problem>(store::register(tx, name).await?);
        self.db.write(&caller, register).boxed().await?;
        Ok(Position::BEGINNING)
    }

    /// Writes the place if it moved past unwanted events. Another process may have come further, which is as good.
    async fn save(&mut self) -> Result<(), Problem> {
        let Some(Place { saved, seen, .. }) = self.place else { return Ok(()) };
        if saved != seen {
            let name = self.subscriber.name();
            let caller = Caller::platform("events");
            let advance = async |tx: &Tx| Ok::<_, Problem>(store::advance(tx, name, saved, seen).await?);
            let moved = self.db.write(&caller, advance).boxed().await?;
            self.place = moved.then(|| Place::at(seen));
        }
        Ok(())
    }

    fn complain(&self, logged: &Logged, error: &str, attempts: i32) {
        let (subscriber, kind) = (self.subscriber.name(), logged.event.kind.as_str());
        metrics::counter!("holdfast_events_failed_total", "subscriber" => subscriber).increment(1);
        tracing::warn!(subscriber, kind, event = %logged.event.id, attempts, error, "an event failed");
    }

    /// Doubling from [`FIRST_LOOK`] to [`POLL`], of which chance takes up to a half.
    fn wait(&self, idle: u32) -> Duration {
        let doubled = FIRST_LOOK * 2_u32.saturating_pow(idle.min(10));
        doubled.min(POLL).mul_f64(0.5 + self.db.random().fraction() / 2.0)
    }
}
