//! Who stands behind a credential, as it is remembered between requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use kernel::{AccountId, Actor, ApiKeyId, Caller, PermissionSet, RequestContext, SessionId, Standing, TenantId};

use crate::activity::{Activity, GRAIN, Used};
use crate::epochs::{Epochs, Stamp};
use crate::standing::Held;

/// What a credential proves, so that it can be looked up again without the credential.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Proof {
    /// An access token of this session, until then.
    Token { session: SessionId, account: AccountId, until: DateTime<Utc> },
    /// The cookie with this keyed hash.
    Cookie([u8; 32]),
    /// The API key with this keyed hash.
    Key([u8; 32]),
}

/// Who came by a session or a key.
#[derive(Clone, Copy, Debug)]
pub(crate) enum By {
    Session(SessionId),
    Key(ApiKeyId),
}

/// Somebody who proved who they are.
#[derive(Debug)]
pub(crate) struct Principal {
    pub(crate) proof: Proof,
    pub(crate) tenant: TenantId,
    pub(crate) account: AccountId,
    pub(crate) by: By,
    /// The account's address, or the key's name.
    pub(crate) name: Arc<str>,
    pub(crate) permissions: PermissionSet,
    /// When the credential ends by itself.
    pub(crate) until: DateTime<Utc>,
    /// Taken before this was loaded.
    pub(crate) stamp: Stamp,
    pub(crate) loaded: Instant,
    pub(crate) renewing: AtomicBool,
    /// The same for answers that go on.
    pub(crate) held: Arc<Held>,
    /// When its use was last noted, in seconds.
    pub(crate) noted: AtomicI64,
}

/// How far what is remembered can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Use it.
    Fresh,
    /// Use it, unless it can be renewed: this caller is the one to try.
    Renew,
    /// Look again.
    Stale,
}

impl Principal {
    /// Another process may change what this one remembers without a word, so it ages. One request renews it in time,
    /// while the others go on with it.
    pub(crate) fn trust(&self, epochs: &Epochs, now: DateTime<Utc>, ttl: Duration) -> Trust {
        let age = self.loaded.elapsed();
        let unchanged = epochs.holds(self.stamp, self.tenant.uuid()) && epochs.holds(self.stamp, self.account.uuid());
        if !unchanged || age >= ttl || now >= self.until {
            Trust::Stale
        } else if age >= ttl / 2 && !self.renewing.swap(true, Ordering::AcqRel) {
            Trust::Renew
        } else {
            Trust::Fresh
        }
    }

    /// Notes that it is in use, once in a while.
    pub(crate) fn note(&self, activity: &Activity, now: DateTime<Utc>) {
        let (seconds, noted) = (now.timestamp(), self.noted.load(Ordering::Relaxed));
        let due = seconds - noted >= GRAIN;
        if due && self.noted.compare_exchange(noted, seconds, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            let used = match self.by {
                By::Session(id) => Used::Session(id),
                By::Key(id) => Used::Key(id),
            };
            activity.note(used, self.tenant, now);
        }
    }

    /// The caller of one request.
    pub(crate) fn caller(&self, request: RequestContext) -> Caller {
        let name = Arc::clone(&self.name);
        let actor = match self.by {
            By::Session(session) => Actor::Account { id: self.account, session, name },
            By::Key(id) => Actor::ApiKey { id, account: self.account, name },
        };
        let standing: Arc<dyn Standing> = self.held.clone();
        Caller::new(actor, self.tenant, self.permissions.clone(), request).with_standing(standing)
    }
}
