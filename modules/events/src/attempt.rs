//! One try at one event: the move in the log, the note in the inbox and the effect commit together.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use kernel::{Caller, Db, Kind, Problem, Tx};

use crate::model::{Event, Logged, Parked, Position};
use crate::store;
use crate::subscriber::Subscriber;

/// After this many failures an event counts as dead: shown, and tried once an hour, because its cause may be mended
/// by then. Its key goes on waiting: whoever missed one change must not see the next as if nothing had been before.
pub(crate) const DEAD_FROM: i32 = 10;
const FIRST_WAIT: Duration = Duration::from_secs(1);
const DEAD_WAIT: Duration = Duration::from_hours(1);
/// The longest error that is kept.
const MAX_ERROR: usize = 1000;

/// How a try ended, when not well.
pub(crate) enum Failed {
    /// Another process has moved this subscriber on; look again where it is.
    Overtaken,
    /// The subscriber refused the event, ran out of time, or left its transaction broken.
    Handler(String),
    /// The database is away: nobody's fault, and not counted.
    Away(Problem),
}

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        match problem.kind {
            Kind::Unavailable => Self::Away(problem),
            Kind::Timeout => Self::Handler("It took longer than a unit of work may.".to_owned()),
            _ => Self::Handler(format!("{}: {}", problem.code, problem.detail)),
        }
    }
}

/// Does the next events of the log, which are of one tenant, or puts one behind an earlier one of its key that failed.
/// All of them are done or none.
pub(crate) async fn next(db: &Db, subscriber: &dyn Subscriber, from: Position, run: &[&Logged]) -> Result<(), Failed> {
    let (Some(first), Some(last)) = (run.first(), run.last()) else { return Ok(()) };
    let name = subscriber.name();
    let caller = Caller::system(name, first.event.tenant);
    db.write(&caller, async |tx| {
        move_on(tx, name, from, last.at).await?;
        for logged in run {
            if store::key_is_held(tx, name, &logged.event).await.map_err(Problem::from)? {
                let parked = Parked { logged: (*logged).clone(), attempts: 0 };
                store::park(tx, name, &parked, tx.now(), None).await.map_err(Problem::from)?;
            } else {
                handle(tx, subscriber, &logged.event).await?;
            }
        }
        Ok(())
    })
    .boxed()
    .await
}

/// Sets a failed event aside so that other keys go on.
pub(crate) async fn park(
    db: &Db,
    subscriber: &dyn Subscriber,
    from: Position,
    logged: &Logged,
    error: &str,
) -> Result<(), Failed> {
    let name = subscriber.name();
    let parked = Parked { logged: logged.clone(), attempts: 1 };
    db.write(&Caller::system(name, logged.event.tenant), async |tx| {
        move_on(tx, name, from, logged.at).await?;
        let retry_at = retry_at(tx, parked.attempts);
        Ok(store::park(tx, name, &parked, retry_at, Some(clip(error))).await.map_err(Problem::from)?)
    })
    .boxed()
    .await
}

/// Tries a parked event again; notes the failure if it fails again. Somebody else may be faster, which is fine.
pub(crate) async fn again(db: &Db, subscriber: &dyn Subscriber, parked: &Parked) -> Result<(), Failed> {
    let name = subscriber.name();
    let event = &parked.logged.event;
    let caller = Caller::system(name, event.tenant);
    let attempt = db.write(&caller, async |tx| {
        if !store::unpark(tx, name, parked).await.map_err(Problem::from)? {
            return Err(Failed::Overtaken);
        }
        handle(tx, subscriber, event).await
    });
    let outcome = attempt.boxed().await;
    if let Err(Failed::Handler(error)) = &outcome {
        let caller = Caller::system(name, event.tenant);
        let note = db.write(&caller, async |tx| {
            let retry_at = retry_at(tx, parked.attempts + 1);
            Ok::<_, Problem>(store::postpone(tx, name, parked, retry_at, clip(error)).await?)
        });
        note.boxed().await.map_err(Failed::Away)?;
    }
    outcome
}

async fn move_on(tx: &Tx, name: &str, from: Position, to: Position) -> Result<(), Failed> {
    if store::advance(tx, name, from, to).await.map_err(Problem::from)? { Ok(()) } else { Err(Failed::Overtaken) }
}

/// The note first: whoever finds it there has nothing left to do.
async fn handle(tx: &Tx, subscriber: &dyn Subscriber, event: &Event) -> Result<(), Failed> {
    if !store::mark_done(tx, subscriber.name(), event.id).await.map_err(Problem::from)? {
        return Ok(());
    }
    match AssertUnwindSafe(subscriber.handle(tx, event)).catch_unwind().await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(problem)) => Err(Failed::Handler(format!("{}: {}", problem.code, problem.detail))),
        Err(_) => Err(Failed::Handler("It panicked; the log has more.".to_owned())),
    }
}

/// When to try again after this many failures: doubling waits, of which chance takes up to a half.
fn retry_at(tx: &Tx, attempts: i32) -> DateTime<Utc> {
    let doubled = FIRST_WAIT * 2_u32.saturating_pow(u32::try_from(attempts).unwrap_or(0).min(12));
    let wait = if attempts >= DEAD_FROM { DEAD_WAIT } else { doubled };
    tx.now() + wait.mul_f64(0.5 + tx.random().fraction() / 2.0)
}

fn clip(error: &str) -> &str {
    let end = error.char_indices().nth(MAX_ERROR).map_or(error.len(), |(at, _)| at);
    &error[..end]
}
