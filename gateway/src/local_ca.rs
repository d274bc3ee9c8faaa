//! A certificate authority of this machine, for the time before a real domain: browsers that trust its root see valid
//! certificates for `localhost` and the names below the base domain.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use edge_certificates::Hello;
use quick_cache::sync::Cache;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use rustls::{crypto::aws_lc_rs, sign::CertifiedKey};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::{
    local_ca_files::{self, LocalCaError},
    tls::CertificateSource,
};

const LEAF_LIFETIME: Duration = Duration::from_hours(30 * 24);
/// A leaf is made anew when it has less than this left.
const RENEW_BEFORE: Duration = Duration::from_hours(10 * 24);
/// Clocks of clients may be a little behind.
const BACKDATE: Duration = Duration::from_hours(1);
/// Names whose leaves are held.
const HELD: usize = 1024;

/// The local certificate authority: `ca.pem` (the root to trust) and `ca-key.pem` in one folder.
pub struct LocalCa {
    issuer: Issuer<'static, KeyPair>,
    root: CertificateDer<'static>,
    base_domain: String,
    /// All leaves share a key, made anew with each start.
    leaf_key: KeyPair,
    leaves: Cache<Box<str>, Leaf>,
    now: fn() -> SystemTime,
}

#[derive(Clone)]
struct Leaf {
    key: Arc<CertifiedKey>,
    renew_at: SystemTime,
}

impl fmt::Debug for LocalCa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalCa").field("base_domain", &self.base_domain).finish_non_exhaustive()
    }
}

impl LocalCa {
    /// Opens the authority in `folder` (such as `data/tls`), or makes one at first use. Its certificates are confined
    /// to `localhost`, the loopback addresses, `base_domain` and the names below it.
    ///
    /// # Errors
    /// [`LocalCaError`] says which file is at fault and how to mend it.
    pub fn open(folder: &Path, base_domain: &str) -> Result<Self, LocalCaError> {
        Self::open_at(folder, base_domain, wall_clock)
    }

    pub(crate) fn open_at(folder: &Path, base_domain: &str, now: fn() -> SystemTime) -> Result<Self, LocalCaError> {
        let base_domain = base_domain.trim_end_matches('.').to_ascii_lowercase();
        let (root, key) = local_ca_files::load_or_create(folder, &base_domain, now())?;
        let issuer = Issuer::from_ca_cert_der(&root, key).map_err(LocalCaError::Crypto)?;
        let leaf_key = KeyPair::generate().map_err(LocalCaError::Crypto)?;
        Ok(Self { issuer, root, base_domain, leaf_key, leaves: Cache::new(HELD), now })
    }

    /// The root certificate in DER.
    pub fn root(&self) -> &CertificateDer<'static> {
        &self.root
    }

    fn covers(&self, name: &str) -> bool {
        let below = |base: &str| {
            name.strip_suffix(base).is_some_and(|rest| rest.is_empty() || (rest.ends_with('.') && rest.len() > 1))
        };
        name.len() <= 253 && (below(&self.base_domain) || name == "localhost")
    }

    fn leaf(&self, server_name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let name = server_name.unwrap_or("localhost");
        if server_name.is_some() && !self.covers(name) {
            return None;
        }
        let now = (self.now)();
        if let Some(leaf) = self.leaves.get(name).filter(|leaf| leaf.renew_at > now) {
            return Some(leaf.key);
        }
        match self.issue(name, now) {
            Ok(leaf) => {
                self.leaves.insert(name.into(), leaf.clone());
                Some(leaf.key)
            }
            Err(error) => {
                tracing::error!(%error, name, "the local CA can't issue a certificate");
                None
            }
        }
    }

    fn issue(&self, name: &str, now: SystemTime) -> Result<Leaf, LocalCaError> {
        let mut params = CertificateParams::new([name.to_owned()]).map_err(LocalCaError::Crypto)?;
        if name == "localhost" {
            let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
            params.subject_alt_names.extend(loopback.map(SanType::IpAddress));
        }
        params.distinguished_name = DistinguishedName::new();
        let common_name: String = name.chars().take(64).collect();
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.serial_number = Some(local_ca_files::new_serial());
        params.use_authority_key_identifier_extension = true;
        params.not_before = (now - BACKDATE).into();
        params.not_after = (now + LEAF_LIFETIME).into();
        let leaf = params.signed_by(&self.leaf_key, &self.issuer).map_err(LocalCaError::Crypto)?;
        let chain = vec![leaf.der().clone(), self.root.clone()];
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.leaf_key.serialize_der()));
        let key = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map_err(LocalCaError::Tls)?;
        Ok(Leaf { key: Arc::new(key), renew_at: now + LEAF_LIFETIME - RENEW_BEFORE })
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the edge stands beside the kernel; validity is about this machine's clock"
)]
pub(crate) fn wall_clock() -> SystemTime {
    SystemTime::now()
}

impl CertificateSource for LocalCa {
    /// It sets no challenges.
    async fn certificate(&self, hello: &Hello<'_>) -> Option<Arc<CertifiedKey>> {
        if hello.is_challenge() { None } else { self.leaf(hello.server_name) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf_serial(key: &CertifiedKey) -> Vec<u8> {
        let (_, leaf) = x509_parser::parse_x509_certificate(&key.cert[0]).unwrap();
        leaf.raw_serial().to_vec()
    }

    #[test]
    fn names_below_the_base_domain_get_a_leaf_and_others_none() {
        let folder = tempfile::tempdir().unwrap();
        let ca = LocalCa::open(folder.path(), "localhost").unwrap();

        for name in [None, Some("localhost"), Some("acme.localhost"), Some("a.b.localhost")] {
            assert!(ca.leaf(name).is_some(), "{name:?}");
        }
        for name in ["example.com", "evil-localhost", ".localhost", "localhost.example.com", ""] {
            assert!(ca.leaf(Some(name)).is_none(), "{name}");
        }
    }

    #[test]
    fn a_leaf_is_held_until_it_is_due() {
        fn later() -> SystemTime {
            wall_clock() + Duration::from_hours(25 * 24)
        }
        let folder = tempfile::tempdir().unwrap();
        let mut ca = LocalCa::open(folder.path(), "localhost").unwrap();

        let first = leaf_serial(&ca.leaf(None).unwrap());
        let second = leaf_serial(&ca.leaf(None).unwrap());
        ca.now = later;
        let third = leaf_serial(&ca.leaf(None).unwrap());

        assert_eq!(first, second);
        assert_ne!(first, third);
    }
}
