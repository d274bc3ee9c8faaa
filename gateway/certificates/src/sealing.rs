//! Under which names things are sealed: what is sealed at one place can't be read at another.

use crate::{
    bundle::Bundle,
    name::Name,
    ports::{SealError, Sealer},
    store::SealedCertificate,
};

const VERSION: &str = "edge-certificates v1";

pub(crate) fn certificate(sealer: &dyn Sealer, name: &Name, bundle: &Bundle) -> SealedCertificate {
    SealedCertificate(sealer.seal(place("certificate", name.as_str()).as_bytes(), &bundle.to_bytes()))
}

/// Opens a certificate; one that can't be read counts as sealed with another key.
pub(crate) fn open_certificate(
    sealer: &dyn Sealer,
    name: &Name,
    sealed: &SealedCertificate,
) -> Result<Bundle, SealError> {
    let plain = sealer.open(place("certificate", name.as_str()).as_bytes(), &sealed.0)?;
    Bundle::from_bytes(&plain).map_err(|_| SealError)
}

pub(crate) fn key(sealer: &dyn Sealer, name: &Name, key: &[u8]) -> Vec<u8> {
    sealer.seal(place("key", name.as_str()).as_bytes(), key)
}

pub(crate) fn open_key(sealer: &dyn Sealer, name: &Name, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
    sealer.open(place("key", name.as_str()).as_bytes(), sealed)
}

/// Where an issuer's account rests.
pub(crate) fn account_place(issuer: &str) -> String {
    place("account", issuer)
}

fn place(kind: &str, of: &str) -> String {
    format!("{VERSION}\n{kind}\n{of}")
}
