//! Checks that come by themselves: each process takes domains whose time has come, a few at once, and whoever begins a
//! check keeps the others from it. A check that a crash cut off is begun again after its pause.

use std::time::Duration;

use futures_util::future::join_all;
use kernel::{Caller, Problem, Tasks, Tx};

use crate::Tenancy;
use crate::domains::claims::BELL;
use crate::store;
use crate::store::domains::Begun;

/// The longest wait between two looks.
const LOOK: Duration = Duration::from_secs(2);

impl Tenancy {
    /// Starts the background work of this module: the checks of domains.
    pub fn start(&self, tasks: &Tasks) {
        if self.config().domains.checks_at_once == 0 {
            return;
        }
        let (tenancy, its_tasks) = (self.clone(), tasks.clone());
        tasks.spawn(async move {
            let bell = tenancy.db().signals().bell(BELL);
            while !its_tasks.is_stopping() {
                match tenancy.check_due().await {
                    Ok(0) => {}
                    Ok(_) => continue,
                    Err(problem) => tracing::warn!(?problem, "domains wait for the database to be checked"),
                }
                tokio::select! {
                    () = its_tasks.stopping() => {}
                    () = bell.notified() => {}
                    () = tokio::time::sleep(LOOK) => {}
                }
            }
        });
    }

    /// Checks domains whose time has come, at most `checks_at_once`; how many.
    pub(crate) async fn check_due(&self) -> Result<usize, Problem> {
        let most = self.config().domains.checks_at_once;
        let look = async |tx: &Tx| store::domains::due(tx, tx.now() - self.pause(), most).await;
        let due = self.db().read(&Caller::platform("tenancy"), look).await?;
        if due.is_empty() {
            return Ok(0);
        }
        let begin = async |tx: &Tx| {
            let mut begun = Vec::new();
            for (tenant, id) in &due {
                begun.extend(store::domains::begin_due(tx, *tenant, *id, tx.now() - self.pause()).await?);
            }
            Ok::<_, Problem>(begun)
        };
        let begun = self.db().write(&Caller::platform("tenancy"), begin).await?;
        join_all(begun.iter().map(|begun| self.check_one(begun))).await;
        Ok(begun.len())
    }

    async fn check_one(&self, begun: &Begun) {
        let caller = Caller::system("tenancy", begun.tenant);
        if let Err(error) = self.check(&caller, begun).await {
            let problem = Problem::from(error);
            tracing::warn!(?problem, domain = %begun.id, "a check of a domain could not be written down");
        }
    }
}
