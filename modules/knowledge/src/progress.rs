//! How far documents are, as it changes: for whoever watches.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use async_stream::stream;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::Stream;
use kernel::{Caller, Problem, Vigil};
use vault::DocumentId;

use crate::documents::places;
use crate::error::Error;
use crate::knowledge::Knowledge;
use crate::model::Ingest;
use crate::permissions::READ;
use crate::store::documents;

/// How soon changes of other processes are seen.
const LOOK: Duration = Duration::from_secs(1);
/// A change may be committed so much later than its time says.
const LATE: TimeDelta = TimeDelta::seconds(5);
/// Who watches asks anew after this long, and is looked at as any other request is then.
const LIFE: Duration = Duration::from_secs(300);
/// Changes told of at once.
const AT_ONCE: u64 = 500;
/// Time for one look at the database.
const TIME: Duration = Duration::from_secs(10);

impl Knowledge {
    /// The documents that the caller may read, each time one changes; from now on, or again from `since` on. It ends after
    /// five minutes, or when the caller may no longer look or what they came by has ended.
    ///
    /// # Errors
    /// The caller lacks [`READ`].
    pub fn follow_progress(
        &self,
        caller: &Caller,
        since: Option<DateTime<Utc>>,
    ) -> Result<impl Stream<Item = Ingest> + Send + use<>, Error> {
        caller.require(READ)?;
        let (this, mut vigil) = (self.clone(), Vigil::over(caller));
        let mut from = since.unwrap_or_else(|| this.db().clock().now());
        Ok(stream! {
            let end = Instant::now() + LIFE;
            let mut told: HashMap<DocumentId, (DateTime<Utc>, i64)> = HashMap::new();
            while Instant::now() < end {
                let changed = this.changed();
                let Ok(caller) = vigil.look().await else { return };
                let mut caller = caller.clone();
                caller.request.deadline = Instant::now() + TIME;
                let Ok(items) = this.changes(&caller, from - LATE).await else { return };
                told.retain(|_, (at, _)| *at >= from - LATE - LATE);
                for item in items {
                    from = from.max(item.updated_at);
                    let before = told.insert(item.document, (item.updated_at, item.version));
                    let new = before.is_none_or(|(_, version)| version != item.version);
                    if new && since.is_none_or(|since| item.updated_at > since) {
                        yield item;
                    }
                }
                tokio::select! {
                    () = changed => {}
                    () = vigil.due() => {}
                    () = tokio::time::sleep(LOOK) => {}
                }
            }
        })
    }

    async fn changes(&self, caller: &Caller, after: DateTime<Utc>) -> Result<Vec<Ingest>, Problem> {
        let reach = self.vault().reach(caller).await?;
        let places = places(&reach);
        let places = places.as_ref().map(|(collections, documents)| (collections.as_slice(), documents.as_slice()));
        self.db().read(caller, async |tx| documents::changed(tx, after, places, AT_ONCE).await).await
    }
}
