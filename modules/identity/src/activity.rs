//! When sessions and API keys were last used: noted in memory, written now and then, never on the way of a request.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use kernel::{ApiKeyId, Caller, Db, Problem, SessionId, TenantId};

use crate::store;

/// What was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Used {
    Session(SessionId),
    Key(ApiKeyId),
}

/// How exact the times are, in seconds.
pub(crate) const GRAIN: i64 = 60;
/// What waits to be written at most; more is forgotten, which costs a minute of exactness.
const MOST: usize = 100_000;
/// How many are written in one transaction.
const BATCH: usize = 500;

type Pending = HashMap<Used, (TenantId, DateTime<Utc>)>;

/// What waits to be written.
#[derive(Default)]
pub(crate) struct Activity(Mutex<Pending>);

impl Activity {
    pub(crate) fn note(&self, used: Used, tenant: TenantId, at: DateTime<Utc>) {
        let mut pending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if pending.len() < MOST || pending.contains_key(&used) {
            pending.insert(used, (tenant, at));
        }
    }

    /// Writes what waits. What can't be written is dropped: the next use notes it again.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) async fn flush(&self, db: &Db) -> Result<(), Problem> {
        let pending = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let pending: Vec<_> = pending.into_iter().collect();
        for batch in pending.chunks(BATCH) {
            db.write(&Caller::platform("identity"), async |tx| {
                for (used, (tenant, at)) in batch {
                    match used {
                        Used::Session(id) => store::sessions::touch(tx, *tenant, *id, *at).await?,
                        Used::Key(id) => store::api_keys::touch(tx, *tenant, *id, *at).await?,
                    }
                }
                Ok::<_, Problem>(())
            })
            .await?;
        }
        Ok(())
    }
}
