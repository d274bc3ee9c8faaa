//! The secrets that clients hold: how they are made, told apart and recognised.

use crc::{CRC_32_ISO_HDLC, Crc};
use kernel::{Mac, Random, RootKey, TenantId};
use zeroize::Zeroizing;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const CHECKSUM: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// What every API key begins with.
pub(crate) const API_KEY: &str = "hf_";
/// What every refresh token begins with.
const REFRESH: &str = "hfr_";
/// Characters of an API key that are shown in lists.
const PREFIX: usize = 8;
/// Characters of a secret: 32 of 62 kinds are 190 bits.
const SECRET: usize = 32;
/// Characters of a checksum.
const CHECK: usize = 6;

/// An API key: `hf_`, a public prefix, a secret, and a checksum, so that scanners find leaked ones and a mistyped one
/// costs no query.
pub(crate) fn api_key(random: &Random) -> Zeroizing<String> {
    let body = format!("{API_KEY}{}", *base62(random, PREFIX + SECRET));
    let check = checksum(&body);
    Zeroizing::new(format!("{body}{check}"))
}

/// The public prefix of an API key; `None` for what is none.
pub(crate) fn api_key_prefix(text: &str) -> Option<&str> {
    let whole = text.len() == API_KEY.len() + PREFIX + SECRET + CHECK && text.is_ascii();
    if !whole || !text.starts_with(API_KEY) {
        return None;
    }
    let (body, check) = text.split_at(text.len() - CHECK);
    (checksum(body) == check).then(|| &body[API_KEY.len()..API_KEY.len() + PREFIX])
}

/// A refresh token.
pub(crate) fn refresh_token(random: &Random) -> Zeroizing<String> {
    Zeroizing::new(format!("{REFRESH}{}", *base62(random, SECRET + PREFIX)))
}

/// Whether it could be a refresh token.
pub(crate) fn looks_like_refresh_token(text: &str) -> bool {
    text.len() == REFRESH.len() + SECRET + PREFIX && text.starts_with(REFRESH) && text.is_ascii()
}

/// The value of a session cookie, or a setup token.
pub(crate) fn opaque(random: &Random) -> Zeroizing<String> {
    base62(random, SECRET + PREFIX)
}

/// Whether it could be such a value.
pub(crate) fn looks_opaque(text: &str) -> bool {
    text.len() == SECRET + PREFIX && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn checksum(body: &str) -> String {
    let mut number = CHECKSUM.checksum(body.as_bytes());
    let mut digits = [b'0'; CHECK];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(number % 62) as usize];
        number /= 62;
    }
    digits.iter().copied().map(char::from).collect()
}

/// Characters out of 62, each as likely as the other: bytes from 248 on are thrown away.
fn base62(random: &Random, length: usize) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(length));
    while text.len() < length {
        let fit = random.bytes::<64>().into_iter().filter(|byte| *byte < 248);
        let missing = length - text.len();
        text.extend(fit.take(missing).map(|byte| char::from(DIGITS[usize::from(byte % 62)])));
    }
    text
}

/// The keyed hashes under which secrets lie in the database and in memory, each for its purpose.
pub(crate) struct Macs {
    api_key: Mac,
    cookie: Mac,
    refresh: Mac,
    cache: Mac,
}

impl Macs {
    pub(crate) fn new(keys: &RootKey) -> Self {
        Self {
            api_key: keys.mac("identity api key"),
            cookie: keys.mac("identity cookie"),
            refresh: keys.mac("identity refresh token"),
            cache: keys.mac("identity credential cache"),
        }
    }

    pub(crate) fn api_key(&self, text: &str) -> [u8; 32] {
        self.api_key.tag(&[text.as_bytes()])
    }

    pub(crate) fn cookie(&self, text: &str) -> [u8; 32] {
        self.cookie.tag(&[text.as_bytes()])
    }

    pub(crate) fn refresh(&self, text: &str) -> [u8; 32] {
        self.refresh.tag(&[text.as_bytes()])
    }

    /// What a credential is remembered under: never the text itself, and bound to the tenant that it was shown to.
    pub(crate) fn cache(&self, tenant: TenantId, kind: &'static str, text: &str) -> [u8; 32] {
        self.cache.tag(&[tenant.uuid().as_bytes(), kind.as_bytes(), text.as_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_api_key_carries_its_checksum_and_a_changed_one_is_none() {
        let key = api_key(&Random::default());

        assert_eq!(key.len(), 49);
        assert_eq!(api_key_prefix(&key), Some(&key[3..11]));
        for at in 0..key.len() {
            let mut bytes = key.as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
            assert_eq!(api_key_prefix(std::str::from_utf8(&bytes).unwrap()), None, "position {at}");
        }
        for wrong in ["", "hf_", "hf_short", &key[..48], &format!("{}0", *key)] {
            assert_eq!(api_key_prefix(wrong), None);
        }
    }

    #[test]
    fn secrets_differ_and_look_like_what_they_are() {
        let random = Random::default();
        let (token, cookie) = (refresh_token(&random), opaque(&random));

        assert!(looks_like_refresh_token(&token) && looks_opaque(&cookie));
        assert!(!looks_like_refresh_token(&cookie) && !looks_opaque(&token));
        assert_ne!(*token, *refresh_token(&random));
        assert!(api_key_prefix(&token).is_none());
    }
}
