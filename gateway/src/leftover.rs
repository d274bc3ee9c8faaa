//! The rest of a body that the application did not read.

use std::{
    future::poll_fn,
    mem,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::timeout;

use crate::source::Source;

/// The most that is read for nobody, to keep a connection.
const MOST: usize = 64 * 1024;
/// How long to wait for it.
const PATIENCE: Duration = Duration::from_millis(50);

#[derive(Debug, Default)]
enum Rest {
    /// The body was read to its end, or its reader still has it.
    #[default]
    None,
    /// Nobody will read this.
    Unread(Source),
    /// It broke, or was cut.
    Lost,
}

/// Where a body leaves what its reader dropped, for the connection to decide whether another request can follow.
#[derive(Clone, Debug, Default)]
pub(crate) struct Leftover(Arc<Mutex<Rest>>);

impl Leftover {
    /// The reader went before the end of the body.
    pub(crate) fn leave(&self, incoming: Source) {
        if !incoming.is_end_stream() {
            self.put(Rest::Unread(incoming));
        }
    }

    /// What follows can't be found any more.
    pub(crate) fn lose(&self) {
        self.put(Rest::Lost);
    }

    fn put(&self, rest: Rest) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = rest;
    }

    /// Whether the connection is clear for another request, after a small rest was read if `may_read` (not of a client
    /// that waits for our leave to send it). If not, the answer must say that the connection closes (RFC 9112, section
    /// 9.6), or a client sends its next request into a closed socket.
    pub(crate) async fn clear(&self, may_read: bool) -> bool {
        let rest = mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        match rest {
            Rest::None => true,
            Rest::Lost => false,
            Rest::Unread(_) if !may_read => false,
            Rest::Unread(incoming) => timeout(PATIENCE, drain(incoming)).await.unwrap_or(false),
        }
    }
}

async fn drain(mut incoming: Source) -> bool {
    let mut read = 0;
    while let Some(frame) = poll_fn(|cx| incoming.poll_frame(cx)).await {
        let Ok(frame) = frame else { return false };
        read += frame.data_ref().map_or(0, bytes::Bytes::len);
        if read > MOST {
            return false;
        }
    }
    true
}
