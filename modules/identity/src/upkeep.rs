//! What runs by itself: writing down activity, clearing what has ended, replacing old keys, and following what
//! happens to members and tenants.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use events::{Event, Subscriber};
use jobs::{Handler, Run};
use kernel::{AccountId, Caller, Problem, Tasks, Tx, prune_idempotency};
use serde_json::json;

use crate::Identity;
use crate::announce::{self, News};
use crate::store;

/// How often activity is written down.
const FLUSH: Duration = Duration::from_secs(5);
/// Rows that one transaction of the clean-up removes of a table.
const BATCH: i64 = 1000;
/// Tenants whose keys one run of the rotation replaces.
const ROTATIONS: i64 = 1000;

impl Identity {
    /// Starts the background loops of this module.
    pub fn start(&self, tasks: &Tasks) {
        let (identity, its_tasks) = (self.clone(), tasks.clone());
        tasks.spawn(async move {
            while its_tasks.pause(FLUSH).await {
                identity.flush().await;
            }
            identity.flush().await;
        });
    }

    async fn flush(&self) {
        if let Err(problem) = self.0.activity.flush(&self.0.db).await {
            tracing::warn!(?problem, "when sessions and keys were last used could not be written down");
        }
    }

    /// The jobs of this module: `identity.cleanup` and `identity.rotate_keys`.
    pub fn handlers(&self) -> Vec<Arc<dyn Handler>> {
        vec![Arc::new(Cleanup(self.clone())), Arc::new(RotateKeys(self.clone()))]
    }

    /// Who hears events for this module.
    pub fn subscribers(&self) -> Vec<Arc<dyn Subscriber>> {
        vec![Arc::new(Farewell(self.clone()))]
    }

    /// Removes what has ended: sessions, refresh tokens, retired keys, stored answers.
    pub(crate) async fn clean_up(&self) -> Result<(), Problem> {
        loop {
            let removed = self
                .0
                .db
                .write(&Caller::platform("identity"), async |tx| {
                    let now = tx.now();
                    let mut removed = store::sessions::clean(tx, now, self.idle_since(now), BATCH).await?;
                    removed += store::refresh::clean(tx, now, BATCH).await?;
                    removed += prune_idempotency(tx, now).await?;
                    Ok::<_, Problem>(removed)
                })
                .await?;
            if removed == 0 {
                break;
            }
        }
        let last = async |tx: &Tx| store::signing_keys::clean(tx, tx.now()).await;
        self.0.db.write(&Caller::platform("identity"), last).await.map(|_| ())
    }

    /// Replaces the signing keys that are older than the configured age.
    pub(crate) async fn rotate_old_keys(&self) -> Result<(), Problem> {
        let age = TimeDelta::from_std(self.0.config.signing_key_age).map_err(Problem::internal)?;
        let old = async |tx: &Tx| {
            let before = tx.now().checked_sub_signed(age).unwrap_or_default();
            store::signing_keys::tenants_with_old(tx, before, ROTATIONS).await
        };
        for tenant in self.0.db.read(&Caller::platform("identity"), old).await? {
            let caller = Caller::system("identity", tenant);
            let rotate = async |tx: &Tx| {
                let before = tx.now().checked_sub_signed(age);
                let active = store::signing_keys::active(tx).await?;
                // Another process may have been faster.
                if active.and_then(|key| key.activated_at) < before {
                    self.rotate(tx, &caller).await?;
                }
                Ok::<_, crate::Error>(())
            };
            self.0.db.write(&caller, rotate).await?;
        }
        Ok(())
    }

    /// Removes an account that is no member any more.
    async fn remove_former_member(&self, tx: &Tx, account: AccountId) -> Result<(), Problem> {
        if !self.0.tenancy.grants_of(tx, account).await?.roles.is_empty() {
            return Ok(());
        }
        if store::accounts::delete(tx, account).await? {
            Self::forget_on_commit(tx, account);
            let news = News {
                action: "identity.account_deleted",
                account: Some(account),
                target: ("account", account.to_string()),
                details: json!({}),
            };
            announce::done(tx, &Caller::system("identity", tx.tenant()), news).await?;
        }
        Ok(())
    }
}

/// Clears what has ended.
struct Cleanup(Identity);

#[async_trait]
impl Handler for Cleanup {
    fn kind(&self) -> &'static str {
        "identity.cleanup"
    }

    fn every(&self) -> Option<Duration> {
        Some(Duration::from_hours(1))
    }

    async fn run(&self, _run: &Run) -> Result<(), Problem> {
        self.0.clean_up().await
    }
}

/// Replaces old signing keys.
struct RotateKeys(Identity);

#[async_trait]
impl Handler for RotateKeys {
    fn kind(&self) -> &'static str {
        "identity.rotate_keys"
    }

    fn every(&self) -> Option<Duration> {
        Some(Duration::from_hours(24))
    }

    async fn run(&self, _run: &Run) -> Result<(), Problem> {
        self.0.rotate_old_keys().await
    }
}

/// Forgets who has left.
struct Farewell(Identity);

#[async_trait]
impl Subscriber for Farewell {
    fn name(&self) -> &'static str {
        "identity.farewell"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["tenancy.member_removed", "tenancy.tenant_purged", "tenancy.domain.released"]
    }

    async fn handle(&self, tx: &Tx, event: &Event) -> Result<(), Problem> {
        if event.kind == "tenancy.tenant_purged" {
            store::accounts::purge(tx).await?;
            return store::signing_keys::purge(tx).await;
        }
        if event.kind == "tenancy.domain.released" {
            return self.0.leave_domain(tx, event).await;
        }
        let account = event.data.get("account_id").and_then(|id| id.as_str());
        match account.map(str::parse::<AccountId>) {
            Some(Ok(account)) => self.0.remove_former_member(tx, account).await,
            _ => Err(Problem::internal("tenancy.member_removed without an account")),
        }
    }
}
