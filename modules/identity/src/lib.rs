//! Accounts and how they prove themselves: passwords, sessions, access and refresh tokens, API keys, signing keys.
//!
//! Start at [`Identity::authenticate`] (every request) and [`Identity::sign_in`]. Owns the tables `identity_*`, stands
//! on `kernel`, `audit`, `events`, `jobs` and `tenancy`.
//!
//! Publishes `identity.account_created`, `_updated`, `_deleted`, `identity.password_changed`,
//! `identity.session_created`, `_revoked`, `identity.refresh_reused`, `identity.signin_failed`,
//! `identity.api_key_created`, `_deleted`, `identity.domain_left` and `identity.signing_keys_rotated`; the audit trail uses the same names.
//! Hears `tenancy.member_removed`, `tenancy.tenant_purged` and `tenancy.domain.released`.
//!
//! Deliberately absent: what an account may do, which tenancy knows.

mod access_tokens;
mod accounts;
mod activity;
mod announce;
mod api_keys;
mod authenticate;
mod browser;
mod config;
mod denials;
mod domains;
mod email;
mod epochs;
mod error;
pub mod graphql; // faces, for the composition root only
mod hash_pool;
mod input;
mod invitations;
mod listing;
mod me;
mod model;
mod passwords;
mod permissions;
mod principal;
mod refresh;
pub mod rest;
mod secrets;
mod sessions;
mod setup;
mod sign_in;
mod signing_keys;
mod slowdowns;
mod standing;
mod store;
mod upkeep;
mod vouchers;
mod well_known;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use kernel::{Caller, Db, Problem};
use quick_cache::sync::Cache;
use tenancy::{Tenancy, TenantRef};

use crate::activity::Activity;
use crate::denials::Denials;
use crate::epochs::{Epochs, STALE};
use crate::hash_pool::HashPool;
use crate::principal::Principal;
use crate::secrets::Macs;
use crate::setup::SetupState;
use crate::signing_keys::Rings;
use crate::slowdowns::Slowdowns;

pub use authenticate::Credential;
pub use browser::{SESSION_COOKIE, csrf_safe};
pub use config::IdentityConfig;
pub use error::Error;
pub use hash_pool::PoolFigures;
pub use input::{
    AcceptInvitation, ChangePassword, CompleteSetup, NewApiKey, NewSession, RefreshToken, UpdateAccount, UpdateMe,
};
pub use model::{
    Account, ApiKey, CreatedApiKey, Jwk, Jwks, Me, MeActor, MeTenant, Revoked, ServerMetadata, Session, Setup, SignIn,
    SignedIn, SigningKey, SigningKeyId, SigningKeyKind, SigningKeyState, Transport,
};
pub use permissions::{
    ACCOUNTS_READ, ACCOUNTS_WRITE, API_KEYS_READ, API_KEYS_WRITE, PERMISSIONS, SESSIONS_READ, SESSIONS_WRITE,
    SIGNING_KEYS_READ, SIGNING_KEYS_WRITE,
};
pub use vouchers::Voucher;

/// A setting that can't be used.
#[derive(Clone, Debug, thiserror::Error)]
#[error("identity.{setting} can't be used: {reason}.")]
pub struct ConfigError {
    pub(crate) setting: &'static str,
    pub(crate) reason: String,
}

/// Accounts and all that they prove themselves with. Cheap to clone.
#[derive(Clone)]
pub struct Identity(Arc<Inner>);

pub(crate) struct Inner {
    db: Db,
    tenancy: Tenancy,
    config: IdentityConfig,
    macs: Macs,
    pool: HashPool,
    slowdowns: Slowdowns,
    denials: Denials,
    epochs: Arc<Epochs>,
    principals: Cache<[u8; 32], Arc<Principal>>,
    activity: Activity,
    rings: Rings,
    setup: SetupState,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({:?})", self.0.db.engine())
    }
}

impl Identity {
    /// The accounts in this database. It hears from `tenancy` when somebody's grants change.
    ///
    /// # Errors
    /// A setting that can't be used.
    pub fn new(db: Db, tenancy: Tenancy, config: IdentityConfig) -> Result<Self, ConfigError> {
        let (epochs, rings) = (Arc::<Epochs>::default(), Rings::new(db.keys()));
        db.invalidations().subscribe(STALE, epochs.hook());
        db.invalidations().subscribe(signing_keys::STALE, rings.stale());
        let hook = Arc::clone(&epochs);
        tenancy.on_change(Arc::new(move |tenant| match tenant {
            Some(tenant) => hook.bump(tenant.uuid()),
            None => hook.bump_all(),
        }));
        Ok(Self(Arc::new(Inner {
            macs: Macs::new(db.keys()),
            pool: HashPool::new(&config, db.random().clone())?,
            slowdowns: Slowdowns::new(&config, db.clock().clone()),
            denials: Denials::default(),
            epochs,
            principals: Cache::new(config.auth_cache_entries.max(1)),
            activity: Activity::default(),
            rings,
            setup: SetupState::new(db.random()),
            db,
            tenancy,
            config,
        })))
    }

    /// How busy the hash pool is.
    pub fn hash_pool(&self) -> PoolFigures {
        self.0.pool.figures()
    }

    /// The caller's tenant, if it is in use.
    pub(crate) async fn tenant(&self, caller: &Caller) -> Result<TenantRef, Problem> {
        let tenant = self.0.tenancy.resolve_name(&caller.tenant.to_string()).await?;
        let tenant = tenant.ok_or_else(Problem::not_found)?;
        tenant.require_active()?;
        Ok(tenant)
    }
}
