//! One answer as a file: a head of fixed length, what is known of the answer, and its body.
//!
//! Eight bytes name the format and its version, eight tell since when the answer is stale by a purge (they alone change
//! in place), then come a SHA-256 of the rest, its two lengths, the answer's head as JSON, and its body.

use std::{
    io::{self, Read},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    freshness::Freshness,
    key::Key,
    stored::{Head, Stored},
    vary::Selection,
};

const MAGIC: [u8; 8] = *b"HFcache1";
/// Where the time of the purge stands.
pub(crate) const STALE_AT: u64 = 8;
const SUM_AT: usize = 16;
const LENGTHS_AT: usize = SUM_AT + 32;
/// What comes before the answer's head.
pub(crate) const FIXED: usize = LENGTHS_AT + 12;
/// The longest head of an answer.
const LONGEST_HEAD: u32 = 4 << 20;

/// All of an answer but its body.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Known {
    pub(crate) key: Arc<Key>,
    status: u16,
    /// Octets as the characters of the same number.
    headers: Vec<(String, String)>,
    pub(crate) selection: Selection,
    pub(crate) tags: Vec<Box<str>>,
    pub(crate) freshness: Freshness,
    /// When it was softly purged, in microseconds since 1970; 0 if it wasn't.
    #[serde(skip)]
    pub(crate) stale: u64,
    /// How long the file is.
    #[serde(skip)]
    pub(crate) bytes: u64,
}

/// The file of an answer.
pub(crate) fn encode(key: &Arc<Key>, stored: &Stored) -> io::Result<Vec<u8>> {
    let head = &stored.head;
    let text = |value: &HeaderValue| value.as_bytes().iter().copied().map(char::from).collect();
    let known = Known {
        key: Arc::clone(key),
        status: head.status.as_u16(),
        headers: head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect(),
        selection: head.selection.clone(),
        tags: head.tags.clone(),
        freshness: head.freshness.clone(),
        stale: 0,
        bytes: 0,
    };
    let known = serde_json::to_vec(&known)?;
    let length = u32::try_from(known.len()).ok().filter(|length| *length <= LONGEST_HEAD).ok_or_else(broken)?;
    let mut file = Vec::with_capacity(FIXED + known.len() + stored.body.len());
    file.extend_from_slice(&MAGIC);
    file.extend_from_slice(&micros(head.purged()).to_le_bytes());
    file.extend_from_slice(&[0; 32]);
    file.extend_from_slice(&length.to_le_bytes());
    file.extend_from_slice(&(stored.body.len() as u64).to_le_bytes());
    file.extend_from_slice(&known);
    file.extend_from_slice(&stored.body);
    let sum = Sha256::digest(&file[LENGTHS_AT..]);
    file[SUM_AT..LENGTHS_AT].copy_from_slice(&sum);
    Ok(file)
}

/// What a file of this length says of its answer, without a look at the body: it can't be trusted until the body is
/// read, but for finding and purging it.
pub(crate) fn peek(mut file: impl Read, bytes: u64) -> io::Result<Known> {
    let mut fixed = [0; FIXED];
    file.read_exact(&mut fixed)?;
    let (stale, known, body) = lengths(&fixed)?;
    if FIXED as u64 + known as u64 + body != bytes {
        return Err(broken());
    }
    let mut json = vec![0; known];
    file.read_exact(&mut json)?;
    let known: Known = serde_json::from_slice(&json).map_err(|_| broken())?;
    Ok(Known { stale, bytes, ..known })
}

/// The answer of a whole file, if nothing in it has changed.
pub(crate) fn decode(file: Vec<u8>) -> io::Result<(Known, Stored)> {
    let known = peek(&file[..], file.len() as u64)?;
    if Sha256::digest(&file[LENGTHS_AT..])[..] != file[SUM_AT..LENGTHS_AT] {
        return Err(broken());
    }
    let (_, head, _) = lengths(file.first_chunk().ok_or_else(broken)?)?;
    let mut headers = HeaderMap::new();
    for (name, value) in &known.headers {
        let value: Option<Vec<u8>> = value.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
        let value = value.and_then(|value| HeaderValue::from_bytes(&value).ok()).ok_or_else(broken)?;
        headers.append(HeaderName::try_from(name).map_err(|_| broken())?, value);
    }
    let status = StatusCode::from_u16(known.status).map_err(|_| broken())?;
    let head_of = Head::new(status, headers, known.selection.clone(), known.tags.clone(), known.freshness.clone());
    let body = Bytes::from(file).slice(FIXED + head..);
    let stored = Stored { head: Arc::new(head_of), body };
    Ok((known, stored))
}

/// A time in microseconds since 1970; 0 for none.
pub(crate) fn micros(time: Option<SystemTime>) -> u64 {
    let since = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |since| u64::try_from(since.as_micros()).unwrap_or(u64::MAX).max(1))
}

/// The time of so many microseconds since 1970.
pub(crate) fn time(micros: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(micros)
}

fn lengths(fixed: &[u8; FIXED]) -> io::Result<(u64, usize, u64)> {
    let (magic, rest) = fixed.split_first_chunk().ok_or_else(broken)?;
    let (stale, rest) = rest.split_first_chunk().ok_or_else(broken)?;
    let (known, body) = rest[32..].split_first_chunk().ok_or_else(broken)?;
    let (known, body) = (u32::from_le_bytes(*known), body.first_chunk().ok_or_else(broken)?);
    if *magic != MAGIC || known > LONGEST_HEAD {
        return Err(broken());
    }
    Ok((u64::from_le_bytes(*stale), usize::try_from(known).map_err(|_| broken())?, u64::from_le_bytes(*body)))
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the file is no answer of this cache")
}
