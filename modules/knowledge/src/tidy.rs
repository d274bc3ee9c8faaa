//! What is left of deleted documents, for replicas to learn of, goes when all must have learned.

use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use jobs::{Handler, Run};
use kernel::{Caller, Db, Problem};

use crate::store::changes;

/// A replica that was away for longer builds its indexes anew.
const KEPT: TimeDelta = TimeDelta::days(30);

/// Tidies once a day.
pub(crate) struct Tidy {
    pub(crate) db: Db,
}

#[async_trait]
impl Handler for Tidy {
    fn kind(&self) -> &'static str {
        "knowledge.tidy"
    }

    fn every(&self) -> Option<Duration> {
        Some(Duration::from_secs(24 * 3600))
    }

    async fn run(&self, _run: &Run) -> Result<(), Problem> {
        let caller = Caller::platform("knowledge");
        self.db.write(&caller, async |tx| changes::prune(tx, tx.now() - KEPT).await).await.map(|_| ())
    }
}
