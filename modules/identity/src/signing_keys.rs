//! The keys that sign access tokens: each tenant has its own, and they are replaced without a failed request.
//!
//! A key is published as `next` before it signs, signs as `active`, and stays published as `retired` until the last
//! token that it signed is past its time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use chrono::TimeDelta;
use jsonwebtoken::{DecodingKey, EncodingKey};
use kernel::{Caller, ListParams, ListRequest, Page, Problem, RootKey, Sealer, StaleHook, TenantId, Tx};
use quick_cache::sync::Cache;
use serde_json::json;

use crate::Identity;
use crate::announce::{self, News};
use crate::epochs::{Epochs, Stamp};
use crate::error::Error;
use crate::listing::SIGNING_KEYS;
use crate::model::{SigningKey, SigningKeyId, SigningKeyState};
use crate::permissions::{SIGNING_KEYS_READ, SIGNING_KEYS_WRITE};
use crate::store;
use crate::store::signing_keys::Pair;

const ALGORITHM: &str = "ES256";
/// For how long a process may sign with a key that another process has retired.
const RING_AGE: Duration = Duration::from_mins(1);
/// How long a retired key is accepted beyond the lifetime of its tokens; more than [`RING_AGE`].
const MARGIN: TimeDelta = TimeDelta::minutes(5);
/// The least time between two looks for a key that is not known; forged key names must not cost a query each.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// Tenants whose keys are kept in memory.
const TENANTS: usize = 2048;

/// The keys of one tenant, ready for use.
pub(crate) struct Ring {
    signer: (String, EncodingKey),
    published: Vec<Published>,
    stamp: Stamp,
    loaded: Instant,
}

/// A key that is accepted.
pub(crate) struct Published {
    pub(crate) kid: String,
    pub(crate) public: Vec<u8>,
    key: DecodingKey,
}

impl Ring {
    /// The key that signs, and its name.
    pub(crate) fn signer(&self) -> (&str, &EncodingKey) {
        (&self.signer.0, &self.signer.1)
    }

    /// The key with this name, if it is accepted.
    pub(crate) fn verifier(&self, kid: &str) -> Option<&DecodingKey> {
        self.published.iter().find(|key| key.kid == kid).map(|key| &key.key)
    }

    /// All keys that are accepted.
    pub(crate) fn published(&self) -> &[Published] {
        &self.published
    }
}

/// What goes stale when a tenant's keys change, by its id.
pub(crate) const STALE: &str = "identity.signing_keys";

/// The rings of the tenants that were asked for lately.
pub(crate) struct Rings {
    kept: Cache<TenantId, Arc<Ring>>,
    epochs: Arc<Epochs>,
    sealer: Sealer,
}

impl Rings {
    pub(crate) fn new(keys: &RootKey) -> Self {
        Self { kept: Cache::new(TENANTS), epochs: Arc::default(), sealer: keys.sealer("identity signing key") }
    }

    /// Forgets the rings that went stale.
    pub(crate) fn stale(&self) -> StaleHook {
        self.epochs.hook()
    }

    /// What a sealed key is bound to.
    fn binding(tenant: TenantId, key: SigningKeyId) -> [u8; 32] {
        let mut binding = [0; 32];
        binding[..16].copy_from_slice(tenant.uuid().as_bytes());
        binding[16..].copy_from_slice(key.uuid().as_bytes());
        binding
    }

    fn make(&self, tx: &Tx, state: SigningKeyState) -> Result<Pair, Problem> {
        let private = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        let private = private.map_err(Problem::internal)?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, private.as_ref());
        let public = pair.map_err(Problem::internal)?.public_key().as_ref().to_vec();
        let (id, now) = (tx.new_id(), tx.now());
        let sealed_private = self.sealer.seal(tx.random(), &Self::binding(tx.tenant(), id), private.as_ref());
        let activated_at = (state == SigningKeyState::Active).then_some(now);
        let algorithm = ALGORITHM.to_owned();
        let key = SigningKey { id, algorithm, state, created_at: now, activated_at, retires_at: None };
        Ok(Pair { key, public, sealed_private })
    }

    /// `None` while the tenant has no key that signs.
    fn ring(&self, tenant: TenantId, pairs: Vec<Pair>, stamp: Stamp) -> Result<Option<Ring>, Problem> {
        let Some(active) = pairs.iter().find(|pair| pair.key.state == SigningKeyState::Active) else {
            return Ok(None);
        };
        let id = active.key.id;
        let private = self.sealer.open(&Self::binding(tenant, id), &active.sealed_private);
        let signer = (id.to_string(), EncodingKey::from_ec_der(&private.map_err(Problem::internal)?));
        let publish = |pair: Pair| Published {
            kid: pair.key.id.to_string(),
            key: DecodingKey::from_ec_der(&pair.public),
            public: pair.public,
        };
        let published = pairs.into_iter().map(publish).collect();
        Ok(Some(Ring { signer, published, stamp, loaded: Instant::now() }))
    }
}

impl Identity {
    /// The ring of a tenant, which gets its first keys if it has none.
    pub(crate) async fn ring(&self, tenant: TenantId) -> Result<Arc<Ring>, Problem> {
        if let Some(ring) = self.known_ring(tenant) {
            return Ok(ring);
        }
        if let Some(ring) = self.load_ring(tenant).await? {
            return Ok(ring);
        }
        let caller = Caller::system("identity", tenant);
        self.0
            .db
            .write(&caller, async |tx| {
                for state in [SigningKeyState::Active, SigningKeyState::Next] {
                    store::signing_keys::insert(tx, &self.0.rings.make(tx, state)?).await?;
                }
                Ok::<_, Problem>(())
            })
            .await?;
        self.load_ring(tenant).await?.ok_or_else(|| Problem::internal("a tenant without a signing key"))
    }

    /// The ring of a tenant, looked up anew if it does not hold this key.
    pub(crate) async fn ring_with(&self, tenant: TenantId, kid: &str) -> Result<Option<Arc<Ring>>, Problem> {
        match self.known_ring(tenant) {
            Some(ring) if ring.verifier(kid).is_some() || ring.loaded.elapsed() < LOOK_AGAIN => Ok(Some(ring)),
            _ => self.load_ring(tenant).await,
        }
    }

    fn known_ring(&self, tenant: TenantId) -> Option<Arc<Ring>> {
        let rings = &self.0.rings;
        let ring = rings.kept.get(&tenant)?;
        (ring.loaded.elapsed() < RING_AGE && rings.epochs.holds(ring.stamp, tenant.uuid())).then_some(ring)
    }

    async fn load_ring(&self, tenant: TenantId) -> Result<Option<Arc<Ring>>, Problem> {
        let stamp = self.0.rings.epochs.stamp();
        let caller = Caller::system("identity", tenant);
        let pairs = self.0.db.read(&caller, async |tx| store::signing_keys::published(tx).await).await?;
        let ring = self.0.rings.ring(tenant, pairs, stamp)?.map(Arc::new);
        if let Some(ring) = &ring {
            self.0.rings.kept.insert(tenant, Arc::clone(ring));
        }
        Ok(ring)
    }

    /// The keys that sign the tenant's tokens.
    ///
    /// # Errors
    /// The caller lacks [`SIGNING_KEYS_READ`], or a parameter is wrong.
    pub async fn list_signing_keys(
        &self,
        caller: &Caller,
        params: &ListParams,
    ) -> Result<(ListRequest, Page<SigningKey>), Error> {
        caller.require(SIGNING_KEYS_READ)?;
        let request = ListRequest::new(&SIGNING_KEYS, params, caller, self.0.db.keys())?;
        let items = self.0.db.read(caller, async |tx| store::signing_keys::list(tx, &request).await).await?;
        let page = request.page(items)?;
        Ok((request, page))
    }

    /// Lets the next key sign from now on, and makes another next one. What the last one signed stays valid.
    ///
    /// # Errors
    /// The caller lacks [`SIGNING_KEYS_WRITE`].
    pub async fn rotate_signing_keys(&self, caller: &Caller) -> Result<SigningKey, Error> {
        caller.require(SIGNING_KEYS_WRITE)?;
        self.ring(caller.tenant).await?;
        let rotate = async |tx: &Tx| self.rotate(tx, caller).await;
        self.0.db.write_once(caller, "identity.rotate_signing_keys", &(), rotate).await
    }

    /// Rotates in the tenant of `tx`.
    pub(crate) async fn rotate(&self, tx: &Tx, caller: &Caller) -> Result<SigningKey, Error> {
        let tenant = tx.tenant();
        tx.lock(lock_number(tenant)).await.map_err(Problem::from)?;
        let lifetime = TimeDelta::from_std(self.0.config.access_token_lifetime).map_err(Problem::internal)?;
        store::signing_keys::retire(tx, tx.now() + lifetime + MARGIN).await?;
        let key = if let Some(key) = store::signing_keys::promote(tx).await? {
            key
        } else {
            let made = self.0.rings.make(tx, SigningKeyState::Active)?;
            store::signing_keys::insert(tx, &made).await?;
            made.key
        };
        store::signing_keys::insert(tx, &self.0.rings.make(tx, SigningKeyState::Next)?).await?;
        let news = News {
            action: "identity.signing_keys_rotated",
            account: None,
            target: ("signing_key", key.id.to_string()),
            details: json!({}),
        };
        announce::done(tx, caller, news).await?;
        tx.stale_on_commit(STALE, &tenant.uuid().to_string());
        Ok(key)
    }
}

/// One turn for each tenant; shared numbers cost a wait only.
fn lock_number(tenant: TenantId) -> i64 {
    let bytes = tenant.uuid().into_bytes();
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[8..]);
    i64::from_be_bytes(number) ^ i64::from_be_bytes(*b"hf keys ")
}
