//! Who asks: the way of every request, so it goes without a query as long as nothing changed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{AccountId, Caller, Kind, PermissionSet, Problem, RequestContext, TenantId, Tx};
use tenancy::TenantRef;

use crate::Identity;
use crate::error::Error;
use crate::principal::{By, Principal, Proof, Trust};
use crate::secrets;
use crate::standing::{Held, Seen};
use crate::store;

/// What came with a request to prove who asks.
#[derive(Clone, Copy)]
pub enum Credential<'a> {
    /// From the `Authorization` field, without `Bearer `: an access token or an API key.
    Bearer(&'a str),
    /// The value of the session cookie.
    Cookie(&'a str),
}

/// The longest credential that is looked at.
const MAX_LENGTH: usize = 4096;

/// What the database knows about a credential.
pub(crate) struct Found {
    by: By,
    account: AccountId,
    name: Arc<str>,
    pub(crate) permissions: PermissionSet,
    /// The names of the account's roles; none for a key that may only do some of what they allow.
    pub(crate) roles: Arc<[String]>,
    pub(crate) until: DateTime<Utc>,
    last_used: Option<DateTime<Utc>>,
}

impl Identity {
    /// The caller behind a credential shown to this tenant. Ended sessions, deleted keys, disabled accounts, changed
    /// roles and suspended tenants count from the next request on in this process; in others after the configured
    /// time (`auth_cache_ttl`).
    ///
    /// A cookie that does not hold (any more) makes nobody in particular: browsers send it by themselves, with the next
    /// sign-in, too.
    ///
    /// # Errors
    /// 401 `identity.token_invalid` for a bearer token that does not hold here, 403 for a tenant that is not in use,
    /// 503 when the database is away.
    pub async fn authenticate(
        &self,
        tenant: &TenantRef,
        credential: Credential<'_>,
        request: RequestContext,
    ) -> Result<Caller, Problem> {
        tenant.require_active()?;
        match credential {
            Credential::Bearer(_) => self.identify(tenant, credential, request).await,
            Credential::Cookie(_) => match self.identify(tenant, credential, request.clone()).await {
                Err(problem) if problem.kind == Kind::Unauthenticated => Ok(Caller::anonymous(tenant.id, request)),
                outcome => outcome,
            },
        }
    }

    async fn identify(
        &self,
        tenant: &TenantRef,
        credential: Credential<'_>,
        request: RequestContext,
    ) -> Result<Caller, Problem> {
        let (kind, text) = match credential {
            Credential::Bearer(text) => ("bearer", text),
            Credential::Cookie(text) => ("cookie", text),
        };
        if text.len() > MAX_LENGTH {
            return Err(Error::TokenInvalid.into());
        }
        let name = self.0.macs.cache(tenant.id, kind, text);
        let now = self.0.db.clock().now();
        let known = self.0.principals.get(&name);
        let trust = known.as_ref().map(|known| known.trust(&self.0.epochs, now, self.0.config.auth_cache_ttl));
        match (known, trust) {
            (Some(known), Some(Trust::Fresh)) => Ok(self.pass(&known, now, request)),
            (Some(known), Some(Trust::Renew)) => match self.reload(&known, name, &request).await {
                Err(problem) if problem.kind != Kind::Unauthenticated => {
                    known.renewing.store(false, Ordering::Release);
                    Ok(self.pass(&known, now, request))
                }
                renewed => {
                    let renewed = renewed?;
                    Ok(self.pass(&renewed, now, request))
                }
            },
            (Some(known), _) => {
                let loaded = self.reload(&known, name, &request).await?;
                Ok(self.pass(&loaded, now, request))
            }
            (None, _) => {
                let proof = self.prove(tenant, credential).await?;
                let loaded = self.load(proof, (tenant.id, 0), name, &request).await?;
                Ok(self.pass(&loaded, now, request))
            }
        }
    }

    fn pass(&self, principal: &Principal, now: DateTime<Utc>, request: RequestContext) -> Caller {
        principal.note(&self.0.activity, now);
        principal.caller(request)
    }

    /// What a credential proves by itself: a signature, or the form of a key.
    async fn prove(&self, tenant: &TenantRef, credential: Credential<'_>) -> Result<Proof, Problem> {
        match credential {
            Credential::Cookie(value) if secrets::looks_opaque(value) => Ok(Proof::Cookie(self.0.macs.cookie(value))),
            Credential::Bearer(text) if secrets::api_key_prefix(text).is_some() => {
                Ok(Proof::Key(self.0.macs.api_key(text)))
            }
            Credential::Bearer(text) if text.contains('.') => self.verify_access_token(tenant, text).await,
            Credential::Bearer(_) | Credential::Cookie(_) => Err(Error::TokenInvalid.into()),
        }
    }

    async fn reload(
        &self,
        known: &Principal,
        name: [u8; 32],
        request: &RequestContext,
    ) -> Result<Arc<Principal>, Problem> {
        self.load(known.proof, (known.tenant, known.noted.load(Ordering::Relaxed)), name, request).await
    }

    /// Asks the database, and remembers the answer under `name` or forgets what was remembered. `noted` is when its
    /// use was noted last.
    async fn load(
        &self,
        proof: Proof,
        (tenant, noted): (TenantId, i64),
        name: [u8; 32],
        request: &RequestContext,
    ) -> Result<Arc<Principal>, Problem> {
        // Before the reading: what changes meanwhile makes this stale.
        let (stamp, loaded) = (self.0.epochs.stamp(), Instant::now());
        let caller = Caller::anonymous(tenant, request.clone());
        let found = self.0.db.read(&caller, async |tx| self.find(tx, proof).await).await?;
        let Some(found) = found else {
            self.0.principals.remove(&name);
            return Err(Error::TokenInvalid.into());
        };
        let last_used = found.last_used.map_or(0, |at| at.timestamp());
        let (permissions, roles) = (found.permissions.clone(), found.roles);
        let seen = Seen { permissions, roles, until: found.until, stamp, at: loaded };
        let principal = Arc::new(Principal {
            proof,
            tenant,
            account: found.account,
            by: found.by,
            name: found.name,
            permissions: found.permissions,
            until: found.until,
            stamp,
            loaded,
            renewing: AtomicBool::new(false),
            held: Arc::new(Held::new(self, (tenant, found.account), proof, seen)),
            noted: AtomicI64::new(last_used.max(noted)),
        });
        self.0.principals.insert(name, Arc::clone(&principal));
        Ok(principal)
    }

    pub(crate) async fn find(&self, tx: &Tx, proof: Proof) -> Result<Option<Found>, Problem> {
        let found = match proof {
            Proof::Token { session, account, until } => {
                let holder = store::sessions::holder(tx, session).await?;
                let holder = holder.filter(|holder| holder.account_id == account);
                holder.and_then(|holder| self.by_session(tx, holder, Some(until)))
            }
            Proof::Cookie(hash) => {
                let holder = store::sessions::holder_by_cookie(tx, hash).await?;
                holder.and_then(|holder| self.by_session(tx, holder, None))
            }
            Proof::Key(hash) => return self.by_key(tx, hash).await,
        };
        let Some(mut found) = found else { return Ok(None) };
        let grants = self.0.tenancy.grants_of(tx, found.account).await?;
        found.permissions = grants.permissions;
        found.roles = grants.roles.into();
        Ok((!found.roles.is_empty()).then_some(found))
    }

    /// The holder of a session that has not ended, as yet without permissions.
    fn by_session(&self, tx: &Tx, holder: store::sessions::Holder, until: Option<DateTime<Utc>>) -> Option<Found> {
        let idle = TimeDelta::from_std(self.0.config.session_idle).unwrap_or(TimeDelta::MAX);
        let idle_until = holder.last_seen_at.checked_add_signed(idle).unwrap_or(DateTime::<Utc>::MAX_UTC);
        let until = until.unwrap_or(holder.expires_at).min(holder.expires_at).min(idle_until);
        (!holder.disabled && tx.now() < until).then(|| Found {
            by: By::Session(holder.id),
            account: holder.account_id,
            name: holder.email_shown.into(),
            permissions: PermissionSet::default(),
            roles: Arc::default(),
            until,
            last_used: Some(holder.last_seen_at),
        })
    }

    /// A key may what its maker may at this time, within its scopes.
    async fn by_key(&self, tx: &Tx, hash: [u8; 32]) -> Result<Option<Found>, Problem> {
        let Some(holder) = store::api_keys::holder(tx, hash).await? else { return Ok(None) };
        let until = holder.expires_at.unwrap_or(DateTime::<Utc>::MAX_UTC);
        if holder.disabled || tx.now() >= until {
            return Ok(None);
        }
        let grants = self.0.tenancy.grants_of(tx, holder.account_id).await?;
        if grants.roles.is_empty() {
            return Ok(None);
        }
        let (permissions, roles) = match holder.scopes {
            Some(scopes) => (PermissionSet::of(scopes).intersection(&grants.permissions), Arc::default()),
            None => (grants.permissions, grants.roles.into()),
        };
        Ok(Some(Found {
            by: By::Key(holder.id),
            account: holder.account_id,
            name: holder.name.into(),
            permissions,
            roles,
            until,
            last_used: holder.last_used_at,
        }))
    }
}
