//! The machine: what a CA knows, and how each request changes it (RFC 8555, section 7.1.6).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use edge_certificates::{CaLimits, ChallengeKind, Clock, Name, OrderStatus};

use crate::{
    faults::{CaStep, Fault, Script, WrongCertificate},
    limits::{Breach, Counted},
    seams::SeededRandom,
};

/// How this CA is.
#[derive(Clone, Debug)]
pub struct CaConfig {
    pub seed: u64,
    pub limits: CaLimits,
    /// The lives of certificates without a profile: each name has one of them, always the same.
    pub lifetimes: Vec<TimeDelta>,
    /// Other profiles and their lives.
    pub profiles: Vec<(String, TimeDelta)>,
    /// Whether there is renewal information, and how long until it may be asked again.
    pub ari: Option<Duration>,
    /// External accounts and their keys; with any, a new account needs one.
    pub external_accounts: Vec<(String, Vec<u8>)>,
    /// Looks at an order until it is no longer `processing`.
    pub processing: u32,
    /// A second order for the same name by the same account gives the first one again while it is open (as Boulder).
    pub reuse_orders: bool,
    /// How far the CA's clock is ahead.
    pub skew: TimeDelta,
}

impl Default for CaConfig {
    fn default() -> Self {
        Self {
            seed: 1,
            limits: CaLimits::default(),
            lifetimes: vec![TimeDelta::days(90)],
            profiles: vec![("shortlived".into(), TimeDelta::days(6)), ("middle".into(), TimeDelta::days(45))],
            ari: Some(Duration::from_hours(6)),
            external_accounts: Vec::new(),
            processing: 1,
            reuse_orders: true,
            skew: TimeDelta::zero(),
        }
    }
}

/// A refused request (RFC 7807, RFC 8555, section 6.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub status: u16,
    /// The word after `urn:ietf:params:acme:error:`.
    pub word: String,
    pub detail: String,
    pub retry_after: Option<Duration>,
}

impl Problem {
    pub fn acme(status: u16, word: &str, detail: &str) -> Self {
        Self { status, word: word.into(), detail: detail.into(), retry_after: None }
    }

    fn after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }
}

/// A digest of all that happened, and how much it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    pub digest: u64,
    pub requests: u64,
    /// Orders that were created; one that was given again does not count.
    pub orders: u64,
    pub certificates: u64,
    pub failed_validations: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) id: u64,
    pub(crate) account: u64,
    pub(crate) name: Name,
    pub(crate) replaces: Option<String>,
    pub(crate) profile: Option<String>,
    pub(crate) status: OrderStatus,
    pub(crate) token: String,
    /// The challenge was told to be ready, and how it ended.
    pub(crate) validated: Option<Result<(), Problem>>,
    pub(crate) told: Option<ChallengeKind>,
    processing: u32,
    /// What was asked to be certified.
    pub(crate) public_key: Vec<u8>,
    pub(crate) csr: Vec<u8>,
    pub(crate) certificate: Option<Certificate>,
    created: DateTime<Utc>,
    exempt: bool,
}

/// A certificate, before it is written down by a face.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    pub(crate) serial: u64,
    pub(crate) names: Vec<String>,
    pub(crate) not_before: DateTime<Utc>,
    pub(crate) not_after: DateTime<Utc>,
    pub(crate) wrong: Option<WrongCertificate>,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) accounts: HashMap<String, u64>,
    orders: HashMap<u64, Order>,
    open: HashMap<(u64, Name), u64>,
    /// By serial: when it began and ends, and whether another order replaces it.
    certificates: HashMap<u64, (DateTime<Utc>, DateTime<Utc>, bool)>,
    counted: Counted,
    next: u64,
    trace: Trace,
    failed: HashMap<String, Vec<DateTime<Utc>>>,
    pub(crate) nonces: std::collections::HashSet<String>,
    suggested: HashMap<u64, (DateTime<Utc>, DateTime<Utc>)>,
}

/// The CA.
pub struct Ca {
    pub config: CaConfig,
    pub script: Script,
    clock: Arc<dyn Clock>,
    random: SeededRandom,
    state: Mutex<State>,
}

impl Ca {
    pub fn new(config: CaConfig, script: Script, clock: Arc<dyn Clock>) -> Self {
        Self { random: SeededRandom::new(config.seed), config, script, clock, state: Mutex::default() }
    }

    /// What happened so far.
    pub fn trace(&self) -> Trace {
        self.state().trace
    }

    /// Every limit that was broken.
    pub fn breaches(&self) -> Vec<Breach> {
        self.state().counted.breaches.clone()
    }

    /// When validations of a host failed.
    pub fn failed_validations(&self, host: &str) -> Vec<DateTime<Utc>> {
        self.state().failed.get(host).cloned().unwrap_or_default()
    }

    /// From now on renewal information suggests this window for each certificate issued so far.
    pub fn suggest(&self, start: DateTime<Utc>, end: DateTime<Utc>) {
        let mut state = self.state();
        let serials: Vec<u64> = state.certificates.keys().copied().collect();
        state.suggested.extend(serials.into_iter().map(|serial| (serial, (start, end))));
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The CA's own time.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now() + self.config.skew
    }

    /// Notes a request, and says what is to go wrong with it.
    pub(crate) fn begin(&self, step: CaStep, what: &str) -> Option<Fault> {
        let now = self.clock.now();
        let mut state = self.state();
        state.trace.requests += 1;
        let text = format!("{} {step:?} {what}", now.timestamp_millis());
        let digest = text.bytes().fold(state.trace.digest, |digest, byte| {
            (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3).rotate_left(5)
        });
        state.trace.digest = digest;
        drop(state);
        self.script.next(step)
    }

    /// The account with this key, made if there is none.
    pub(crate) fn account(&self, thumbprint: &str) -> u64 {
        let mut state = self.state();
        let next = u64::try_from(state.accounts.len()).unwrap_or(0) + 1;
        *state.accounts.entry(thumbprint.to_owned()).or_insert(next)
    }

    pub(crate) fn order(
        &self,
        account: u64,
        name: &Name,
        replaces: Option<&str>,
        profile: Option<&str>,
    ) -> Result<Order, Problem> {
        let now = self.clock.now();
        if profile.is_some_and(|profile| self.lifetime(profile).is_none()) {
            return Err(Problem::acme(400, "invalidProfile", "no such profile"));
        }
        let mut state = self.state();
        Self::sweep(&mut state, now);
        if self.config.reuse_orders
            && let Some(open) = state.open.get(&(account, name.clone())).and_then(|id| state.orders.get(id))
            && matches!(open.status, OrderStatus::Pending | OrderStatus::Ready)
        {
            return Ok(open.clone());
        }
        let exempt = self.replaced(&mut state, replaces)?;
        if !(exempt && self.config.limits.renewals_exempt) {
            let limited = |wait| Problem::acme(429, "rateLimited", "too many new orders").after(wait);
            state.counted.order(&self.config.limits, account, now).map_err(limited)?;
        }
        state.next += 1;
        state.trace.orders += 1;
        let order = Order {
            id: state.next,
            account,
            name: name.clone(),
            replaces: replaces.map(str::to_owned),
            profile: profile.map(str::to_owned),
            status: OrderStatus::Pending,
            token: format!("{:016x}{:016x}", self.random.next(), self.random.next()),
            validated: None,
            told: None,
            processing: self.config.processing,
            public_key: Vec::new(),
            csr: Vec::new(),
            certificate: None,
            created: now,
            exempt,
        };
        state.open.insert((account, name.clone()), order.id);
        state.orders.insert(order.id, order.clone());
        Ok(order)
    }

    /// Whether `replaces` names a certificate of this CA that nothing replaced yet (RFC 9773, section 5).
    fn replaced(&self, state: &mut State, replaces: Option<&str>) -> Result<bool, Problem> {
        let Some(replaces) = replaces else { return Ok(false) };
        let serial = serial_of(replaces).ok_or_else(|| Problem::acme(400, "malformed", "replaces"))?;
        match state.certificates.get_mut(&serial) {
            None => Err(Problem::acme(404, "malformed", "no such certificate to replace")),
            Some((_, _, true)) => Err(Problem::acme(409, "alreadyReplaced", "it is replaced already")),
            Some((_, _, replaced)) => {
                *replaced = true;
                Ok(self.config.ari.is_some())
            }
        }
    }

    /// An order, and one more look at it.
    pub(crate) fn look(&self, account: u64, id: u64, peek: bool) -> Result<Order, Problem> {
        let mut state = self.state();
        let order = state.orders.get_mut(&id).filter(|order| order.account == account);
        let order = order.ok_or_else(|| Problem::acme(404, "malformed", "no such order"))?;
        if order.status == OrderStatus::Processing && !peek {
            order.processing = order.processing.saturating_sub(1);
            if order.processing == 0 {
                order.status = OrderStatus::Valid;
            }
        }
        Ok(order.clone())
    }

    /// How the validation of an order's name ended.
    pub(crate) fn validated(&self, id: u64, ended: Result<(), Problem>) {
        let now = self.clock.now();
        let mut state = self.state();
        let State { orders, counted, trace, failed, .. } = &mut *state;
        let Some(order) = orders.get_mut(&id).filter(|order| order.status == OrderStatus::Pending) else { return };
        order.status = if ended.is_ok() { OrderStatus::Ready } else { OrderStatus::Invalid };
        if ended.is_err() {
            trace.failed_validations += 1;
            counted.failed(&self.config.limits, order.account, order.name.host(), now);
            failed.entry(order.name.host().to_owned()).or_default().push(now);
        }
        order.validated = Some(ended);
    }

    /// The challenge is said to be ready; false if it was said before.
    pub(crate) fn told(&self, id: u64, kind: ChallengeKind) -> bool {
        let mut state = self.state();
        let order = state.orders.get_mut(&id).filter(|order| order.told.is_none());
        order.map(|order| order.told = Some(kind)).is_some()
    }

    pub(crate) fn finalize(
        &self,
        account: u64,
        id: u64,
        (csr, public_key): (&[u8], Vec<u8>),
        fault: Option<Fault>,
    ) -> Result<Order, Problem> {
        let now = self.clock.now();
        let mut state = self.state();
        let State { orders, counted, trace, certificates, next, .. } = &mut *state;
        let order = orders.get_mut(&id).filter(|order| order.account == account);
        let order = order.ok_or_else(|| Problem::acme(404, "malformed", "no such order"))?;
        if order.status != OrderStatus::Ready {
            return Err(Problem::acme(403, "orderNotReady", "the order is not ready"));
        }
        if !(order.exempt && self.config.limits.renewals_exempt) {
            let limited = |wait| Problem::acme(429, "rateLimited", "too many certificates").after(wait);
            counted.certificate(&self.config.limits, &order.name, now).map_err(limited)?;
        }
        *next += 1;
        trace.certificates += 1;
        let wrong = if let Some(Fault::Wrong(wrong)) = fault { Some(wrong) } else { None };
        let certificate = self.certificate(*next, order, wrong);
        certificates.insert(certificate.serial, (certificate.not_before, certificate.not_after, false));
        order.certificate = Some(certificate);
        (order.csr, order.public_key) = (csr.to_vec(), public_key);
        order.processing = if fault == Some(Fault::EternalProcessing) { u32::MAX } else { self.config.processing };
        order.status = if order.processing == 0 { OrderStatus::Valid } else { OrderStatus::Processing };
        Ok(order.clone())
    }

    fn certificate(&self, serial: u64, order: &Order, wrong: Option<WrongCertificate>) -> Certificate {
        let life = order.profile.as_deref().and_then(|profile| self.lifetime(profile));
        let life = life.unwrap_or_else(|| self.usual_lifetime(&order.name));
        let begin = match wrong {
            Some(WrongCertificate::Expired) => self.now() - life - TimeDelta::days(1),
            Some(WrongCertificate::NotYetValid) => self.now() + TimeDelta::days(2),
            // An hour back, as CAs do.
            _ => self.now() - TimeDelta::hours(1),
        };
        let name = if wrong == Some(WrongCertificate::OtherName) { "other.example.net" } else { order.name.as_str() };
        let (not_before, not_after) = (begin, begin + life);
        Certificate { serial, names: vec![name.to_owned()], not_before, not_after, wrong }
    }

    fn lifetime(&self, profile: &str) -> Option<TimeDelta> {
        self.config.profiles.iter().find(|(name, _)| name == profile).map(|(_, life)| *life)
    }

    fn usual_lifetime(&self, name: &Name) -> TimeDelta {
        let sum = name.as_str().bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)));
        let lives = &self.config.lifetimes;
        lives.get(sum % lives.len().max(1)).copied().unwrap_or(TimeDelta::days(90))
    }

    /// The suggested window: the last third but one, a twelfth of life long (RFC 9773, section 4.2).
    pub(crate) fn renewal(&self, ari_id: &str) -> Result<(DateTime<Utc>, DateTime<Utc>, Duration), Problem> {
        let none = || Problem::acme(404, "malformed", "no renewal information");
        let ask_after = self.config.ari.ok_or_else(none)?;
        let serial = serial_of(ari_id).ok_or_else(none)?;
        let state = self.state();
        let (begin, end, _) = *state.certificates.get(&serial).ok_or_else(none)?;
        if let Some((start, end)) = state.suggested.get(&serial) {
            return Ok((*start, *end, ask_after));
        }
        let life = end - begin;
        let start = begin + life * 2 / 3;
        Ok((start, start + life / 12, ask_after))
    }

    /// Open orders end after a week; what expired is forgotten.
    fn sweep(state: &mut State, now: DateTime<Utc>) {
        if !state.next.is_multiple_of(4096) || state.next == 0 {
            return;
        }
        state.orders.retain(|_, order| now - order.created < TimeDelta::days(7));
        let State { orders, open, certificates, .. } = state;
        open.retain(|_, id| orders.contains_key(id));
        certificates.retain(|_, (_, end, _)| *end > now - TimeDelta::days(1));
    }

    pub(crate) fn random(&self) -> &SeededRandom {
        &self.random
    }
}

/// The identifier for renewal information: a fixed key id and the serial.
pub(crate) fn serial_of(ari_id: &str) -> Option<u64> {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    let (_, serial) = ari_id.split_once('.')?;
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(serial).ok()?;
    let bytes = bytes.iter().copied().skip_while(|byte| *byte == 0).collect::<Vec<_>>();
    (bytes.len() <= 8).then(|| bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}
