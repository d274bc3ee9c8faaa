//! From an entry's text to its leaf: a salted commitment, so that a leaf tells nothing about a text that is gone.

use aws_lc_rs::hmac;

use crate::merkle::{self, Hash};

/// Bytes of salt: as many as make guessing hopeless.
pub(crate) const SALT: usize = 16;

/// `SHA-256(0x00 || HMAC-SHA256(salt, text))`.
pub(crate) fn leaf(salt: &[u8; SALT], text: &str) -> Hash {
    let key = hmac::Key::new(hmac::HMAC_SHA256, salt);
    merkle::leaf_hash(hmac::sign(&key, text.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_can_be_recomputed_with_common_tools() {
        // printf '{"format":1}' | openssl dgst -sha256 -mac HMAC -macopt hexkey:000102030405060708090a0b0c0d0e0f
        // (printf '\0'; … | xxd -r -p) | sha256sum
        let salt = std::array::from_fn(|index| u8::try_from(index).unwrap());

        assert_eq!(
            hex::encode(leaf(&salt, r#"{"format":1}"#)),
            "eddf1579b69595e9051577b4d8242a2c528314e9a6a8389baa03ab2be9d1ef22"
        );
    }

    #[test]
    fn another_salt_is_another_leaf() {
        assert_ne!(leaf(&[0; SALT], "a"), leaf(&[1; SALT], "a"));
    }
}
