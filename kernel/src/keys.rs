//! The root key and what is derived from it: sealing, signing and hashing of what rests in the database.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Prk, Salt};
use aws_lc_rs::hmac;
use zeroize::{Zeroize, Zeroizing};

use crate::clock::Random;

/// Why the root key can't be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The text is not 32 bytes in hexadecimal.
    #[error("HOLDFAST_ROOT_KEY must be 64 hexadecimal digits (32 bytes); make one with `openssl rand -hex 32`.")]
    Malformed,
    /// The file can't be read or written.
    #[error("The root key file {path} can't be used: {source}. Check the data folder's owner, mode and free space.")]
    File { path: String, source: io::Error },
    /// Others may read the file.
    #[error("The root key file {path} is open to others; run `chmod 600 {path}`.")]
    TooOpen { path: String },
}

/// The 32 bytes from which every other key of this installation is derived (HKDF-SHA256, RFC 5869).
#[derive(Clone)]
pub struct RootKey(Arc<Prk>);

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey(…)")
    }
}

impl RootKey {
    /// The key made of these bytes.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(Arc::new(Salt::new(HKDF_SHA256, b"holdfast root v1").extract(bytes)))
    }

    /// Reads 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] for anything else.
    pub fn from_hex(text: &str) -> Result<Self, KeyError> {
        let mut bytes = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.trim(), bytes.as_mut()).map_err(|_| KeyError::Malformed)?;
        Ok(Self::from_bytes(&bytes))
    }

    /// Reads the key from `path`, making it (mode 0600) at the first run.
    ///
    /// # Errors
    /// The file can't be read or made, is malformed, or is readable by others.
    pub fn from_file(path: &Path, random: &Random) -> Result<Self, KeyError> {
        let file_error = |source| KeyError::File { path: path.display().to_string(), source };
        match fs::metadata(path) {
            Ok(found) if found.permissions().mode() & 0o077 != 0 => {
                Err(KeyError::TooOpen { path: path.display().to_string() })
            }
            Ok(_) => Self::from_hex(&Zeroizing::new(fs::read_to_string(path).map_err(file_error)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut bytes: [u8; 32] = random.bytes();
                let text = Zeroizing::new(format!("{}\n", hex::encode(bytes)));
                write_new(path, &text).map_err(file_error)?;
                let key = Self::from_bytes(&bytes);
                bytes.zeroize();
                Ok(key)
            }
            Err(error) => Err(file_error(error)),
        }
    }

    /// 32 bytes for one purpose; other purposes tell nothing about them.
    pub fn derive(&self, purpose: &[&[u8]]) -> Zeroizing<[u8; 32]> {
        let mut bytes = Zeroizing::new([0; 32]);
        #[expect(clippy::expect_used, reason = "HKDF fails only for lengths over 255 hashes; this is one")]
        self.0.expand(purpose, HKDF_SHA256).and_then(|okm| okm.fill(bytes.as_mut())).expect("32 bytes of key");
        bytes
    }

    /// A keyed hash (HMAC-SHA256) for one purpose.
    pub fn mac(&self, purpose: &str) -> Mac {
        Mac(hmac::Key::new(hmac::HMAC_SHA256, self.derive(&[b"mac ", purpose.as_bytes()]).as_ref()))
    }

    /// Authenticated encryption for one purpose.
    pub fn sealer(&self, purpose: &str) -> Sealer {
        Sealer::new(&self.derive(&[b"seal ", purpose.as_bytes()]))
    }
}

/// Writes a secret file whole before it gets its name, so that a crash leaves no half key behind.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let draft = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    path.parent().map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all())
}

/// A keyed hash.
#[derive(Clone, Debug)]
pub struct Mac(hmac::Key);

impl Mac {
    /// The tag of these parts, each prefixed with its length so that no two lists of parts collide.
    pub fn tag(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut tag = [0; 32];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }

    /// Whether the tag fits, in constant time. A shortened tag fits by its first bytes (at least 16).
    pub fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        let whole = self.tag(parts);
        tag.len() >= 16
            && tag.len() <= whole.len()
            && aws_lc_rs::constant_time::verify_slices_are_equal(&whole[..tag.len()], tag).is_ok()
    }
}

/// Opening failed: another key, other associated data, or changed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sealed value does not open")]
pub struct OpenError;

/// AES-256-GCM with a random nonce in front of the ciphertext (NIST SP 800-38D).
#[derive(Debug)]
pub struct Sealer(LessSafeKey);

impl Sealer {
    /// A sealer with this key.
    #[expect(clippy::expect_used, reason = "the key has the one length that AES-256 takes")]
    pub fn new(key: &[u8; 32]) -> Self {
        Self(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("32 bytes are an AES-256 key")))
    }

    /// Encrypts, binding the associated data, which must be given again to open.
    #[expect(clippy::expect_used, reason = "sealing fails only above 64 GiB")]
    pub fn seal(&self, random: &Random, associated: &[u8], plain: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE_LEN] = random.bytes();
        let mut sealed = Vec::with_capacity(NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let tag = self
            .0
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(associated),
                &mut sealed[NONCE_LEN..],
            )
            .expect("short texts can be sealed");
        sealed.extend_from_slice(tag.as_ref());
        sealed
    }

    /// Decrypts what [`Self::seal`] made.
    ///
    /// # Errors
    /// [`OpenError`] when the key, the associated data or a bit differs.
    pub fn open(&self, associated: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN).ok_or(OpenError)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| OpenError)?;
        let mut text = Zeroizing::new(text.to_vec());
        let length = self.0.open_in_place(nonce, Aad::from(associated), &mut text).map_err(|_| OpenError)?.len();
        text.truncate(length);
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> RootKey {
        RootKey::from_bytes(&[7; 32])
    }

    #[test]
    fn what_is_sealed_opens_only_with_the_same_purpose_and_data() {
        let random = Random::default();
        let sealed = root().sealer("a").seal(&random, b"row 1", b"secret");

        assert_eq!(root().sealer("a").open(b"row 1", &sealed).unwrap().as_slice(), b"secret");
        assert!(root().sealer("a").open(b"row 2", &sealed).is_err());
        assert!(root().sealer("b").open(b"row 1", &sealed).is_err());
        assert!(root().sealer("a").open(b"row 1", &sealed[..20]).is_err());
    }

    #[test]
    fn parts_of_a_tag_do_not_run_into_one_another() {
        let mac = root().mac("x");

        assert_ne!(mac.tag(&[b"ab", b"c"]), mac.tag(&[b"a", b"bc"]));
        assert!(mac.verify(&[b"ab"], &mac.tag(&[b"ab"])[..16]));
        assert!(!mac.verify(&[b"ab"], &mac.tag(&[b"ab"])[..8]));
    }
}
