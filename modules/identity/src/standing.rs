//! Whether a credential still stands, for answers that go on after it was checked: streams and downloads.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use kernel::{AccountId, Caller, PermissionSet, Problem, RequestContext, Standing, TenantId};
use tokio::sync::{Mutex, watch};

use crate::epochs::Stamp;
use crate::error::Error;
use crate::principal::Proof;
use crate::{Identity, Inner};

/// How long one look may take.
const TIME: Duration = Duration::from_secs(5);

/// A credential that was let in. All answers to it share what is known, so that a thousand streams of one key cost one
/// look.
pub(crate) struct Held {
    identity: Weak<Inner>,
    tenant: TenantId,
    account: AccountId,
    proof: Proof,
    seen: Mutex<Seen>,
}

/// What was found by the last look.
pub(crate) struct Seen {
    pub(crate) permissions: PermissionSet,
    pub(crate) roles: Arc<[String]>,
    /// When the credential ends by itself.
    pub(crate) until: DateTime<Utc>,
    /// Taken before the look.
    pub(crate) stamp: Stamp,
    pub(crate) at: Instant,
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Held({})", self.tenant)
    }
}

impl Held {
    /// A credential of this account as it was found.
    pub(crate) fn new(identity: &Identity, (tenant, account): (TenantId, AccountId), proof: Proof, seen: Seen) -> Self {
        let proof = match proof {
            // What was begun with a token goes on for as long as its session; the token's short life bounds beginnings.
            Proof::Token { session, account, .. } => Proof::Token { session, account, until: DateTime::<Utc>::MAX_UTC },
            other => other,
        };
        Self { identity: Arc::downgrade(&identity.0), tenant, account, proof, seen: Mutex::new(seen) }
    }

    /// Something of what is known, after another look if that is too old.
    async fn now<T>(&self, take: impl FnOnce(&Seen) -> T + Send) -> Result<T, Problem> {
        let Some(inner) = self.identity.upgrade() else { return Err(Problem::unauthenticated()) };
        // One looks, and the others wait and take what it found.
        let mut seen = self.seen.lock().await;
        let identity = Identity(inner);
        if !identity.holds(self, &seen) {
            *seen = identity.look(self).await?;
        }
        Ok(take(&seen))
    }
}

#[async_trait]
impl Standing for Held {
    async fn permissions(&self) -> Result<PermissionSet, Problem> {
        self.now(|seen| seen.permissions.clone()).await
    }

    async fn roles(&self) -> Result<Arc<[String]>, Problem> {
        self.now(|seen| Arc::clone(&seen.roles)).await
    }

    fn bell(&self) -> watch::Receiver<u64> {
        match self.identity.upgrade() {
            Some(inner) => inner.epochs.bell(),
            None => watch::Sender::new(0).subscribe(),
        }
    }
}

impl Identity {
    fn holds(&self, held: &Held, seen: &Seen) -> bool {
        let epochs = &self.0.epochs;
        epochs.holds(seen.stamp, held.tenant.uuid())
            && epochs.holds(seen.stamp, held.account.uuid())
            && seen.at.elapsed() < self.0.config.auth_cache_ttl
            && self.0.db.clock().now() < seen.until
    }

    async fn look(&self, held: &Held) -> Result<Seen, Problem> {
        // Before the reading: what changes meanwhile makes this stale.
        let (stamp, at) = (self.0.epochs.stamp(), Instant::now());
        let caller = Caller::anonymous(held.tenant, RequestContext::new("standing", TIME));
        let found = self
            .0
            .db
            .read(&caller, async |tx| {
                self.0.tenancy.require_active(tx).await?;
                self.find(tx, held.proof).await
            })
            .await?;
        let found = found.ok_or_else(|| Problem::from(Error::TokenInvalid))?;
        Ok(Seen { permissions: found.permissions, roles: found.roles, until: found.until, stamp, at })
    }
}
