//! The limits of whoever is known, for the application behind the edge, which alone knows them.

use std::{
    hash::{BuildHasher, Hash, RandomState},
    num::NonZeroU32,
    sync::Arc,
};

use super::{Charges, LimitFigures, RateLimits, Subject, policy::Policy};

/// Charges accounts and tenants, once the application knows who asks.
pub struct Meter {
    account: Option<Arc<Policy>>,
    tenant: Option<Arc<Policy>>,
    keys: RandomState,
}

impl Meter {
    /// Must be made after the recorder of metrics is installed.
    pub fn new(config: &RateLimits) -> Self {
        Self {
            account: Policy::new("account", config.account, config.max_entries),
            tenant: Policy::new("tenant", config.tenant, config.max_entries),
            keys: RandomState::new(),
        }
    }

    /// Takes one request from the quotas of an account and of its tenant. The application answers 429 if that is
    /// [`Charges::refused`], and leaves the charges in the extensions of its answer, so that the edge tells of them.
    pub fn charge(&self, account: impl Hash, tenant: impl Hash) -> Charges {
        let mut charges = Charges::default();
        let pairs = [(&self.account, self.keys.hash_one(account)), (&self.tenant, self.keys.hash_one(tenant))];
        for (policy, key) in pairs {
            charges.left.extend(policy.as_ref().map(|policy| policy.charge(key, NonZeroU32::MIN)));
        }
        charges.note();
        charges
    }

    /// How they stand.
    pub fn figures(&self) -> Vec<LimitFigures> {
        let pairs = [(&self.account, Subject::Account), (&self.tenant, Subject::Tenant)];
        pairs.into_iter().filter_map(|(policy, by)| Some(policy.as_ref()?.figures(by))).collect()
    }

    /// Brings those figures up to date that are not counted as they change.
    pub fn note_figures(&self) {
        [&self.account, &self.tenant].into_iter().flatten().for_each(|policy| policy.note_clients());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Rate;

    #[test]
    fn accounts_have_their_own_quota_and_share_that_of_their_tenant() {
        let off = Rate { per_minute: 0, burst: 0 };
        let few = |burst| Rate { per_minute: 1, burst };
        let config = RateLimits { address: off, key: off, account: few(2), tenant: few(3), max_entries: 100 };
        let meter = Meter::new(&config);
        let refused = |account: &str, tenant: &str| meter.charge(account, tenant).refused();

        assert!(!refused("ali", "acme") && !refused("ali", "acme"));
        assert!(refused("ali", "acme"), "the account's");
        assert!(refused("eve", "acme"), "the tenant's: what was refused is charged where there was room");
        assert!(!refused("eve", "other"));
    }
}
