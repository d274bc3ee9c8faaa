//! Checks a whole trail, page by page: every text against its leaf and its columns, every number, and the root of
//! the tree over all leaves against the head.

use kernel::{Caller, Db, Problem};

use crate::commitment::{self, SALT};
use crate::content::Content;
use crate::head::HeadKey;
use crate::merkle::{Hash, Tree};
use crate::model::{FirstBad, Verification};
use crate::store::{self, Row, Standing};

/// Entries that are read at once.
const PAGE: u32 = 256;

/// A check under way.
pub(crate) struct Check {
    standing: Standing,
    unsequenced: i64,
    /// The tree that the head vouches for.
    expected: Tree,
    /// The tree of the entries that are in order.
    grown: Tree,
    first_bad: Option<FirstBad>,
}

impl Check {
    /// Looks at the head of the caller's tenant. What is written later is not part of this check.
    pub(crate) async fn begin(db: &Db, caller: &Caller) -> Result<Self, Problem> {
        let (standing, unsequenced) = db
            .read(caller, async |tx| Ok::<_, Problem>((store::standing(tx).await?, store::count_pending(tx).await?)))
            .await?;
        let key = HeadKey::new(db.keys());
        let opened = key.open(standing.tenant, standing.head.as_ref(), standing.last);
        let (expected, first_bad) = match opened {
            Ok(tree) => (tree, None),
            Err(fault) => (Tree::default(), Some(bad(None, fault.reason()))),
        };
        Ok(Self { standing, unsequenced, expected, grown: Tree::default(), first_bad })
    }

    /// The number of entries to be checked.
    pub(crate) const fn size(&self) -> u64 {
        self.expected.size()
    }

    /// How many of them are done, and in order.
    pub(crate) const fn done(&self) -> u64 {
        self.grown.size()
    }

    /// Checks the next entries; `false` when there is nothing left to check.
    ///
    /// # Errors
    /// The database is away, or the caller's deadline passes. What is wrong with the trail is no error but the
    /// finding.
    pub(crate) async fn page(&mut self, db: &Db, caller: &Caller) -> Result<bool, Problem> {
        let left = self.size() - self.done();
        if left == 0 || self.first_bad.is_some() {
            return Ok(false);
        }
        let first = i64::try_from(self.done()).map_err(Problem::internal)?;
        let rows = db.read(caller, async |tx| store::from_sequence(tx, first, PAGE).await).await?;
        if rows.is_empty() {
            self.first_bad = Some(bad(Some(self.done()), MISSING));
        }
        for row in rows.iter().take(usize::try_from(left).unwrap_or(usize::MAX)) {
            match entry(row, self.done()) {
                Ok(leaf) => self.grown.push(leaf),
                Err(reason) => {
                    self.first_bad = Some(bad(Some(self.done()), reason));
                    break;
                }
            }
        }
        Ok(true)
    }

    /// What was found, once all pages are checked.
    pub(crate) fn finding(self, db: &Db) -> Verification {
        let head = self.standing.head.as_ref();
        let root = || self.expected.root().to_vec();
        let first_bad = match self.first_bad {
            None if self.grown.root() != self.expected.root() => Some(bad(None, OTHER_ROOT)),
            found => found,
        };
        Verification {
            ok: first_bad.is_none(),
            size: head.map_or(0, |head| head.size),
            root_hash: hex::encode(head.map_or_else(root, |head| head.root_hash.clone())),
            checked: i64::try_from(self.grown.size()).unwrap_or(i64::MAX),
            first_bad,
            checked_at: db.clock().now(),
            unsequenced: self.unsequenced,
        }
    }
}

fn bad(sequence: Option<u64>, reason: impl Into<String>) -> FirstBad {
    FirstBad { sequence: sequence.and_then(|number| i64::try_from(number).ok()), reason: reason.into() }
}

const OTHER_ROOT: &str = "All entries are well formed, but together they don't make the root of the head: \
     their order was changed, or an entry was rewritten as a whole.";
const MISSING: &str = "There is no entry with this number: it was deleted or renumbered.";
const TWICE: &str = "Two entries have the number before this one.";
const GONE: &str = "The entry's text or salt is missing.";
const CHANGED: &str = "The entry's text, salt or leaf hash was changed: they don't fit one another.";
const FOREIGN: &str = "The entry's text is not one that this version writes.";

/// Checks one row that should have this number, and returns its leaf.
fn entry(row: &Row, number: u64) -> Result<Hash, String> {
    match row.sequence.and_then(|found| u64::try_from(found).ok()) {
        Some(found) if found == number => {}
        Some(found) if found < number => return Err(TWICE.to_owned()),
        _ => return Err(MISSING.to_owned()),
    }
    let (Some(salt), Some(text)) = (&row.salt, &row.canonical) else { return Err(GONE.to_owned()) };
    let salt: &[u8; SALT] = salt.as_slice().try_into().map_err(|_| CHANGED)?;
    let leaf = commitment::leaf(salt, text);
    if row.leaf_hash != leaf {
        return Err(CHANGED.to_owned());
    }
    let content = Content::parse(text).ok_or(FOREIGN)?;
    match disagreement(row, &content) {
        None => Ok(leaf),
        Some(column) => Err(format!("The column {column} does not say what the entry's text says: it was changed.")),
    }
}

/// The first column that says something else than the text.
fn disagreement(row: &Row, content: &Content) -> Option<&'static str> {
    let target = content.target.as_ref();
    let pairs = [
        ("id", row.id == content.id),
        ("tenant_id", row.tenant_id == content.tenant),
        ("occurred_at", row.occurred_at == content.occurred_at),
        ("actor_id", row.actor_id == content.actor.id),
        ("action", row.action == content.action),
        ("target_kind", row.target_kind.as_ref() == target.map(|target| &target.kind)),
        ("target_id", row.target_id.as_ref() == target.map(|target| &target.id)),
        ("outcome", row.outcome == content.outcome.name()),
    ];
    pairs.into_iter().find(|(_, agrees)| !agrees).map(|(column, _)| column)
}
