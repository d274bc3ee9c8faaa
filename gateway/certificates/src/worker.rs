//! One name under a lease: decide, do, save, and again until there is nothing to do now.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    decide::{self, Action},
    manager::Shared,
    name::Name,
    perform::{Did, Perform},
    progress::Step,
    store::{Lease, Record, Save, StoreError},
    transition,
};

/// Steps in one go; more means that something turns in circles, and the poll goes on with it.
const STEPS: usize = 24;

/// Why a name was left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// Saved, and due later.
    Settled,
    /// Saved in the middle of an order, to be gone on with at this moment.
    UnderWay(DateTime<Utc>),
    /// Another replica holds it, or took it.
    NotOurs,
    /// No issuer takes an order before this moment: nothing was saved.
    Blocked(DateTime<Utc>),
    /// The store can't be used.
    StoreDown,
}

/// Works on a name until it is due later.
pub(crate) async fn work(shared: &Shared, name: &Name) -> Left {
    match try_work(shared, name).await {
        Ok(left) => left,
        Err(StoreError::Stale) => Left::NotOurs,
        Err(StoreError::Unavailable(cause)) => {
            tracing::warn!(name = name.as_str(), cause, "the certificate store can't be used; what is held is served");
            Left::StoreDown
        }
    }
}

async fn try_work(shared: &Shared, name: &Name) -> Result<Left, StoreError> {
    let now = shared.clock.now();
    let lease = shared.store.lease(name.as_str(), &shared.holder, now, shared.settings.lease).await?;
    let Some(lease) = lease else { return Ok(Left::NotOurs) };
    // Read under the lease: what was read before may be old.
    let Some(mut record) = shared.store.record(name).await? else {
        shared.store.release(&lease).await?;
        return Ok(Left::Settled);
    };
    for _ in 0..STEPS {
        let now = shared.clock.now();
        let action = decide::next(&record, now);
        let due = record.due <= now || !record.wanted;
        if action == Action::Wait || !due {
            shared.store.release(&lease).await?;
            return Ok(left(&record));
        }
        match (Perform { shared, record: &record }).act(action).await? {
            Did::Blocked(until) => {
                shared.store.release(&lease).await?;
                return Ok(Left::Blocked(until));
            }
            did => {
                if save(shared, &lease, &mut record, did).await? == After::Ended {
                    return Ok(left(&record));
                }
            }
        }
    }
    shared.store.release(&lease).await?;
    Ok(Left::Settled)
}

fn left(record: &Record) -> Left {
    if record.wanted && record.progress.step != Step::Waiting { Left::UnderWay(record.due) } else { Left::Settled }
}

/// Whether there is more to do now.
#[derive(PartialEq, Eq)]
enum After {
    GoesOn,
    /// No; the lease ended with the last write.
    Ended,
}

async fn save(shared: &Shared, lease: &Lease, record: &mut Record, did: Did) -> Result<After, StoreError> {
    let now = shared.clock.now();
    let length = TimeDelta::from_std(shared.settings.lease).unwrap_or(TimeDelta::minutes(1));
    let (next, certificate, forget) = match did {
        Did::Next(next) => (*next, None, false),
        Did::Issued(next, sealed) => (*next, Some(sealed), false),
        Did::Forgotten | Did::Blocked(_) => {
            let (progress, due) = (record.progress.clone(), record.due);
            (transition::Next { progress, due, entries: Vec::new(), answers: Some(Vec::new()) }, None, true)
        }
    };
    for entry in &next.entries {
        crate::manager::count(entry);
    }
    record.progress = next.progress;
    record.due = next.due;
    record.lane = transition::lane(&record.progress);
    let issued = certificate.is_some();
    let ended = forget || record.due > now || decide::next(record, now) == Action::Wait;
    let save = Save {
        progress: record.progress.clone(),
        due: record.due,
        lane: record.lane,
        lease_until: if ended { now } else { now + length },
        entries: next.entries,
        answers: next.answers,
        certificate,
        forget,
    };
    shared.store.save(lease, save).await?;
    if issued || forget {
        shared.changed.notify_waiters();
    }
    Ok(if ended { After::Ended } else { After::GoesOn })
}
