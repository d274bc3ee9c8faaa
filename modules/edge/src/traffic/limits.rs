//! Limits: how those in force stand, and what another one would have done.

use std::collections::HashSet;
use std::num::NonZeroU32;
use std::sync::Arc;

use gateway::{Hypothesis, LimitFigures, Record, Simulated, Subject};
use kernel::{Caller, Filter};

use super::{aside, chosen, fields};
use crate::Edge;
use crate::error::Error;
use crate::listing::REQUESTS;
use crate::model::{
    LimitHypothesis, LimitInForce, LimitSimulation, LimitSubject, LimitToll, LimitedBy, LimitedClient, LimitsInForce,
};
use crate::permissions::{REQUESTS_READ, ROUTES_READ};
use crate::steering::operators_only;

/// The most clients that a simulation tells.
const TOP: usize = 20;

impl Edge {
    /// The limits in force in the process that answers, with their figures.
    ///
    /// # Errors
    /// The caller is no operator with [`ROUTES_READ`].
    pub fn limits(&self, caller: &Caller) -> Result<LimitsInForce, Error> {
        operators_only(caller, ROUTES_READ)?;
        Ok(LimitsInForce { limits: (self.lookout()?.limits)().into_iter().map(in_force).collect() })
    }

    /// What a limit would have done to the recent requests of the process that answers.
    ///
    /// # Errors
    /// The caller is no operator with [`REQUESTS_READ`], or [`Error::LimitInvalid`].
    pub async fn simulate_limit(&self, caller: &Caller, limit: &LimitHypothesis) -> Result<LimitSimulation, Error> {
        operators_only(caller, REQUESTS_READ)?;
        let hypothesis = hypothesis(limit)?;
        let filter = Filter::parse(&REQUESTS, limit.filter.as_deref())?;
        let lookout = self.lookout()?;
        let (journal, figures) = (Arc::clone(&lookout.journal), (lookout.limits)());
        let replayed = aside(move || {
            let records = chosen(&journal, &filter);
            Some(simulation(&hypothesis.replay(&records, TOP)?, &records, &figures))
        });
        replayed.await?.ok_or(Error::LimitInvalid("per_minute", "the rate is too high to be told from none."))
    }
}

fn hypothesis(limit: &LimitHypothesis) -> Result<Hypothesis, Error> {
    let number = |field, number: i64| {
        let number = u32::try_from(number).ok().and_then(NonZeroU32::new);
        number.ok_or(Error::LimitInvalid(field, "the number must be from 1 to 4294967295."))
    };
    let apart: HashSet<_> = limit.by.iter().collect();
    if apart.is_empty() || apart.len() != limit.by.len() {
        return Err(Error::LimitInvalid("by", "name address, key, account, tenant or route, each once."));
    }
    let (per_minute, burst) = (number("per_minute", limit.per_minute)?, number("burst", limit.burst)?);
    let cost = number("cost", limit.cost.unwrap_or(1))?;
    if cost > burst {
        return Err(Error::LimitInvalid("cost", "it must not be above the burst, or nothing would ever pass."));
    }
    Ok(Hypothesis { by: limit.by.iter().map(|by| Subject::from(*by)).collect(), per_minute, burst, cost })
}

fn simulation(told: &Simulated, records: &[Arc<Record>], figures: &[LimitFigures]) -> LimitSimulation {
    let times = || records.iter().map(|record| fields::came(record));
    let count = |name: &str, of: fn(&Record) -> &[Arc<str>]| {
        let hit = records.iter().filter(|record| of(record).iter().any(|limit| **limit == *name));
        whole(hit.count() as u64)
    };
    let toll = |limit: &LimitFigures| LimitToll {
        name: limit.name.to_string(),
        refused: count(&limit.name, |record| &record.refused_by),
        would_refuse: count(&limit.name, |record| &record.would_refuse),
    };
    let client = |client: &gateway::Client| LimitedClient {
        who: client.who.iter().map(|(by, value)| LimitedBy { by: (*by).into(), value: value.clone() }).collect(),
        requests: whole(client.requests),
        refused: whole(client.refused),
    };
    LimitSimulation {
        from: times().min(),
        to: times().max(),
        requests: whole(told.requests),
        refused: whole(told.refused),
        clients: whole(told.clients),
        clients_refused: whole(told.clients_refused),
        top: told.top.iter().map(client).collect(),
        in_force: figures.iter().map(toll).collect(),
    }
}

fn in_force(limit: LimitFigures) -> LimitInForce {
    LimitInForce {
        name: limit.name.to_string(),
        everywhere: limit.everywhere,
        by: limit.by.into_iter().map(LimitSubject::from).collect(),
        per_minute: limit.per_minute.into(),
        burst: limit.burst.into(),
        cost: limit.cost.into(),
        dry_run: limit.dry_run,
        shared: limit.shared,
        refused: whole(limit.refused),
        would_refuse: whole(limit.would_refuse),
        clients: whole(limit.clients as u64),
    }
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl From<LimitSubject> for Subject {
    fn from(subject: LimitSubject) -> Self {
        match subject {
            LimitSubject::Address => Self::Address,
            LimitSubject::Key => Self::Key,
            LimitSubject::Account => Self::Account,
            LimitSubject::Tenant => Self::Tenant,
            LimitSubject::Route => Self::Route,
        }
    }
}

impl From<Subject> for LimitSubject {
    fn from(subject: Subject) -> Self {
        match subject {
            Subject::Address => Self::Address,
            Subject::Key => Self::Key,
            Subject::Account => Self::Account,
            Subject::Tenant => Self::Tenant,
            Subject::Route => Self::Route,
        }
    }
}
