//! The tables of the store in memory, and what a transaction does to them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use edge_certificates::{
    Answer, ChallengeKind, Charge, Due, Entry, Granted, Issued, Lane, Lease, Name, Record, Save, StoreError, Waiting,
};

/// Entries kept of each name.
const TIMELINE: usize = 64;

#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) token: u64,
    pub(crate) until: Option<DateTime<Utc>>,
}

#[derive(Debug, Default)]
pub(crate) struct Tables {
    records: HashMap<Name, Record>,
    pub(crate) due: BTreeSet<(Lane, DateTime<Utc>, Option<Name>)>,
    pub(crate) expiring: BTreeSet<(DateTime<Utc>, Name)>,
    to_expire: HashSet<Name>,
    pub(crate) leases: HashMap<String, Held>,
    answers: HashMap<Name, Vec<Answer>>,
    pub(crate) issued: HashMap<Name, Issued>,
    pub(crate) versions: BTreeMap<u64, Name>,
    version: u64,
    buckets: HashMap<String, VecDeque<DateTime<Utc>>>,
    pub(crate) accounts: HashMap<String, Vec<u8>>,
    pub(crate) timeline: HashMap<Name, VecDeque<(String, Entry)>>,
}

impl Tables {
    pub(crate) fn record(&self, name: &Name) -> Option<Record> {
        self.records.get(name).cloned()
    }

    pub(crate) fn put(&mut self, record: Record) {
        self.unlist(&record.name);
        self.due.insert((record.lane, record.due, Some(record.name.clone())));
        if let Some(held) = &record.progress.held
            && !self.to_expire.contains(&record.name)
        {
            self.expiring.insert((held.not_after, record.name.clone()));
        }
        self.records.insert(record.name.clone(), record);
    }

    fn unlist(&mut self, name: &Name) {
        let Some(former) = self.records.get(name) else { return };
        self.due.remove(&(former.lane, former.due, Some(name.clone())));
        if let Some(held) = &former.progress.held {
            self.expiring.remove(&(held.not_after, name.clone()));
        }
    }

    pub(crate) fn expect_to_expire(&mut self, name: &Name) {
        self.to_expire.insert(name.clone());
        if let Some(held) = self.records.get(name).and_then(|record| record.progress.held.as_ref()) {
            self.expiring.remove(&(held.not_after, name.clone()));
        }
    }

    pub(crate) fn want(&mut self, name: &Name, tenant: &str, now: DateTime<Utc>) {
        let record = match self.record(name) {
            None => Record::new(name.clone(), tenant, now),
            Some(mut known) => {
                if !known.wanted {
                    (known.wanted, known.due) = (true, now);
                    known.lane = edge_certificates::transition::lane(&known.progress);
                }
                tenant.clone_into(&mut known.tenant);
                known
            }
        };
        self.put(record);
    }

    /// Of each tenant the longest due; the first of every tenant before the second of any.
    pub(crate) fn due(&self, asked: Due) -> Vec<Waiting> {
        let per_tenant = usize::try_from(asked.per_tenant).unwrap_or(usize::MAX);
        let mut taken: HashMap<&str, usize> = HashMap::new();
        let mut ranked = Vec::new();
        for (lane, due, name) in self.due.range((asked.lane, DateTime::<Utc>::MIN_UTC, None)..) {
            if *lane != asked.lane || *due > asked.now {
                break;
            }
            let Some(record) = name.as_ref().and_then(|name| self.records.get(name)) else { continue };
            let leased = self.leases.get(record.name.as_str()).and_then(|held| held.until);
            if leased.is_some_and(|until| until > asked.now) {
                continue;
            }
            let count = taken.entry(&record.tenant).or_default();
            if *count < per_tenant {
                ranked.push((*count, record));
                *count += 1;
            }
        }
        ranked.sort_by_key(|(rank, _)| *rank);
        let limit = usize::try_from(asked.limit).unwrap_or(usize::MAX);
        let waiting = |record: &Record| {
            let (name, tenant) = (record.name.clone(), record.tenant.clone());
            Waiting { name, tenant, due: record.due, lane: record.lane }
        };
        ranked.into_iter().take(limit).map(|(_, record)| waiting(record)).collect()
    }

    pub(crate) fn save(&mut self, lease: &Lease, save: Save) -> Result<(), StoreError> {
        let held = self.leases.get_mut(&lease.key).filter(|held| held.token == lease.token).ok_or(StoreError::Stale)?;
        held.until = Some(save.lease_until);
        let name = Name::parse(&lease.key).map_err(|_| StoreError::Stale)?;
        let Some(mut record) = self.record(&name) else { return Err(StoreError::Stale) };
        let timeline = self.timeline.entry(name.clone()).or_default();
        timeline.extend(save.entries.into_iter().map(|entry| (record.tenant.clone(), entry)));
        let excess = timeline.len().saturating_sub(TIMELINE);
        timeline.drain(..excess);
        if let Some(answers) = save.answers {
            if answers.is_empty() {
                self.answers.remove(&name)
            } else {
                self.answers.insert(name.clone(), answers)
            };
        }
        if save.forget {
            self.forget(&name, &record);
            return Ok(());
        }
        if let Some(sealed) = save.certificate {
            self.issue(&name, Some(sealed));
        }
        record.progress = save.progress;
        // A name that was unwanted meanwhile stays due to be forgotten.
        if record.wanted {
            (record.due, record.lane) = (save.due, save.lane);
        }
        self.put(record);
        Ok(())
    }

    fn forget(&mut self, name: &Name, record: &Record) {
        if let Some(held) = self.leases.get_mut(name.as_str()) {
            held.until = None;
        }
        if record.wanted {
            return;
        }
        self.unlist(name);
        self.records.remove(name);
        self.answers.remove(name);
        if self.issued.contains_key(name) {
            self.issue(name, None);
        }
    }

    fn issue(&mut self, name: &Name, sealed: Option<edge_certificates::SealedCertificate>) {
        self.version += 1;
        let issued = Issued { name: name.clone(), version: self.version, sealed };
        if let Some(former) = self.issued.insert(name.clone(), issued) {
            self.versions.remove(&former.version);
        }
        self.versions.insert(self.version, name.clone());
    }

    pub(crate) fn charge(&mut self, charges: &[Charge], now: DateTime<Utc>) -> Granted {
        let refused = charges.iter().filter_map(|charge| {
            let window = TimeDelta::from_std(charge.window).unwrap_or(TimeDelta::days(36_500));
            let times = self.buckets.entry(charge.bucket.clone()).or_default();
            while times.front().is_some_and(|first| *first <= now - window) {
                times.pop_front();
            }
            let limit = usize::try_from(charge.limit).unwrap_or(usize::MAX);
            let excess = (times.len() + 1).checked_sub(limit).filter(|excess| *excess > 0)?;
            times.get(excess - 1).map(|first| (*first + window, charge.bucket.clone()))
        });
        if let Some((at, bucket)) = refused.max() {
            return Granted::NotBefore { at, bucket };
        }
        charges.iter().for_each(|charge| self.take(charge, now));
        Granted::Yes
    }

    pub(crate) fn take(&mut self, charge: &Charge, now: DateTime<Utc>) {
        let times = self.buckets.entry(charge.bucket.clone()).or_default();
        times.extend((0..charge.take).map(|_| now));
    }

    pub(crate) fn answer(&self, kind: ChallengeKind, is: impl Fn(&Answer) -> bool) -> Option<String> {
        let mut all = self.answers.values().flatten().filter(|answer| answer.kind == kind);
        all.find(|answer| is(answer)).map(|answer| answer.key_authorization.clone())
    }
}
