//! A provider that fails again and again is left alone for a while, so that its callers don't wait for it in vain.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::model::ProviderId;

#[derive(Debug, Default)]
struct Circuit {
    failures: u32,
    /// Until when nobody is let through; one probe after that.
    open_until: Option<Instant>,
}

/// The circuits of all providers, in this process.
#[derive(Debug)]
pub(crate) struct Breaker {
    failures: u32,
    rest: Duration,
    circuits: Mutex<HashMap<ProviderId, Circuit>>,
}

impl Breaker {
    pub(crate) fn new(failures: u32, rest: Duration) -> Self {
        Self { failures: failures.max(1), rest, circuits: Mutex::default() }
    }

    /// Whether the provider may be asked. After its rest, the first who asks is the probe and the others wait on.
    pub(crate) fn lets_pass(&self, id: ProviderId) -> bool {
        let mut circuits = self.circuits();
        let Some(circuit) = circuits.get_mut(&id) else { return true };
        match circuit.open_until {
            None => true,
            Some(until) if Instant::now() < until => false,
            Some(_) => {
                circuit.open_until = Some(Instant::now() + self.rest);
                true
            }
        }
    }

    pub(crate) fn worked(&self, id: ProviderId) {
        self.circuits().remove(&id);
    }

    pub(crate) fn failed(&self, id: ProviderId) {
        let mut circuits = self.circuits();
        let circuit = circuits.entry(id).or_default();
        circuit.failures = circuit.failures.saturating_add(1);
        if circuit.failures >= self.failures {
            circuit.open_until = Some(Instant::now() + self.rest);
            metrics::counter!("holdfast_chat_breaker_opened_total").increment(1);
        }
    }

    fn circuits(&self) -> MutexGuard<'_, HashMap<ProviderId, Circuit>> {
        self.circuits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use kernel::Id;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn it_opens_after_failures_in_a_row_and_lets_one_probe_through_after_the_rest() {
        let id = Id::from_uuid(Uuid::from_u128(1));
        let breaker = Breaker::new(2, Duration::ZERO);
        let firm = Breaker::new(2, Duration::from_secs(60));

        firm.failed(id);
        firm.worked(id);
        firm.failed(id);
        assert!(firm.lets_pass(id), "a success in between counts anew");
        firm.failed(id);
        assert!(!firm.lets_pass(id));

        breaker.failed(id);
        breaker.failed(id);
        assert!(breaker.lets_pass(id), "the rest is over");
        breaker.worked(id);
        assert!(breaker.lets_pass(id));
    }
}
