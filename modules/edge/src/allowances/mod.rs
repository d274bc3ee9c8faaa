//! The budgets that replicas share, in the store that the settings name: settled in the background, in rounds.
//!
//! Deliberately absent: a second try within a round, and a pause after a store that is away. The next round is both.

mod address;
mod budget;
mod nats;
mod redis;
mod rows;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use gateway::{Allowances, Claim, KeyName, Settled};
use kernel::{Db, Mac};

use self::address::Address;
use self::nats::Nats;
use self::redis::Redis;
use self::rows::Rows;
use crate::config::{LimitStore, SharedLimitsConfig};
use crate::error::SharedLimitsError;

pub(crate) use self::budget::settle;

/// A store that takes longer counts as away.
const PATIENCE: Duration = Duration::from_secs(2);
/// A replica that was not heard of for so long is gone.
pub(crate) const SILENCE: Duration = Duration::from_secs(15);

/// Budgets of limits that processes share, for one of them.
pub struct SharedBudgets {
    names: Mac,
    name: &'static str,
    store: Store,
    away: AtomicBool,
}

enum Store {
    Rows(Rows),
    Redis(Box<Redis>),
    Nats(Box<Nats>),
}

/// What kept a store from settling.
#[derive(Debug)]
pub(crate) struct Away(String);

/// Names what lies in a store that others may use as well.
struct Names {
    /// One for all processes on the same root key, and for nobody else.
    installation: String,
    /// This process among them.
    replica: String,
}

impl SharedBudgets {
    /// Asks nobody yet: a store that is away keeps nothing from starting. `longest` is how long the slowest of the
    /// limits takes to be whole again.
    ///
    /// # Errors
    /// Settings that fit no store.
    pub fn open(config: &SharedLimitsConfig, longest: Duration, db: Db) -> Result<Self, SharedLimitsError> {
        let macs = db.keys().mac("edge allowance");
        let names = Names {
            installation: hex::encode(&macs.tag(&[b"installation"])[..8]),
            replica: db.random().uuid().simple().to_string(),
        };
        let store = match Address::read(config)? {
            Address::Database => Store::Rows(Rows::new(db, names.replica)),
            Address::Redis(client) => Store::Redis(Box::new(Redis::new(*client, names))),
            Address::Nats(servers) => Store::Nats(Box::new(Nats::new(servers, names, longest))),
        };
        Ok(Self { names: macs, name: config.store.name(), store, away: AtomicBool::new(false) })
    }

    fn round<'a>(&'a self, claims: &'a [Claim]) -> BoxFuture<'a, Result<Settled, Away>> {
        match &self.store {
            Store::Rows(rows) => in_time(rows.settle(claims)).boxed(),
            Store::Redis(redis) => in_time(redis.settle(claims)).boxed(),
            Store::Nats(nats) => in_time(nats.settle(claims)).boxed(),
        }
    }
}

impl Allowances for SharedBudgets {
    fn name(&self, limit: &str, key: &[u8]) -> KeyName {
        let tag = self.names.tag(&[limit.as_bytes(), key]);
        std::array::from_fn(|at| tag[at])
    }

    fn settle<'a>(&'a self, claims: &'a [Claim]) -> BoxFuture<'a, Option<Settled>> {
        async move {
            let settled = self.round(claims).await;
            let (store, away) = (self.name, settled.is_err());
            match (&settled, self.away.swap(away, Ordering::Relaxed)) {
                (Err(Away(why)), false) => {
                    tracing::warn!(store, why, "limits that replicas share go by local shares");
                }
                (Ok(_), true) => tracing::info!(store, "limits are shared among replicas again"),
                _ => {}
            }
            settled.ok()
        }
        .boxed()
    }
}

impl SharedLimitsConfig {
    /// Asks the store whether it would serve; the sentence says which it is.
    ///
    /// # Errors
    /// Settings that fit no store, or a store that is away or can't do what is needed.
    pub async fn check(&self) -> Result<&'static str, SharedLimitsError> {
        let asked = match Address::read(self)? {
            Address::Database => return Ok("they count in the database"),
            Address::Redis(client) => in_time(redis::ask(&client).boxed()).await.map(|()| "Redis serves"),
            Address::Nats(servers) => {
                in_time(nats::ask(&servers).boxed()).await.map(|()| "NATS serves, with JetStream")
            }
        };
        asked.map_err(|Away(why)| SharedLimitsError::Away { store: self.store.name(), why })
    }
}

async fn in_time<T>(work: impl Future<Output = Result<T, Away>>) -> Result<T, Away> {
    let late = |_| Away(format!("no answer within {} s", PATIENCE.as_secs()));
    tokio::time::timeout(PATIENCE, work).await.map_err(late)?
}

impl<E: std::error::Error> From<E> for Away {
    fn from(error: E) -> Self {
        let mut sentence = error.to_string();
        let mut cause = error.source();
        while let Some(deeper) = cause {
            let said = deeper.to_string();
            if !sentence.contains(&said) {
                sentence = format!("{sentence}: {said}");
            }
            cause = deeper.source();
        }
        Self(sentence)
    }
}
