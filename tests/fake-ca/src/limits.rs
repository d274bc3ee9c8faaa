//! What the CA counts. It counts exactly, in sliding windows, and writes down every breach.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use edge_certificates::{CaLimits, Name};

/// A limit that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    pub at: DateTime<Utc>,
    pub bucket: String,
}

#[derive(Debug, Default)]
pub(crate) struct Counted {
    buckets: HashMap<String, VecDeque<DateTime<Utc>>>,
    pub(crate) breaches: Vec<Breach>,
}

impl Counted {
    pub(crate) fn order(&mut self, limits: &CaLimits, account: u64, now: DateTime<Utc>) -> Result<(), Duration> {
        self.count(format!("orders of {account}"), limits.orders, limits.orders_window, now)
    }

    pub(crate) fn certificate(&mut self, limits: &CaLimits, name: &Name, now: DateTime<Utc>) -> Result<(), Duration> {
        let domain = format!("domain {}", name.registered_domain());
        self.count(domain, limits.per_domain, limits.domain_window, now)?;
        self.count(format!("same {name}"), limits.duplicates, limits.duplicate_window, now)
    }

    /// Failed validations are refused before the next one: the count itself is not a breach.
    pub(crate) fn failed(&mut self, limits: &CaLimits, account: u64, host: &str, now: DateTime<Utc>) {
        let bucket = format!("failed {account} {host}");
        let _counted = self.count(bucket, limits.failed_validations, limits.failed_window, now).is_ok();
    }

    fn count(&mut self, bucket: String, limit: u32, window: Duration, now: DateTime<Utc>) -> Result<(), Duration> {
        if limit == 0 {
            return Ok(());
        }
        let window = TimeDelta::from_std(window).unwrap_or(TimeDelta::days(36_500));
        let times = self.buckets.entry(bucket.clone()).or_default();
        while times.front().is_some_and(|first| *first <= now - window) {
            times.pop_front();
        }
        if times.len() >= usize::try_from(limit).unwrap_or(usize::MAX) {
            let wait = times.front().map_or(window, |first| *first + window - now);
            self.breaches.push(Breach { at: now, bucket });
            return Err(wait.to_std().unwrap_or_default());
        }
        times.push_back(now);
        Ok(())
    }
}
