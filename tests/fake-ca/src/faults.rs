//! What goes wrong at the CA, where, and how often.

use std::sync::{Mutex, PoisonError};

use crate::seams::SeededRandom;

/// Where in the protocol a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CaStep {
    Directory,
    NewNonce,
    NewAccount,
    NewOrder,
    Order,
    Authorization,
    Challenge,
    Finalize,
    Certificate,
    RenewalInfo,
}

impl CaStep {
    pub const ALL: [Self; 10] = [
        Self::Directory,
        Self::NewNonce,
        Self::NewAccount,
        Self::NewOrder,
        Self::Order,
        Self::Authorization,
        Self::Challenge,
        Self::Finalize,
        Self::Certificate,
        Self::RenewalInfo,
    ];
}

/// How it goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 429 with `Retry-After` in seconds.
    RateLimited(u32),
    /// This status, with a body that is no problem document.
    Status(u16),
    /// No answer, and nothing is done.
    Hang,
    /// It is done, and the answer never comes.
    HangAfter,
    /// It is done, and the answer is cut in half.
    Truncated,
    /// 400 `badNonce`.
    BadNonce,
    /// The order never leaves `processing`.
    EternalProcessing,
    /// `replaces` is refused with this status (403 or 409).
    ReplacesRefused(u16),
    Wrong(WrongCertificate),
}

/// In what the certificate is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrongCertificate {
    OtherName,
    OtherKey,
    Expired,
    NotYetValid,
}

/// Faults to come.
#[derive(Debug, Default)]
pub struct Script {
    planned: Mutex<Vec<(CaStep, Fault, u32)>>,
    random: Option<(SeededRandom, u64)>,
}

impl Script {
    /// At random, the same for each seed: of 1,000 requests so many fail.
    pub fn random(seed: u64, per_mille: u64) -> Self {
        Self { planned: Mutex::default(), random: Some((SeededRandom::new(seed), per_mille)) }
    }

    /// The next `times` requests at `step` fail so.
    pub fn add(&self, step: CaStep, fault: Fault, times: u32) {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner).push((step, fault, times));
    }

    /// Whether everything planned has happened.
    pub fn is_spent(&self) -> bool {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// The fault of a request that comes in now.
    pub(crate) fn next(&self, step: CaStep) -> Option<Fault> {
        let mut planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = planned.iter().position(|(at, _, _)| *at == step) {
            let (_, fault, times) = &mut planned[index];
            let fault = *fault;
            *times = times.saturating_sub(1);
            if *times == 0 {
                planned.remove(index);
            }
            return Some(fault);
        }
        let (random, per_mille) = self.random.as_ref()?;
        if random.below(1000) >= *per_mille {
            return None;
        }
        let faults =
            [Fault::RateLimited(30), Fault::Status(503), Fault::Truncated, Fault::BadNonce, Fault::Status(500)];
        faults.get(usize::try_from(random.below(5)).unwrap_or(0)).copied()
    }
}
