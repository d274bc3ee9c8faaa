//! A request under way, of which there will be a record.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

use http::{Method, Uri, Version, request};

use super::{
    Journal,
    access_log::AccessLine,
    record::{Particulars, Record},
};
use crate::{
    app::{RequestId, Scheme},
    limits::Outcome,
    trace::TraceContext,
};

/// What nginx made usual for a client that left before its answer.
const CLIENT_LEFT: u16 = 499;

/// What is known of a request before its answer. Dropped without one, it tells that the client left.
pub(crate) struct Draft(Option<Begun>);

struct Begun {
    journal: Arc<Journal>,
    at: Instant,
    method: Method,
    uri: Uri,
    version: Version,
    scheme: Scheme,
    address: IpAddr,
    request_id: RequestId,
    trace: TraceContext,
    host: Option<Arc<str>>,
    credential: Option<u64>,
}

impl Draft {
    /// Begins at the head of a request; `None` if nobody wants to know.
    pub(crate) fn begin(
        journal: Option<&Arc<Journal>>,
        head: &request::Parts,
        (address, scheme): (IpAddr, Scheme),
        request_id: &RequestId,
        trace: TraceContext,
    ) -> Self {
        let begun = journal.filter(|journal| !journal.is_idle()).map(|journal| Begun {
            journal: Arc::clone(journal),
            at: Instant::now(),
            method: head.method.clone(),
            uri: head.uri.clone(),
            version: head.version,
            scheme,
            address,
            request_id: request_id.clone(),
            trace,
            host: None,
            credential: None,
        });
        Self(begun)
    }

    /// The host that it asks.
    pub(crate) fn asks(&mut self, host: Option<&Arc<str>>) {
        if let Some(begun) = &mut self.0 {
            begun.host = host.cloned();
        }
    }

    /// Its credential, as limits know it.
    pub(crate) fn shows(&mut self, credential: u64) {
        if let Some(begun) = &mut self.0 {
            begun.credential = Some(credential);
        }
    }

    /// Its answer is there. The record, if it is remembered.
    pub(crate) fn answered(mut self, status: u16, particulars: Particulars, limits: Outcome) -> Option<Arc<Record>> {
        self.0.take()?.noted(status, particulars, limits)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(begun) = self.0.take()
            && let Some(record) = begun.noted(CLIENT_LEFT, Particulars::default(), Outcome::default())
        {
            record.over.store(true, Ordering::Release);
        }
    }
}

impl Begun {
    fn noted(self, status: u16, particulars: Particulars, limits: Outcome) -> Option<Arc<Record>> {
        let Self { journal, at, method, uri, version, scheme, address, request_id, trace, host, credential } = self;
        let took = at.elapsed();
        let share = journal
            .log
            .share(status, took, &trace)
            .filter(|_| tracing::enabled!(target: "request", tracing::Level::INFO));
        if share.is_none() && journal.recent.capacity() == 0 {
            return None;
        }
        let wall = (journal.now)();
        let record = journal.recent.note(|number| Record {
            number,
            at: wall.checked_sub(took).unwrap_or(wall),
            begun: at,
            took,
            method,
            host,
            path: cut(uri.path()).into(),
            version,
            scheme,
            status,
            address,
            request_id,
            trace_id: trace.trace_id,
            credential,
            particulars,
            refused_by: limits.refused,
            would_refuse: limits.would_refuse,
            sent: AtomicU64::new(0),
            over: AtomicBool::new(false),
        });
        if let Some(share) = share {
            let line = AccessLine::new(&record, share);
            match &journal.lines {
                Some(lines) => lines.write(&line),
                None => line.trace(),
            }
        }
        (journal.recent.capacity() > 0).then_some(record)
    }
}

/// So much of a path as is remembered.
fn cut(path: &str) -> &str {
    if path.len() <= Record::LONGEST_PATH {
        return path;
    }
    &path[..path.floor_char_boundary(Record::LONGEST_PATH)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_path_is_cut_between_two_characters() {
        assert_eq!(cut("/short"), "/short");
        assert_eq!(cut(&"/".repeat(2000)).len(), 1024);
        assert_eq!(cut(&format!("/{}", "ü".repeat(1000))).len(), 1023);
    }
}
