//! The service: reading the trail, which is on record too, and verifying it.

use std::time::Duration;

use kernel::{Caller, Db, Level, ListParams, ListRequest, Page, Permission, PermissionSpec, Problem, Tasks};
use serde_json::json;

use crate::content::Content;
use crate::entry::{self, Entry};
use crate::error::Error;
use crate::listing::LISTING;
use crate::model::{AuditActor, AuditEntry, AuditId, AuditTarget, Outcome, Verification};
use crate::sequencer::Sequencer;
use crate::store::{self, Row};
use crate::verify::Check;

/// May list, read and verify the trail.
pub const READ: Permission = Permission("audit.read");
/// May take the trail away as a whole.
pub const EXPORT: Permission = Permission("audit.export");

/// What this module guards.
pub const PERMISSIONS: &[PermissionSpec] = &[
    PermissionSpec { permission: READ, level: Level::Admin, description: "Read and verify the audit trail." },
    PermissionSpec { permission: EXPORT, level: Level::Admin, description: "Export the audit trail." },
];

/// The longest trail that is verified while the client waits.
const WHILE_WAITING: u64 = 50_000;
/// Time that is left for writing down the finding.
const RESERVE: Duration = Duration::from_millis(500);

/// The trail. Cheap to clone.
#[derive(Clone)]
pub struct Audit {
    pub(crate) db: Db,
}

impl Audit {
    /// The trail in this database.
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    /// Starts the sequencer, which numbers entries soon after their commit.
    pub fn start(&self, tasks: &Tasks) {
        tasks.spawn(Sequencer::new(self.db.clone()).run(tasks.clone()));
    }

    /// Numbers all entries that have no number yet. The started sequencer does it by itself.
    ///
    /// # Errors
    /// What the database says.
    pub async fn number(&self) -> Result<(), Problem> {
        Sequencer::new(self.db.clone()).drain().await
    }

    /// A page of the tenant's trail, the newest entry first. That it was read is on record.
    ///
    /// # Errors
    /// The caller lacks [`READ`], or asks for what no list takes.
    pub async fn list(&self, caller: &Caller, params: &ListParams) -> Result<(ListRequest, Page<AuditEntry>), Error> {
        caller.require(READ)?;
        let request = ListRequest::new(&LISTING, params, caller, self.db.keys())?;
        let rows = self.db.read(caller, async |tx| store::page(tx, &request).await).await?;
        let page = request.page(rows.into_iter().map(AuditEntry::from).collect())?;

        let details = json!({ "filter": params.filter, "sort": params.sort, "count": page.items.len() });
        self.record(caller, Entry::success("audit.entries_read").details(details)).await?;
        Ok((request, page))
    }

    /// One entry. That it was read is on record.
    ///
    /// # Errors
    /// The caller lacks [`READ`], or there is no such entry in the tenant.
    pub async fn get(&self, caller: &Caller, id: AuditId) -> Result<AuditEntry, Error> {
        caller.require(READ)?;
        let row = self.db.read(caller, async |tx| store::find(tx, id).await).await?;
        let found = row.ok_or_else(Problem::not_found)?;
        self.record(caller, Entry::success("audit.entries_read").target("audit_entry", id)).await?;
        Ok(found.into())
    }

    /// Verifies the tenant's trail while the caller waits. The finding is on record.
    ///
    /// # Errors
    /// The caller lacks [`READ`]; [`Error::TrailTooLong`] when it would take longer than the caller waits.
    pub async fn verify(&self, caller: &Caller) -> Result<Verification, Error> {
        caller.require(READ)?;
        let mut check = Check::begin(&self.db, caller).await?;
        let size = check.size();
        while size <= WHILE_WAITING && caller.time_left() > RESERVE {
            if !check.page(&self.db, caller).await? {
                let found = check.finding(&self.db);
                self.record(caller, verified(&found)).await?;
                return Ok(found);
            }
        }
        Err(Error::TrailTooLong { size })
    }

    pub(crate) async fn record(&self, caller: &Caller, entry: Entry) -> Result<(), Problem> {
        entry::record(&self.db, caller, entry).await
    }
}

/// The entry that tells of a finding.
pub(crate) fn verified(found: &Verification) -> Entry {
    let outcome = if found.ok { Outcome::Success } else { Outcome::Failure };
    let first_bad = found.first_bad.as_ref().map(|bad| json!({ "sequence": bad.sequence, "reason": bad.reason }));
    Entry::new("audit.verified", outcome).details(json!({
        "ok": found.ok,
        "size": found.size,
        "root_hash": found.root_hash,
        "checked": found.checked,
        "first_bad": first_bad,
    }))
}

impl From<Row> for AuditEntry {
    /// What the text says. A text that is no longer readable does not hide the rest of the trail: its entry is shown
    /// by its columns, and `verify` tells of it.
    fn from(row: Row) -> Self {
        let leaf_hash = Some(hex::encode(&row.leaf_hash));
        match row.canonical.as_deref().and_then(Content::parse) {
            Some(content) => Self {
                id: row.id,
                sequence: row.sequence,
                occurred_at: content.occurred_at,
                actor: content.actor,
                action: content.action,
                target: content.target,
                outcome: content.outcome,
                address: content.address,
                request_id: Some(content.request_id),
                details: content.details,
                leaf_hash,
            },
            None => Self {
                id: row.id,
                sequence: row.sequence,
                occurred_at: row.occurred_at,
                actor: AuditActor { kind: "unknown".to_owned(), id: row.actor_id, name: "unreadable".to_owned() },
                action: row.action,
                target: row.target_kind.zip(row.target_id).map(|(kind, id)| AuditTarget { kind, id }),
                outcome: Outcome::named(&row.outcome).unwrap_or(Outcome::Failure),
                address: None,
                request_id: None,
                details: json!({ "unreadable": true }),
                leaf_hash,
            },
        }
    }
}
