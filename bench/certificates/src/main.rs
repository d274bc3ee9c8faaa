//! Fills the data folder of a Holdfast that is stopped, for `bench/certificates.py`:
//!
//! - `bench-certificates DATA issued COUNT ROOT`: `n0.bench.test`, `n1.bench.test` and so on have certificates, each with
//!   a key of its own, of a CA made here; its root goes to the file ROOT;
//! - `bench-certificates DATA wanted COUNT`: `n0.wanted.test` and so on are wanted, and nobody looks at them before a
//!   visitor comes.
//!
//! Everything is written by the product's store and sealed by its sealer under the root key of the data folder, so that
//! rows are what issuance leaves.

use std::{
    env,
    error::Error,
    fs,
    path::Path,
    time::{Duration, SystemTime},
};

use chrono::{DateTime, TimeDelta, Utc};
use edge::{CertificateRows, RootSealer};
use edge_certificates::{
    Bundle, CertificateStore, Facts, Held, Name, Save, Settings,
    transition::{self, Moment},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use kernel::{Clock, Db, DbConfig, Random, RootKey, SYSTEM_TENANT};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256,
};
use zeroize::Zeroizing;

type Failure = Box<dyn Error + Send + Sync>;

const USAGE: &str = "usage: bench-certificates DATA (issued COUNT ROOT | wanted COUNT)";
/// Names written at once; the store commits what comes together in one go.
const AT_ONCE: usize = 256;
const ISSUER: &str = "bench";

/// The store of a data folder, and what goes into it.
struct Loader {
    store: CertificateRows,
    sealer: RootSealer,
    settings: Settings,
    ca: CertifiedIssuer<'static, KeyPair>,
    now: DateTime<Utc>,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (data, count, root) = match arguments[..] {
        [data, "issued", count, root] => (Path::new(data), count.parse::<usize>()?, Some(root)),
        [data, "wanted", count] => (Path::new(data), count.parse()?, None),
        _ => return Err(USAGE.into()),
    };
    let (clock, random) = (Clock::default(), Random::default());
    let keys = RootKey::from_file(&data.join("root.key"), &random)?;
    let db = Db::open(&database(), data, keys.clone(), clock.clone(), random.clone()).await?;
    let store = CertificateRows::default();
    store.attach(db.clone());
    let (sealer, settings, now) = (RootSealer::new(&keys, random), Settings::default(), clock.now());
    let loader = Loader { store, sealer, settings, ca: authority(now)?, now };
    let kind = if root.is_some() { "bench" } else { "wanted" };
    let names = stream::iter((0..count).map(|number| format!("n{number}.{kind}.test")));
    match root {
        Some(root) => {
            names.map(Ok).try_for_each_concurrent(AT_ONCE, |name| loader.issued(name)).await?;
            fs::write(root, loader.ca.pem())?;
        }
        None => names.map(Ok).try_for_each_concurrent(AT_ONCE, |name| loader.wanted(name)).await?,
    }
    db.close().await;
    Ok(())
}

/// The embedded database of the data folder.
fn database() -> DbConfig {
    let (url, app_role) = <(String, String)>::default();
    DbConfig { url, max_connections: 8, acquire_timeout: 60, migrate_on_start: false, app_role }
}

/// A CA that is older than what it issues.
fn authority(now: DateTime<Utc>) -> Result<CertifiedIssuer<'static, KeyPair>, Failure> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "bench root");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    (params.not_before, params.not_after) = valid(now, TimeDelta::days(365));
    Ok(CertifiedIssuer::self_signed(params, KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?)?)
}

/// From a day ago on.
fn valid<T: From<SystemTime>>(now: DateTime<Utc>, life: TimeDelta) -> (T, T) {
    (SystemTime::from(now - TimeDelta::days(1)).into(), SystemTime::from(now + life).into())
}

impl Loader {
    /// A name with a certificate, as an order leaves it.
    async fn issued(&self, name: String) -> Result<(), Failure> {
        let bundle = self.bundle(&name)?;
        let Facts { not_before, not_after, ari_id, .. } = Facts::read(&bundle.chain_pem)?;
        let name = Name::parse(&name)?;
        let moment = Moment { name: &name, settings: &self.settings, now: self.now };
        let next = moment.issued(Held { issuer: ISSUER.to_owned(), ari_id, not_before, not_after });
        let lane = transition::lane(&next.progress);
        let save = Save {
            progress: next.progress,
            due: next.due,
            lane,
            lease_until: self.now,
            entries: next.entries,
            answers: next.answers,
            certificate: Some(bundle.sealed(&name, &self.sealer)),
            forget: false,
        };
        self.store.want(&name, &SYSTEM_TENANT.to_string(), self.now).await?;
        let lease = self.store.lease(name.as_str(), ISSUER, self.now, Duration::from_mins(10)).await?;
        Ok(self.store.save(&lease.ok_or("another process works on the names")?, save).await?)
    }

    /// A name that waits until somebody visits it.
    async fn wanted(&self, name: String) -> Result<(), Failure> {
        let later = self.now + TimeDelta::days(30);
        Ok(self.store.want(&Name::parse(&name)?, &SYSTEM_TENANT.to_string(), later).await?)
    }

    /// A certificate of this CA with a key of its own.
    fn bundle(&self, name: &str) -> Result<Bundle, Failure> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = CertificateParams::new([name.to_owned()])?;
        (params.not_before, params.not_after) = valid(self.now, TimeDelta::days(89));
        let leaf = params.signed_by(&key, &self.ca)?;
        Ok(Bundle { chain_pem: leaf.pem(), key: Zeroizing::new(key.serialize_der()) })
    }
}
