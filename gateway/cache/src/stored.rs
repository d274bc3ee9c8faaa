//! One stored answer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::{date, fields, freshness::Freshness, vary::Selection};

/// What a stored answer takes beside its header and body, about.
const OVERHEAD: usize = 512;

/// Everything of an answer but its body.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: StatusCode,
    /// Without the fields of the connection; with those meant for us, so that a 304 can be read with them.
    pub(crate) headers: HeaderMap,
    pub(crate) selection: Selection,
    pub(crate) tags: Vec<Box<str>>,
    pub(crate) freshness: Freshness,
    /// When it was softly purged, in microseconds of the epoch; 0 if it wasn't.
    purged: AtomicU64,
}

impl Head {
    pub(crate) fn new(
        status: StatusCode,
        headers: HeaderMap,
        selection: Selection,
        tags: Vec<Box<str>>,
        freshness: Freshness,
    ) -> Self {
        Self { status, headers, selection, tags, freshness, purged: AtomicU64::new(0) }
    }

    /// Makes it stale from now on.
    pub(crate) fn purge_softly(&self, now: SystemTime) {
        let micros = u64::try_from(date::since(now, UNIX_EPOCH).as_micros()).unwrap_or(u64::MAX);
        self.purged.store(micros.max(1), Ordering::Relaxed);
    }

    pub(crate) fn purged(&self) -> Option<SystemTime> {
        let micros = self.purged.load(Ordering::Relaxed);
        (micros > 0).then(|| UNIX_EPOCH + Duration::from_micros(micros))
    }

    /// The bytes that it takes in memory, about.
    pub(crate) fn size(&self) -> usize {
        let tags: usize = self.tags.iter().map(|tag| tag.len() + 16).sum();
        fields::size(&self.headers) + self.selection.size() + tags + OVERHEAD
    }
}

/// A whole answer, in memory.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) head: Arc<Head>,
    pub(crate) body: Bytes,
}

impl Stored {
    pub(crate) fn size(&self) -> usize {
        self.head.size() + self.body.len()
    }
}
