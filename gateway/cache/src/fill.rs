//! Takes an origin's body in: for those who read along, and to store it when it is whole.

use std::{io, sync::Arc};

use bytes::Bytes;
use http_body_util::BodyExt;
use tokio::time::timeout;

use crate::{
    body::into_io,
    budget::Share,
    cache::Inner,
    flights::Lead,
    spool::Spool,
    stored::{Head, Stored},
    visit::OriginBody,
};

/// What waits for readers of an answer that is too large to keep.
const WINDOW: usize = 64 * 1024;

/// A body on its way in. It goes on when its first reader leaves, as long as it may be stored.
#[derive(Debug)]
pub(crate) struct Fill {
    pub(crate) inner: Arc<Inner>,
    pub(crate) lead: Lead,
    pub(crate) head: Arc<Head>,
    pub(crate) spool: Arc<Spool>,
    pub(crate) share: Share,
    /// The largest body to keep.
    pub(crate) limit: u64,
    /// The length that the origin named.
    pub(crate) length: Option<u64>,
}

impl Fill {
    pub(crate) async fn run(mut self, body: impl OriginBody) {
        if let Err(error) = self.take_in(body).await {
            self.spool.fail(error.kind(), &error.to_string());
        }
    }

    async fn take_in(&mut self, mut body: impl OriginBody) -> io::Result<()> {
        let (mut total, mut keeps, mut stored, mut trailers) = (0, true, false, None);
        if body.is_end_stream() {
            stored = self.commit(&Bytes::new(), 0)?;
        }
        loop {
            let silence = self.inner.config.body_timeout;
            let next = timeout(silence, body.frame()).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?;
            let Some(frame) = next else { break };
            let chunk = match frame.map_err(into_io)?.into_data() {
                Ok(chunk) => chunk,
                Err(frame) => {
                    trailers = frame.into_trailers().ok();
                    continue;
                }
            };
            total += chunk.len() as u64;
            if keeps && !stored && (total > self.limit || !self.share.grow_to(total)) {
                keeps = false;
                self.lead.close();
                self.spool.flow();
            }
            // Stored before the client can see the end, so that its next request finds it.
            let is_last = body.is_end_stream() || self.length == Some(total);
            if keeps && !stored && is_last {
                stored = self.commit(&chunk, total)?;
            }
            self.spool.push(chunk);
            if !keeps && !self.has_room().await {
                return Ok(());
            }
        }
        if keeps && !stored {
            self.commit(&Bytes::new(), total)?;
        } else if self.length.is_some_and(|length| length != total) {
            return Err(incomplete());
        }
        self.spool.finish(trailers);
        Ok(())
    }

    /// Stores the whole, of which `last` is not in the spool yet. Errs if the origin had promised another length.
    fn commit(&self, last: &Bytes, total: u64) -> io::Result<bool> {
        if self.length.is_some_and(|length| length != total) {
            return Err(incomplete());
        }
        let body = self.spool.whole_with(last);
        self.inner.commit(&self.lead, &Arc::new(Stored { head: Arc::clone(&self.head), body }));
        Ok(true)
    }

    /// Waits for the readers of an answer that is not kept; leaves the slowest behind. `false`: nobody reads.
    async fn has_room(&self) -> bool {
        loop {
            match timeout(self.inner.config.body_timeout, self.spool.room(WINDOW)).await {
                Ok(is_read) => return is_read,
                Err(_) => self.spool.leave_slowest(),
            }
        }
    }
}

fn incomplete() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the origin's answer ended early")
}

impl Inner {
    /// Stores an answer, unless it was purged while it came in. Looked at before and after, so that a purge at the
    /// same time either sees the answer or is seen.
    pub(crate) fn commit(&self, lead: &Lead, stored: &Arc<Stored>) -> bool {
        let now = self.clock.now();
        let large = self.disk.as_ref().filter(|disk| disk.is_for(stored.body.len()));
        let watched = large.map(|disk| (disk, disk.watch()));
        if !lead.flight().verdict(&stored.head, now) || !self.memory.put(lead.key(), Arc::clone(stored)) {
            return false;
        }
        if !lead.flight().verdict(&stored.head, now) {
            self.memory.take_out(lead.key(), stored);
            return false;
        }
        if let Some((disk, watch)) = watched {
            disk.keep(lead.key(), stored, watch);
        }
        self.counters.stored.add(1);
        true
    }
}
