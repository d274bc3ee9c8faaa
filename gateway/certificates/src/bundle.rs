//! A certificate chain with its key, as it is kept, sealed, in the store and on disk.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use rustls::{crypto::aws_lc_rs, sign::CertifiedKey};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject};
use serde::{Deserialize, Serialize};
use x509_parser::{certificate::X509Certificate, extensions::GeneralName, prelude::ParsedExtension};
use zeroize::Zeroizing;

use crate::{name::Name, ports::Sealer, sealing, store::SealedCertificate};

/// The chain in PEM (leaf first) and the key in PKCS #8 DER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    pub chain_pem: String,
    pub key: Zeroizing<Vec<u8>>,
}

/// What a leaf certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Its DNS names, lower case.
    pub names: Vec<String>,
    pub not_before: DateTime<Utc>,
    pub not_after: DateTime<Utc>,
    /// Its identifier for renewal information (RFC 9773, section 4.1).
    pub ari_id: Option<String>,
    /// Its `SubjectPublicKeyInfo` in DER.
    pub public_key: Vec<u8>,
}

/// A chain or key is of no use.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    #[error("It is not a certificate chain in PEM.")]
    Unreadable,
    #[error("The key can't be used: {0}")]
    Key(String),
}

#[derive(Serialize, Deserialize)]
struct Text {
    chain: String,
    key: String,
}

impl Bundle {
    /// As bytes, to be sealed.
    pub(crate) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let text = Text { chain: self.chain_pem.clone(), key: BASE64_URL_SAFE_NO_PAD.encode(&*self.key) };
        Zeroizing::new(serde_json::to_vec(&text).unwrap_or_default())
    }

    /// From what [`Bundle::to_bytes`] gave.
    ///
    /// # Errors
    /// [`BundleError::Unreadable`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BundleError> {
        let text: Text = serde_json::from_slice(bytes).map_err(|_| BundleError::Unreadable)?;
        let key = BASE64_URL_SAFE_NO_PAD.decode(text.key).map_err(|_| BundleError::Unreadable)?;
        Ok(Self { chain_pem: text.chain, key: Zeroizing::new(key) })
    }

    /// Sealed for the place of this name, in the store and on disk.
    pub fn sealed(&self, name: &Name, sealer: &dyn Sealer) -> SealedCertificate {
        sealing::certificate(sealer, name, self)
    }

    /// Ready for handshakes, with the facts of its leaf.
    ///
    /// # Errors
    /// [`BundleError`] if the chain is none, or the key is not one or not its key.
    pub fn certified(&self) -> Result<(Arc<CertifiedKey>, Facts), BundleError> {
        let chain = chain_der(&self.chain_pem)?;
        let facts = facts_of(&chain)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.key.to_vec()));
        let key = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider());
        Ok((Arc::new(key.map_err(|error| BundleError::Key(error.to_string()))?), facts))
    }
}

impl Facts {
    /// Reads the leaf of a chain in PEM.
    ///
    /// # Errors
    /// [`BundleError::Unreadable`].
    pub fn read(chain_pem: &str) -> Result<Self, BundleError> {
        facts_of(&chain_der(chain_pem)?)
    }

    /// Whether it may be used for `name` at `now`.
    pub fn serves(&self, name: &Name, now: DateTime<Utc>) -> bool {
        now < self.not_after && self.names.iter().any(|held| held == name.as_str())
    }
}

pub(crate) fn chain_der(pem: &str) -> Result<Vec<CertificateDer<'static>>, BundleError> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    chain.ok().filter(|chain| !chain.is_empty()).ok_or(BundleError::Unreadable)
}

pub(crate) fn facts_of(chain: &[CertificateDer<'static>]) -> Result<Facts, BundleError> {
    let leaf = chain.first().ok_or(BundleError::Unreadable)?;
    let (_, leaf) = x509_parser::parse_x509_certificate(leaf).map_err(|_| BundleError::Unreadable)?;
    let time = |seconds: i64| DateTime::from_timestamp(seconds, 0).ok_or(BundleError::Unreadable);
    // The last second belongs to it (RFC 5280, section 4.1.2.5).
    let not_after = time(leaf.validity().not_after.timestamp())? + TimeDelta::seconds(1);
    Ok(Facts {
        names: names_of(&leaf),
        not_before: time(leaf.validity().not_before.timestamp())?,
        not_after,
        ari_id: ari_id_of(&leaf),
        public_key: leaf.public_key().raw.to_vec(),
    })
}

fn names_of(leaf: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(names)) = leaf.subject_alternative_name() else { return Vec::new() };
    let dns = names.value.general_names.iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
        _ => None,
    });
    dns.collect()
}

fn ari_id_of(leaf: &X509Certificate<'_>) -> Option<String> {
    let key_id = leaf.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(aki) => aki.key_identifier.as_ref(),
        _ => None,
    })?;
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    Some(format!("{}.{}", encode(key_id.0), encode(leaf.raw_serial())))
}
