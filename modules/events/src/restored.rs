//! After a backup was restored on another server: that server's transactions have lower numbers than the log, and
//! readers would pass every new event by. All numbers of the log go down alike, which keeps order and places.

use futures_util::FutureExt;
use kernel::{Caller, Problem, Tx};

use crate::store;
use crate::subscriber::Events;

/// The number under which processes that start at once take turns.
const TURN: i64 = 0x6576_656e_7473;

impl Events {
    /// Makes the log fit the server that it lies on; changes nothing unless it came from another one. To be called
    /// after the migrations and before anything is published.
    ///
    /// # Errors
    /// What the database says.
    pub async fn prepare(&self) -> Result<(), Problem> {
        let caller = Caller::platform("events");
        let prepare = async |tx: &Tx| {
            tx.lock(TURN).await?;
            if let Some(excess) = store::excess(tx).await? {
                tracing::warn!(excess, "the log of events comes from another server; its numbers are lowered");
                store::lower(tx, excess).await?;
            }
            Ok(())
        };
        self.db.write(&caller, prepare).boxed().await
    }
}
