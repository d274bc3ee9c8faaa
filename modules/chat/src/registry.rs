//! The answers that this process is writing, and how many it may write at once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kernel::{AccountId, TenantId};

use crate::config::ChatConfig;
use crate::error::Error;
use crate::live::Live;
use crate::model::AnswerId;

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    tenants: HashMap<TenantId, usize>,
    accounts: HashMap<(TenantId, AccountId), usize>,
}

/// Answers under way. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Registry {
    lives: Arc<Mutex<HashMap<AnswerId, Arc<Live>>>>,
    counts: Arc<Mutex<Counts>>,
}

/// A place among the answers under way; given back when dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    registry: Registry,
    tenant: TenantId,
    account: AccountId,
}

impl Registry {
    /// A place for one more answer.
    ///
    /// # Errors
    /// [`Error::TooManyAnswers`].
    pub(crate) fn seat(&self, config: &ChatConfig, tenant: TenantId, account: AccountId) -> Result<Seat, Error> {
        let mut counts = self.counts();
        let of_tenant = counts.tenants.get(&tenant).copied().unwrap_or(0);
        let of_account = counts.accounts.get(&(tenant, account)).copied().unwrap_or(0);
        let full = counts.all >= config.max_answers
            || of_tenant >= config.max_answers_per_tenant
            || of_account >= config.max_answers_per_account;
        if full {
            metrics::counter!("holdfast_chat_refused_total", "reason" => "too_many").increment(1);
            return Err(Error::TooManyAnswers);
        }
        counts.all += 1;
        counts.tenants.insert(tenant, of_tenant + 1);
        counts.accounts.insert((tenant, account), of_account + 1);
        metrics::gauge!("holdfast_chat_answers_running").increment(1.0);
        Ok(Seat { registry: self.clone(), tenant, account })
    }

    pub(crate) fn add(&self, live: &Arc<Live>) {
        self.lives().insert(live.id, Arc::clone(live));
    }

    pub(crate) fn remove(&self, id: AnswerId) {
        self.lives().remove(&id);
    }

    pub(crate) fn get(&self, id: AnswerId) -> Option<Arc<Live>> {
        self.lives().get(&id).cloned()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lives().is_empty()
    }

    fn lives(&self) -> MutexGuard<'_, HashMap<AnswerId, Arc<Live>>> {
        self.lives.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.registry.counts();
        counts.all = counts.all.saturating_sub(1);
        less(&mut counts.tenants, &self.tenant);
        less(&mut counts.accounts, &(self.tenant, self.account));
        metrics::gauge!("holdfast_chat_answers_running").decrement(1.0);
    }
}

fn less<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}
