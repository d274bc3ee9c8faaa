//! Every change stands in the audit trail and in the event log, under one name, in its own transaction.

use audit::Entry;
use kernel::{AccountId, Caller, Problem, Tx};
use serde_json::Value;

/// What happened to what, and what else is worth knowing; no secrets.
pub(crate) struct News {
    pub(crate) action: &'static str,
    /// The account concerned, in whose order the events are heard.
    pub(crate) account: Option<AccountId>,
    pub(crate) target: (&'static str, String),
    pub(crate) details: Value,
}

/// Records and publishes what was done.
pub(crate) async fn done(tx: &Tx, caller: &Caller, news: News) -> Result<(), Problem> {
    publish(tx, &news).await?;
    audit::append(tx, caller, entry(Entry::success(news.action), news)).await
}

/// Records and publishes what was refused.
pub(crate) async fn denied(tx: &Tx, caller: &Caller, news: News) -> Result<(), Problem> {
    publish(tx, &news).await?;
    audit::append(tx, caller, entry(Entry::denied(news.action), news)).await
}

fn entry(entry: Entry, news: News) -> Entry {
    let (kind, id) = news.target;
    entry.target(kind, id).details(news.details)
}

async fn publish(tx: &Tx, news: &News) -> Result<(), Problem> {
    let key = news.account.map_or_else(|| tx.tenant().to_string(), |account| account.to_string());
    let mut data = news.details.clone();
    if let Some(object) = data.as_object_mut() {
        let (kind, id) = &news.target;
        object.insert(format!("{kind}_id"), id.as_str().into());
        if let Some(account) = news.account {
            object.insert("account_id".to_owned(), account.to_string().into());
        }
    }
    events::publish(tx, news.action, &key, data).await.map(|_| ())
}
