//! The key of a certificate and the request that is signed with it.

use rcgen::{CertificateParams, DistinguishedName, KeyPair, PKCS_ECDSA_P256_SHA256};
use zeroize::Zeroizing;

use crate::name::Name;

/// A key and the request for a certificate with it.
pub struct Csr {
    /// The private key: PKCS #8 in DER.
    pub key: Zeroizing<Vec<u8>>,
    /// The request: PKCS #10 in DER.
    pub request: Vec<u8>,
}

/// Makes keys. A trait, so that a simulated year of certificates needs no real ones.
pub trait KeyMaker: Send + Sync + 'static {
    /// A new key for `name`.
    ///
    /// # Errors
    /// The library's own words.
    fn make(&self, name: &Name) -> Result<Csr, String>;

    /// The request again, with the key that [`KeyMaker::make`] made.
    ///
    /// # Errors
    /// The key is not one.
    fn again(&self, name: &Name, key: &[u8]) -> Result<Csr, String>;

    /// What the certificate must name as its public key (the `SubjectPublicKeyInfo` in DER).
    ///
    /// # Errors
    /// The key is not one.
    fn public_key(&self, key: &[u8]) -> Result<Vec<u8>, String>;
}

/// ECDSA keys on P-256 from the operating system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct RcgenKeys;

impl RcgenKeys {
    fn csr(name: &Name, pair: &KeyPair) -> Result<Csr, String> {
        let mut params = CertificateParams::new([name.as_str().to_owned()]).map_err(|error| error.to_string())?;
        params.distinguished_name = DistinguishedName::new();
        let request = params.serialize_request(pair).map_err(|error| error.to_string())?;
        Ok(Csr { key: Zeroizing::new(pair.serialize_der()), request: request.der().to_vec() })
    }

    fn pair(key: &[u8]) -> Result<KeyPair, String> {
        KeyPair::try_from(key).map_err(|error| error.to_string())
    }
}

impl KeyMaker for RcgenKeys {
    fn make(&self, name: &Name) -> Result<Csr, String> {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|error| error.to_string())?;
        Self::csr(name, &pair)
    }

    fn again(&self, name: &Name, key: &[u8]) -> Result<Csr, String> {
        Self::csr(name, &Self::pair(key)?)
    }

    fn public_key(&self, key: &[u8]) -> Result<Vec<u8>, String> {
        use rcgen::PublicKeyData;
        Ok(Self::pair(key)?.subject_public_key_info())
    }
}
