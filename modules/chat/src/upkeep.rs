//! What comes round: logs of answers go some time after their end; a tenant's and a member's rows go with them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use events::{Event, Subscriber};
use jobs::{Handler, Run};
use kernel::{AccountId, Caller, Problem, Tx};

use crate::Chat;
use crate::store;

/// Removes the logs of answers whose streams can no longer be resumed.
struct Prune(Chat);

#[async_trait]
impl Handler for Prune {
    fn kind(&self) -> &'static str {
        "chat.prune"
    }

    fn every(&self) -> Option<Duration> {
        Some(Duration::from_mins(5))
    }

    async fn run(&self, run: &Run) -> Result<(), Problem> {
        let window = i64::try_from(self.0.config().resume_window).unwrap_or(i64::MAX / 1000);
        let before = self.0.db().clock().now() - TimeDelta::seconds(window);
        let platform = Caller::platform("chat");
        while !run.is_cancelled() {
            let removed: u64 =
                self.0.db().write(&platform, async |tx: &Tx| store::events::prune(tx, before).await).await?;
            if removed == 0 {
                break;
            }
        }
        Ok(())
    }
}

/// Takes leave of tenants and members.
struct Farewell;

#[async_trait]
impl Subscriber for Farewell {
    fn name(&self) -> &'static str {
        "chat.farewell"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["tenancy.tenant_purged", "tenancy.member_removed"]
    }

    async fn handle(&self, tx: &Tx, event: &Event) -> Result<(), Problem> {
        if event.kind == "tenancy.tenant_purged" {
            return store::purge(tx).await;
        }
        match event.data["account_id"].as_str().and_then(|id| id.parse::<AccountId>().ok()) {
            Some(account) => store::forget(tx, account).await,
            None => Ok(()),
        }
    }
}

impl Chat {
    /// The work that comes round, for the queue.
    pub fn handlers(&self) -> Vec<Arc<dyn Handler>> {
        vec![Arc::new(Prune(self.clone()))]
    }

    /// What this module hears.
    pub fn subscribers(&self) -> Vec<Arc<dyn Subscriber>> {
        vec![Arc::new(Farewell)]
    }
}
