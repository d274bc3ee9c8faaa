//! Keeping under a CA's limits: what an action costs, as charges against buckets that all replicas share in the store.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::{
    name::Name,
    settings::{CaLimits, IssuerSettings},
};

/// The CA counts when a request arrives, a little after we did: its windows are watched that much longer.
const ON_THE_WAY: Duration = Duration::from_mins(2);
/// A certificate is charged once and may be asked for again within its step's time.
const STEP: Duration = Duration::from_hours(2);

/// A charge against one bucket: at most `limit` in any `window`, counted exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The bucket, such as `letsencrypt/orders`; up to 300 bytes.
    pub bucket: String,
    pub limit: u32,
    pub window: Duration,
    /// What is taken: 1, or 0 to ask only whether one more would fit.
    pub take: u32,
}

/// What the store answers to charges: all of them are taken, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Granted {
    Yes,
    /// No. `bucket` is the one that frees a place last, at `at`.
    NotBefore {
        at: DateTime<Utc>,
        bucket: String,
    },
}

/// The bucket that every new order of an issuer goes through.
pub(crate) fn orders_bucket(issuer: &str) -> String {
    format!("{issuer}/orders")
}

/// What placing an order takes (`take` 1, or 0 to look), and asks for: it would be a pity to place one that can't be
/// finalized.
pub(crate) fn for_order(issuer: &IssuerSettings, name: &Name, exempt: bool, take: u32) -> Vec<Charge> {
    let limits = &issuer.limits;
    let failed = charge(failed_bucket(issuer, name), limits.failed_validations, limits.failed_window, 0);
    let mut charges = vec![failed];
    if !exempt {
        charges.push(charge(orders_bucket(&issuer.id), limits.orders, limits.orders_window + ON_THE_WAY, take));
        charges.extend(certificates(&issuer.id, limits, name, 0));
    }
    kept(charges)
}

/// What a certificate takes, when it is asked for.
pub(crate) fn for_certificate(issuer: &IssuerSettings, name: &Name, exempt: bool) -> Vec<Charge> {
    if exempt { Vec::new() } else { kept(certificates(&issuer.id, &issuer.limits, name, 1).into()) }
}

/// What a failed validation took. It has happened: the charge is noted whether it fits or not.
pub(crate) fn for_failed_validation(issuer: &IssuerSettings, name: &Name) -> Vec<Charge> {
    let limits = &issuer.limits;
    kept(vec![charge(failed_bucket(issuer, name), limits.failed_validations, limits.failed_window, 1)])
}

fn certificates(issuer: &str, limits: &CaLimits, name: &Name, take: u32) -> [Charge; 2] {
    let domain = format!("{issuer}/domain/{}", name.registered_domain());
    let same = format!("{issuer}/same/{name}");
    [
        charge(domain, limits.per_domain, limits.domain_window + STEP, take),
        charge(same, limits.duplicates, limits.duplicate_window + STEP, take),
    ]
}

fn failed_bucket(issuer: &IssuerSettings, name: &Name) -> String {
    format!("{}/failed/{}", issuer.id, name.host())
}

fn charge(bucket: String, limit: u32, window: Duration, take: u32) -> Charge {
    Charge { bucket, limit, window, take }
}

fn kept(charges: Vec<Charge>) -> Vec<Charge> {
    charges.into_iter().filter(|charge| charge.limit > 0).collect()
}
