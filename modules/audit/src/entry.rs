//! Writing an entry, in the transaction of what it tells of.

use chrono::{DateTime, Utc};
use kernel::{Caller, Db, Problem, Random, TenantId, Tx};
use serde_json::{Value, json};

use crate::commitment;
use crate::content::{Content, FORMAT};
use crate::model::{AuditActor, AuditTarget, Outcome};
use crate::sequencer;
use crate::store::{self, NewRow};

/// The longest name of a target, in characters; a client may have made it up.
const MAX_TARGET: usize = 256;

/// What is to be remembered. Who, when and from where comes from the caller.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// What was done, named by the module that did it: `tenancy.role_created`.
    pub action: &'static str,
    /// What it was done to: kind and id.
    pub target: Option<(&'static str, String)>,
    /// How it went.
    pub outcome: Outcome,
    /// An object with whatever else matters. No secrets; numbers of more than 53 bits as text.
    pub details: Value,
}

impl Entry {
    /// It was done.
    pub fn success(action: &'static str) -> Self {
        Self::new(action, Outcome::Success)
    }

    /// The actor was not allowed to.
    pub fn denied(action: &'static str) -> Self {
        Self::new(action, Outcome::Denied)
    }

    /// It was tried and failed.
    pub fn failure(action: &'static str) -> Self {
        Self::new(action, Outcome::Failure)
    }

    /// With this outcome.
    pub fn new(action: &'static str, outcome: Outcome) -> Self {
        Self { action, target: None, outcome, details: json!({}) }
    }

    /// What it was done to.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "an id is copied, and a text is not needed after this")]
    pub fn target(mut self, kind: &'static str, id: impl ToString) -> Self {
        self.target = Some((kind, id.to_string()));
        self
    }

    /// What else matters: an object.
    #[must_use]
    pub fn details(mut self, details: Value) -> Self {
        self.details = details;
        self
    }

    /// The row of an entry that is written now.
    fn row(
        self,
        tenant: TenantId,
        caller: &Caller,
        (now, random): (DateTime<Utc>, &Random),
    ) -> Result<NewRow, Problem> {
        let mut content = self.content(tenant, caller, (now, random));
        let text = content.text()?;
        let salt = random.bytes();
        let leaf = commitment::leaf(&salt, &text);
        Ok(NewRow::new(&content, text, &salt, &leaf))
    }

    fn content(self, tenant: TenantId, caller: &Caller, (now, random): (DateTime<Utc>, &Random)) -> Content {
        // PostgreSQL takes no NUL in a text.
        let clean = |id: String| id.chars().filter(|char| *char != '\0').take(MAX_TARGET).collect();
        Content {
            format: FORMAT,
            tenant,
            id: random.id(now),
            occurred_at: now,
            actor: AuditActor {
                kind: caller.actor.kind().to_owned(),
                id: caller.actor.id(),
                name: caller.actor.name().to_owned(),
            },
            action: self.action.to_owned(),
            target: self.target.map(|(kind, id)| AuditTarget { kind: kind.to_owned(), id: clean(id) }),
            outcome: self.outcome,
            address: caller.request.address.map(|address| address.to_string()),
            request_id: caller.request.id.as_ref().to_owned(),
            details: self.details,
        }
    }
}

/// Writes an entry into the trail of the transaction's tenant: it is kept if and only if the transaction is.
///
/// One insert that waits for nobody; the entry gets its number after the commit.
///
/// # Errors
/// What the database says.
pub async fn append(tx: &Tx, caller: &Caller, entry: Entry) -> Result<(), Problem> {
    let row = entry.row(tx.tenant(), caller, (tx.now(), tx.random()))?;
    store::insert(tx, row).await?;
    tx.ring_on_commit(sequencer::BELL);
    Ok(())
}

/// Writes an entry on its own: for what was read, or for an attempt that was denied or failed, whose own transaction left
/// nothing. It is on disk when this returns.
///
/// # Errors
/// What the database says; 504 when the caller's deadline has passed.
pub async fn record(db: &Db, caller: &Caller, entry: Entry) -> Result<(), Problem> {
    let row = entry.row(caller.tenant, caller, (db.clock().now(), db.random()))?;
    store::insert_alone(db, caller, &row, sequencer::BELL).await
}
