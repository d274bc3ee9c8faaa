//! The trail as a stream of lines, each with all that is needed to verify it elsewhere.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use futures_util::Stream;
use futures_util::stream;
use kernel::{Caller, Db, ListParams, ListRequest, Problem, TenantId};
use serde::Serialize;
use serde_json::json;

use crate::audit::{Audit, EXPORT};
use crate::entry::Entry;
use crate::error::Error;
use crate::listing::LISTING;
use crate::merkle::Tree;
use crate::store::{self, Row};

/// Entries that are read at once.
const PAGE: i64 = 200;
/// How long one page may take; the export as a whole takes as long as the client reads.
const PAGE_TIME: Duration = Duration::from_secs(30);

/// An export under way: it reads a page when the client has taken the last one, and stops when it is dropped.
pub struct Export {
    db: Db,
    caller: Caller,
    request: ListRequest,
    lines: VecDeque<String>,
    next: i64,
    head: ExportedHead,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Entries,
    Head,
    Done,
}

/// A line for an entry. The leaf is `SHA-256(0x00 || HMAC-SHA256(salt, entry))` over the text in `entry`.
#[derive(Serialize)]
struct ExportedEntry<'a> {
    sequence: Option<i64>,
    entry: Option<&'a str>,
    salt: Option<String>,
    leaf_hash: String,
}

/// The head as it was when the export began; the last line.
#[derive(Clone, Serialize)]
struct ExportedHead {
    tenant: TenantId,
    size: i64,
    root_hash: String,
}

impl Audit {
    /// Exports the tenant's numbered entries that the filter lets through, in their order, and at the end the head.
    /// The leaves of an export without a filter make the head's root. That it was exported is on record.
    ///
    /// # Errors
    /// The caller lacks [`EXPORT`], or the filter is none.
    pub async fn export(&self, caller: &Caller, filter: Option<String>) -> Result<Export, Error> {
        caller.require(EXPORT)?;
        let details = json!({ "filter": filter });
        let params = ListParams { limit: Some(PAGE), filter, ..ListParams::default() };
        let request = ListRequest::new(&LISTING, &params, caller, self.db.keys())?;
        let standing = self.db.read(caller, async |tx| store::standing(tx).await).await?;
        self.record(caller, Entry::success("audit.entries_exported").details(details)).await?;

        let root = || hex::encode(Tree::default().root());
        let head = ExportedHead {
            tenant: caller.tenant,
            size: standing.head.as_ref().map_or(0, |head| head.size),
            root_hash: standing.head.as_ref().map_or_else(root, |head| hex::encode(&head.root_hash)),
        };
        let db = self.db.clone();
        let caller = caller.clone();
        Ok(Export { db, caller, request, lines: VecDeque::new(), next: 0, head, state: State::Entries })
    }
}

impl Export {
    /// The lines, each with its line feed. An error ends the stream before its last line, so that nobody takes a
    /// part for the whole.
    pub fn into_stream(self) -> impl Stream<Item = Result<String, Problem>> + Send + 'static {
        stream::try_unfold(self, async |mut export: Self| {
            let line = export.line().await?;
            Ok(line.map(|line| (line, export)))
        })
    }

    async fn line(&mut self) -> Result<Option<String>, Problem> {
        if self.lines.is_empty() && self.state == State::Entries {
            self.read().await?;
        }
        if let Some(line) = self.lines.pop_front() {
            return Ok(Some(line));
        }
        if self.state == State::Head {
            self.state = State::Done;
            return line(&json!({ "head": self.head })).map(Some);
        }
        Ok(None)
    }

    async fn read(&mut self) -> Result<(), Problem> {
        self.caller.request.deadline = Instant::now() + PAGE_TIME;
        let (request, next, end) = (&self.request, self.next, self.head.size);
        let rows = self.db.read(&self.caller, async |tx| store::numbered(tx, request, next, end).await).await?;
        match rows.last().and_then(|row| row.sequence) {
            Some(last) => self.next = last + 1,
            None => self.state = State::Head,
        }
        self.lines = rows.iter().map(exported).collect::<Result<_, _>>()?;
        Ok(())
    }
}

fn exported(row: &Row) -> Result<String, Problem> {
    line(&ExportedEntry {
        sequence: row.sequence,
        entry: row.canonical.as_deref(),
        salt: row.salt.as_ref().map(hex::encode),
        leaf_hash: hex::encode(&row.leaf_hash),
    })
}

fn line(value: &impl Serialize) -> Result<String, Problem> {
    let mut text = serde_json::to_string(value).map_err(Problem::internal)?;
    text.push('\n');
    Ok(text)
}
