//! What began at a tenant's own domain ends with it.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use events::Event;
use kernel::{Caller, Problem, Tx};
use serde::Deserialize;
use serde_json::json;

use crate::Identity;
use crate::announce::{self, News};
use crate::store;

/// What is read of `tenancy.domain.released`.
#[derive(Deserialize)]
struct Released {
    name: String,
}

impl Identity {
    /// The tenant's own domain that a caller came by, for what begins there to be bound to it.
    ///
    /// # Errors
    /// The 404 when the domain was released while the request was under way.
    pub(crate) async fn domain_of(&self, tx: &Tx, caller: &Caller) -> Result<Option<String>, Problem> {
        let host = caller.request.host.as_deref();
        let Some(domain) = host.and_then(|host| self.0.tenancy.own_domain(host)) else { return Ok(None) };
        if self.0.tenancy.holds_host(tx, &domain).await? { Ok(Some(domain)) } else { Err(Problem::not_found()) }
    }

    /// Ends the sessions and keys that began at a domain before it was released.
    pub(crate) async fn leave_domain(&self, tx: &Tx, event: &Event) -> Result<(), Problem> {
        let released: Released = serde_json::from_value(event.data.clone()).map_err(Problem::internal)?;
        let hosts = match released.name.strip_prefix('*') {
            None => vec![released.name.clone()],
            Some(suffix) => self.covered(tx, suffix).await?,
        };
        let mut ended = 0;
        for host in hosts {
            ended += self.end_at(tx, &host, event.occurred_at).await?;
        }
        if ended == 0 {
            return Ok(());
        }
        let news = News {
            action: "identity.domain_left",
            account: None,
            target: ("domain", released.name),
            details: json!({ "number": ended }),
        };
        announce::done(tx, &Caller::system("identity", tx.tenant()), news).await
    }

    /// The hosts that a wildcard covered and no domain of their own keeps, as far as something began there.
    async fn covered(&self, tx: &Tx, suffix: &str) -> Result<Vec<String>, Problem> {
        let mut hosts = Vec::new();
        for host in store::domains::hosts(tx).await? {
            let one_label = host.strip_suffix(suffix).is_some_and(|label| !label.is_empty() && !label.contains('.'));
            if one_label && !self.0.tenancy.holds_host(tx, &host).await? {
                hosts.push(host);
            }
        }
        Ok(hosts)
    }

    async fn end_at(&self, tx: &Tx, host: &str, until: DateTime<Utc>) -> Result<usize, Problem> {
        let ended = store::domains::end(tx, host, until).await?;
        let accounts: BTreeSet<_> = ended.iter().copied().collect();
        accounts.into_iter().for_each(|account| Self::forget_on_commit(tx, account));
        Ok(ended.len())
    }
}
