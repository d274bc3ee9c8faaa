//! The format of a version's bytes at rest, which can't change without a new number in the header.
//!
//! ```text
//! header  40 bytes: "HFV", format 1, key version (u32, big endian), salt (32 bytes)
//! segment 64 KiB of plaintext (the last one less, and empty only when the whole is), each followed by its 16-byte tag
//! ```
//! The key is HKDF-SHA256 of the document's key with the header's salt. Segments are AES-256-GCM in the STREAM
//! construction (Hoang, Reyhanitabar, Rogaway and Vizár 2015): the nonce is the segment's number and a mark of the last
//! one, so that nothing can be cut off, put in, swapped or appended. Associated data: the header, tenant, document,
//! version, key version and segment number.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use kernel::{OpenError, Random, TenantId};
use uuid::Uuid;

use crate::keys::Key;

/// Bytes of plaintext in a segment.
pub(crate) const SEGMENT: usize = 64 * 1024;
/// Bytes of a segment's tag.
pub(crate) const TAG: usize = 16;
/// Bytes of the header.
pub(crate) const HEADER: usize = 40;
const MAGIC: &[u8; 3] = b"HFV";
const FORMAT: u8 = 1;

/// Which bytes these are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Whose {
    pub(crate) tenant: TenantId,
    pub(crate) document: Uuid,
    pub(crate) version: Uuid,
}

/// Number of segments of a plaintext of this size; an empty one has one, which is empty.
pub(crate) fn segments(size: u64) -> u64 {
    size.div_ceil(SEGMENT as u64).max(1)
}

/// Bytes at rest of a plaintext of this size.
pub(crate) fn sealed_size(size: u64) -> u64 {
    HEADER as u64 + size + segments(size) * TAG as u64
}

/// Seals or opens the segments of one version.
pub(crate) struct Cipher {
    key: LessSafeKey,
    bound: Vec<u8>,
}

impl std::fmt::Debug for Cipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cipher(…)")
    }
}

impl Cipher {
    /// Begins a new version: its header, and what seals its segments.
    pub(crate) fn begin(key: &Key, random: &Random, whose: Whose) -> ([u8; HEADER], Self) {
        let mut header = [0; HEADER];
        header[..3].copy_from_slice(MAGIC);
        header[3] = FORMAT;
        header[4..8].copy_from_slice(&key.version.to_be_bytes());
        header[8..].copy_from_slice(&random.bytes::<32>());
        let cipher = Self::new(key, &header, whose);
        (header, cipher)
    }

    /// Reads the header of a version.
    ///
    /// # Errors
    /// It is none of this format, or of another key.
    pub(crate) fn open(key: &Key, header: &[u8], whose: Whose) -> Result<Self, OpenError> {
        let header: &[u8; HEADER] = header.try_into().map_err(|_| OpenError)?;
        let known = header.starts_with(MAGIC) && header[3] == FORMAT && header[4..8] == key.version.to_be_bytes();
        if known { Ok(Self::new(key, header, whose)) } else { Err(OpenError) }
    }

    #[expect(clippy::expect_used, reason = "the key has the one length that AES-256 takes")]
    fn new(key: &Key, header: &[u8; HEADER], whose: Whose) -> Self {
        let mut salt = [0; 32];
        salt.copy_from_slice(&header[8..]);
        let content = key.content(&salt);
        let mut bound = header.to_vec();
        for id in [whose.tenant.uuid(), whose.document, whose.version] {
            bound.extend_from_slice(id.as_bytes());
        }
        bound.extend_from_slice(&key.version.to_be_bytes());
        let unbound = UnboundKey::new(&AES_256_GCM, content.as_ref()).expect("32 bytes are an AES-256 key");
        Self { key: LessSafeKey::new(unbound), bound }
    }

    fn nonce(number: u64, last: bool) -> Nonce {
        let mut nonce = [0; NONCE_LEN];
        nonce[3..11].copy_from_slice(&number.to_be_bytes());
        nonce[11] = u8::from(last);
        Nonce::assume_unique_for_key(nonce)
    }

    fn associated(&self, number: u64) -> Aad<Vec<u8>> {
        let mut bound = self.bound.clone();
        bound.extend_from_slice(&number.to_be_bytes());
        Aad::from(bound)
    }

    /// Seals a segment in place and puts its tag behind it. Each number is sealed once.
    #[expect(clippy::expect_used, reason = "sealing fails only above 64 GiB")]
    pub(crate) fn seal(&self, number: u64, last: bool, segment: &mut Vec<u8>) {
        let sealed = self.key.seal_in_place_append_tag(Self::nonce(number, last), self.associated(number), segment);
        sealed.expect("a segment can be sealed");
    }

    /// Opens a segment in place.
    ///
    /// # Errors
    /// A bit differs, or it is another segment, another version's, or (not) the last one.
    pub(crate) fn unseal(&self, number: u64, last: bool, segment: &mut Vec<u8>) -> Result<(), OpenError> {
        let opened = self.key.open_in_place(Self::nonce(number, last), self.associated(number), segment);
        let length = opened.map_err(|_| OpenError)?.len();
        segment.truncate(length);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
