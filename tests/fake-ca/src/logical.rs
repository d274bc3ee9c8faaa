//! The face without HTTP and cryptography: the same machine, fast enough for a year.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::DateTime;
use edge_certificates::{
    AskFor, Authority, Authorization, Challenge, ChallengeKind, Csr, Facts, KeyMaker, Name, OrderView, Random, Refusal,
    RefusalKind, RenewalAdvice,
};

use crate::{
    ca::{Ca, Order, Problem},
    faults::{CaStep, Fault, WrongCertificate},
    seams::SeededRandom,
    validate::Validator,
};

/// [`Ca`] as an [`Authority`].
pub struct LogicalCa {
    ca: Arc<Ca>,
    validator: Arc<dyn Validator>,
    account: u64,
    /// How long a client would wait for an answer that never comes.
    timeout: Duration,
}

impl LogicalCa {
    /// The face of one account.
    pub fn new(ca: Arc<Ca>, validator: Arc<dyn Validator>, account: &str) -> Self {
        let account = ca.account(account);
        Self { ca, validator, account, timeout: Duration::from_secs(20) }
    }

    /// Notes the request; faults that keep it from being done come out as refusals, the others are answered.
    async fn begin(&self, step: CaStep, what: &str) -> Result<Option<Fault>, Refusal> {
        match self.ca.begin(step, what) {
            Some(Fault::RateLimited(seconds)) => {
                let wait = Duration::from_secs(u64::from(seconds));
                Err(Refusal::new(RefusalKind::RateLimited, "429").after(Some(wait)))
            }
            Some(Fault::Status(status)) => Err(Refusal::new(RefusalKind::Unavailable, status.to_string())),
            Some(Fault::BadNonce) => Err(Refusal::new(RefusalKind::BadNonce, "badNonce")),
            Some(Fault::Hang) => {
                tokio::time::sleep(self.timeout).await;
                Err(Refusal::new(RefusalKind::Timeout, "no answer in time"))
            }
            other => Ok(other),
        }
    }

    /// Faults of the answer.
    async fn end<T>(&self, fault: Option<Fault>, answer: T) -> Result<T, Refusal> {
        match fault {
            Some(Fault::Truncated) => Err(Refusal::new(RefusalKind::Unreadable, "cut")),
            Some(Fault::HangAfter) => {
                tokio::time::sleep(self.timeout).await;
                Err(Refusal::new(RefusalKind::Timeout, "no answer in time"))
            }
            _ => Ok(answer),
        }
    }

    fn id(order: &str) -> Result<u64, Refusal> {
        order.parse().map_err(|_| Refusal::new(RefusalKind::OrderGone, "no such order"))
    }
}

fn view(order: &Order) -> OrderView {
    let failed = order.validated.as_ref().and_then(|ended| ended.as_ref().err());
    let error = failed.map(|problem| problem.detail.clone());
    OrderView { url: order.id.to_string(), status: order.status, error, retry_after: None }
}

fn refusal(problem: &Problem) -> Refusal {
    let kind = match (problem.word.as_str(), problem.status) {
        ("rateLimited", _) | (_, 429) => RefusalKind::RateLimited,
        ("alreadyReplaced", _) => RefusalKind::Replaces,
        (_, 500..) => RefusalKind::Unavailable,
        (_, 404) | ("orderNotReady", _) => RefusalKind::OrderGone,
        ("connection", _) => RefusalKind::Connection,
        ("unauthorized", _) => RefusalKind::WrongAnswer,
        _ => RefusalKind::Refused,
    };
    Refusal::new(kind, &problem.detail).after(problem.retry_after)
}

#[async_trait]
impl Authority for LogicalCa {
    async fn order(&self, ask: AskFor<'_>) -> Result<OrderView, Refusal> {
        let fault = self.begin(CaStep::NewOrder, ask.name.as_str()).await?;
        if let Some(Fault::ReplacesRefused(status)) = fault.filter(|_| ask.replaces.is_some()) {
            return Err(Refusal::new(RefusalKind::Replaces, status.to_string()));
        }
        let order = self.ca.order(self.account, ask.name, ask.replaces, ask.profile);
        let order = order.map_err(|problem| match (ask.replaces, problem.status) {
            (Some(_), 403 | 404 | 409) => Refusal::new(RefusalKind::Replaces, &problem.detail),
            _ => refusal(&problem),
        })?;
        self.end(fault, view(&order)).await
    }

    async fn look(&self, order: &str) -> Result<OrderView, Refusal> {
        let fault = self.begin(CaStep::Order, order).await?;
        let order = self.ca.look(self.account, Self::id(order)?, false).map_err(|problem| refusal(&problem))?;
        self.end(fault, view(&order)).await
    }

    async fn authorizations(&self, order: &str) -> Result<Vec<Authorization>, Refusal> {
        let fault = self.begin(CaStep::Authorization, order).await?;
        let order = self.ca.look(self.account, Self::id(order)?, true).map_err(|problem| refusal(&problem))?;
        let kinds = [ChallengeKind::Http01, ChallengeKind::TlsAlpn01, ChallengeKind::Dns01];
        let challenge = |kind| {
            let (token, key_authorization) = (order.token.clone(), format!("{}.thumbprint", order.token));
            Challenge { kind, token, key_authorization }
        };
        let valid = matches!(order.validated, Some(Ok(())));
        let challenges = kinds.into_iter().map(challenge).collect();
        self.end(fault, vec![Authorization { host: order.name.host().to_owned(), valid, challenges }]).await
    }

    async fn ready(&self, order: &str, kind: ChallengeKind) -> Result<(), Refusal> {
        let fault = self.begin(CaStep::Challenge, order).await?;
        let order = self.ca.look(self.account, Self::id(order)?, true).map_err(|problem| refusal(&problem))?;
        if self.ca.told(order.id, kind) {
            let expected = format!("{}.thumbprint", order.token);
            let ended = self.validator.validate(kind, order.name.host(), &order.token, &expected).await;
            self.ca.validated(order.id, ended);
        }
        self.end(fault, ()).await
    }

    async fn failed_validation(&self, order: &str) -> Result<Option<Refusal>, Refusal> {
        let fault = self.begin(CaStep::Authorization, order).await?;
        let order = self.ca.look(self.account, Self::id(order)?, true).map_err(|problem| refusal(&problem))?;
        let failed = order.validated.as_ref().and_then(|ended| ended.as_ref().err());
        self.end(fault, failed.map(refusal)).await
    }

    async fn finalize(&self, order: &str, csr_der: &[u8]) -> Result<OrderView, Refusal> {
        let fault = self.begin(CaStep::Finalize, order).await?;
        let id = Self::id(order)?;
        let seen = self.ca.look(self.account, id, true).map_err(|problem| refusal(&problem))?;
        if seen.status != edge_certificates::OrderStatus::Ready {
            return self.end(fault, view(&seen)).await;
        }
        let asked = (csr_der, csr_der.to_vec());
        let order = self.ca.finalize(self.account, id, asked, fault).map_err(|problem| refusal(&problem))?;
        self.end(fault, view(&order)).await
    }

    async fn download(&self, order: &str) -> Result<String, Refusal> {
        let fault = self.begin(CaStep::Certificate, order).await?;
        let order = self.ca.look(self.account, Self::id(order)?, true).map_err(|problem| refusal(&problem))?;
        let gone = || Refusal::new(RefusalKind::OrderGone, "no certificate");
        let certificate = order.certificate.as_ref().ok_or_else(gone)?;
        let other = certificate.wrong == Some(WrongCertificate::OtherKey);
        let key = if other { vec![0; 4] } else { order.public_key.clone() };
        let (from, to) = (certificate.not_before.timestamp(), certificate.not_after.timestamp());
        let key = hex::encode(key);
        let text = format!("{} {from} {to} {} {key}", certificate.names[0], certificate.serial);
        self.end(fault, text).await
    }

    fn read(&self, chain: &str) -> Result<Facts, Refusal> {
        let cut = || Refusal::new(RefusalKind::Unreadable, "cut");
        let [name, from, to, serial, key] = chain.split(' ').collect::<Vec<_>>()[..] else { return Err(cut()) };
        let time = |text: &str| text.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        let serial: u64 = serial.parse().map_err(|_| cut())?;
        Ok(Facts {
            names: vec![name.to_owned()],
            not_before: time(from).ok_or_else(cut)?,
            not_after: time(to).ok_or_else(cut)?,
            ari_id: Some(format!("YWtp.{}", BASE64_URL_SAFE_NO_PAD.encode(serial.to_be_bytes()))),
            public_key: hex::decode(key).map_err(|_| cut())?,
        })
    }

    async fn renewal_advice(&self, ari_id: &str) -> Result<RenewalAdvice, Refusal> {
        let fault = self.begin(CaStep::RenewalInfo, ari_id).await?;
        let (start, end, wait) = self.ca.renewal(ari_id).map_err(|problem| refusal(&problem))?;
        self.end(fault, RenewalAdvice { start, end, ask_after: Some(wait) }).await
    }
}

/// Keys for the logical face: a few bytes.
#[derive(Debug)]
pub struct SimKeys(pub SeededRandom);

impl KeyMaker for SimKeys {
    fn make(&self, name: &Name) -> Result<Csr, String> {
        let mut key = [0; 16];
        self.0.fill(&mut key);
        self.again(name, &key)
    }

    fn again(&self, _: &Name, key: &[u8]) -> Result<Csr, String> {
        Ok(Csr { key: key.to_vec().into(), request: key.to_vec() })
    }

    fn public_key(&self, key: &[u8]) -> Result<Vec<u8>, String> {
        Ok(key.to_vec())
    }
}
