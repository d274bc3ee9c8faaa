//! The operators' eyes on the edge's traffic: recent requests, those that come, and what limits do to them. All of it
//! lies in the memory of the process that answers.

mod fields;
mod limits;
mod tail;

use std::fmt;
use std::sync::Arc;

use gateway::{Journal, LimitFigures, Record};
use kernel::{Caller, Filter, ListParams, ListRequest, Page, Problem};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::Edge;
use crate::error::Error;
use crate::listing::REQUESTS;
use crate::model::EdgeRequest;
use crate::permissions::REQUESTS_READ;
use crate::steering::operators_only;

pub use tail::RequestEvent;

/// Who may follow requests at once.
const TAILS: usize = 32;

/// What can be seen of the gateway's traffic. `src/` wires it.
pub struct Lookout {
    journal: Arc<Journal>,
    limits: Box<dyn Fn() -> Vec<LimitFigures> + Send + Sync>,
    tails: Arc<Semaphore>,
    closing: CancellationToken,
}

impl Lookout {
    /// Over this journal, and over limits that stand as `limits` says.
    pub fn new(journal: Arc<Journal>, limits: impl Fn() -> Vec<LimitFigures> + Send + Sync + 'static) -> Self {
        let tails = Arc::new(Semaphore::new(TAILS));
        Self { journal, limits: Box::new(limits), tails, closing: CancellationToken::new() }
    }
}

impl fmt::Debug for Lookout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookout").field("journal", &self.journal).finish_non_exhaustive()
    }
}

impl Edge {
    /// From now on operators can look at this traffic.
    pub fn watch(&self, lookout: Lookout) {
        if self.lookout_cell().set(lookout).is_err() {
            tracing::error!("the edge's traffic is watched already");
        }
    }

    /// Ends all tails, at the beginning of a drain.
    pub fn end_tails(&self) {
        if let Some(lookout) = self.lookout_cell().get() {
            lookout.closing.cancel();
        }
    }

    /// Recent requests of the process that answers, the latest first.
    ///
    /// # Errors
    /// The caller is no operator with [`REQUESTS_READ`], or a parameter is wrong.
    pub async fn list_requests(
        &self,
        caller: &Caller,
        params: &ListParams,
    ) -> Result<(ListRequest, Page<EdgeRequest>), Error> {
        operators_only(caller, REQUESTS_READ)?;
        let request = ListRequest::new(&REQUESTS, params, caller, self.db()?.keys())?;
        let filter = Filter::parse(&REQUESTS, params.filter.as_deref())?;
        let span = request.span()?;
        let journal = Arc::clone(&self.lookout()?.journal);
        let number = |number: i64| u64::try_from(number).unwrap_or(0);
        let items = aside(move || {
            let all = journal.recent(span.above.map(number), span.below.map(number), span.descending);
            let chosen = all.filter(|record| fields::pass(&filter, record)).take(span.wanted);
            chosen.map(|record| fields::told(&record)).collect()
        });
        let page = request.page(items.await?)?;
        Ok((request, page))
    }

    fn lookout(&self) -> Result<&Lookout, Problem> {
        self.lookout_cell().get().ok_or_else(|| Problem::internal("the edge's traffic is not watched"))
    }
}

/// Looks through many records without holding up others.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(Problem::internal)
}

/// Those of the remembered requests that pass, the oldest first.
fn chosen(journal: &Journal, filter: &Filter) -> Vec<Arc<Record>> {
    journal.recent(None, None, false).filter(|record| fields::pass(filter, record)).collect()
}
