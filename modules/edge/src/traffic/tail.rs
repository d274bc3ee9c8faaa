//! Requests as they come, for as long as whoever follows them may.

use std::time::Duration;

use async_stream::stream;
use futures_util::Stream;
use gateway::Tail;
use kernel::{Caller, Filter, Vigil};

use super::fields;
use crate::Edge;
use crate::error::Error;
use crate::listing::REQUESTS;
use crate::model::{EdgeRequest, RequestTold};
use crate::permissions::REQUESTS_READ;
use crate::steering::operators_only;

/// How often the journal is looked at; requests themselves ring nobody.
const LOOK: Duration = Duration::from_millis(100);

/// What a tail tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestEvent {
    /// A request that passes the filter.
    Request(Box<EdgeRequest>),
    /// The tail was read too slowly: so many requests, up to the one with this number, came and went unread.
    Missed { missed: u64, up_to: u64 },
}

impl Edge {
    /// The requests that pass a filter: from now on, or after the one with this number if it is remembered. It ends when
    /// the caller may no longer look, or the process is about to end.
    ///
    /// Nothing is kept for a reader but its place in what is remembered anyway: who is slower than that is told how many
    /// were missed.
    ///
    /// # Errors
    /// The caller is no operator with [`REQUESTS_READ`], the filter is wrong, or too many follow already.
    pub fn follow_requests(
        &self,
        caller: &Caller,
        filter: Option<&str>,
        after: Option<i64>,
    ) -> Result<impl Stream<Item = RequestEvent> + Send + use<>, Error> {
        operators_only(caller, REQUESTS_READ)?;
        let filter = Filter::parse(&REQUESTS, filter)?;
        let lookout = self.lookout()?;
        let place = lookout.tails.clone().try_acquire_owned().map_err(|_| Error::TooManyTails)?;
        let tail = lookout.journal.follow(after.and_then(|after| u64::try_from(after).ok()));
        let (closing, mut vigil) = (lookout.closing.clone(), Vigil::over(caller));
        Ok(stream! {
            let _place = place;
            let mut tail = tail;
            loop {
                let (events, more) = read(&mut tail, &filter);
                for event in events {
                    if vigil.is_due() && !stands(&mut vigil).await {
                        return;
                    }
                    yield event;
                }
                tokio::select! {
                    () = closing.cancelled() => return,
                    () = vigil.due() => if !stands(&mut vigil).await { return },
                    () = tokio::time::sleep(LOOK), if !more => {}
                    () = std::future::ready(()), if more => {}
                }
            }
        })
    }
}

/// What has come, and whether there is more at once.
fn read(tail: &mut Tail, filter: &Filter) -> (Vec<RequestEvent>, bool) {
    let batch = tail.read();
    let mut events = Vec::new();
    if batch.missed > 0 {
        let up_to = batch.records.first().map_or_else(|| tail.position(), |record| record.number.saturating_sub(1));
        events.push(RequestEvent::Missed { missed: batch.missed, up_to });
    }
    let passing = batch.records.iter().filter(|record| fields::pass(filter, record));
    events.extend(passing.map(|record| RequestEvent::Request(Box::new(fields::told(record)))));
    (events, batch.more)
}

async fn stands(vigil: &mut Vigil) -> bool {
    vigil.look().await.is_ok_and(|caller| operators_only(caller, REQUESTS_READ).is_ok())
}

impl From<RequestEvent> for RequestTold {
    fn from(event: RequestEvent) -> Self {
        match event {
            RequestEvent::Request(request) => Self { request: Some(*request), missed: None },
            RequestEvent::Missed { missed, .. } => {
                Self { request: None, missed: Some(i64::try_from(missed).unwrap_or(i64::MAX)) }
            }
        }
    }
}
