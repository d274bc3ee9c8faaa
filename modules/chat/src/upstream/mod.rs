//! Asking the providers, one after the other, until one begins to answer.

mod chunks;
mod events;

use std::sync::Arc;
use std::time::Duration;

use kernel::{Egress, EgressAnswer, EgressError, EgressRequest, Pace, Random, Secret};
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

use crate::breaker::Breaker;
use crate::config::ChatConfig;
use crate::error::Error;
use crate::model::ProviderId;

pub(crate) use chunks::{Chunks, Delta, Part};

/// The most bytes of an upstream's whole answer.
const MAX_BODY: u64 = 64 * 1024 * 1024;
/// The longest `Retry-After` that is waited for; beyond it the next provider is asked.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// The most characters of a refusal that are passed on.
const MAX_REASON: usize = 300;

/// A provider with the model that it would be asked for.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) id: ProviderId,
    pub(crate) name: Arc<str>,
    pub(crate) url: Arc<str>,
    pub(crate) key: Option<Secret>,
    pub(crate) model: Arc<str>,
    pub(crate) first_token: Duration,
    pub(crate) idle: Duration,
}

/// Why a provider did not begin to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It may work the next time.
    Again { after: Option<Duration>, reason: String },
    /// It does not want this request.
    Refused(String),
}

impl From<EgressError> for Fault {
    fn from(error: EgressError) -> Self {
        match error {
            EgressError::Refused | EgressError::Address(_) | EgressError::Setting(_) => {
                Self::Refused(error.to_string())
            }
            other => Self::Again { after: None, reason: other.to_string() },
        }
    }
}

fn again(reason: &str) -> Fault {
    Fault::Again { after: None, reason: reason.to_owned() }
}

/// What a provider began to answer with.
pub(crate) enum Opened {
    /// Bit by bit; the first bit is there.
    Stream(Box<Chunks>),
    /// All at once.
    Whole(Value),
}

/// What to ask, whoever is asked.
pub(crate) struct Ask<'a> {
    /// The body of the request without its model; `stream` says how the answer comes.
    pub(crate) body: &'a serde_json::Map<String, Value>,
    pub(crate) stream: bool,
    /// When the answer must be over.
    pub(crate) until: Instant,
}

/// The providers' caller.
#[derive(Debug)]
pub(crate) struct Upstream {
    egress: Egress,
    breaker: Breaker,
    random: Random,
    retries: u32,
}

impl Upstream {
    pub(crate) fn new(egress: Egress, config: &ChatConfig, random: Random) -> Self {
        let breaker = Breaker::new(config.breaker_failures, Duration::from_secs(config.breaker_seconds));
        Self { egress, breaker, random, retries: config.retries }
    }

    /// Whether this address may be called.
    pub(crate) fn check(&self, url: &str) -> Result<(), EgressError> {
        self.egress.check(url)
    }

    /// The first candidate that begins to answer, and its answer. Nothing of a failed attempt was shown to anybody.
    ///
    /// # Errors
    /// [`Error::ProviderRefused`] when the last word was a refusal, [`Error::ProvidersFailed`], [`Error::NoProvider`].
    pub(crate) async fn open<'a>(
        &self,
        candidates: &'a [Candidate],
        ask: &Ask<'_>,
    ) -> Result<(&'a Candidate, Opened), Error> {
        let mut last = Error::NoProvider;
        for candidate in candidates {
            match self.open_one(candidate, ask).await {
                Ok(opened) => return Ok((candidate, opened)),
                Err(error) => last = error,
            }
            metrics::counter!("holdfast_chat_fallbacks_total").increment(1);
        }
        Err(last)
    }

    async fn open_one(&self, candidate: &Candidate, ask: &Ask<'_>) -> Result<Opened, Error> {
        let mut failed = Error::ProvidersFailed(format!("{} failed a moment ago", candidate.name));
        for attempt in 0..=self.retries {
            if !self.breaker.lets_pass(candidate.id) {
                return Err(failed);
            }
            match self.once(candidate, ask).await {
                Ok(opened) => {
                    self.breaker.worked(candidate.id);
                    return Ok(opened);
                }
                Err(Fault::Refused(reason)) => return Err(Error::ProviderRefused(reason)),
                Err(Fault::Again { after, reason }) => {
                    self.breaker.failed(candidate.id);
                    tracing::warn!(provider = %candidate.name, attempt, reason, "a provider did not answer");
                    failed = Error::ProvidersFailed(reason);
                    let wait = after.unwrap_or_else(|| self.backoff(attempt));
                    if attempt == self.retries || wait > MAX_WAIT || Instant::now() + wait >= ask.until {
                        return Err(failed);
                    }
                    metrics::counter!("holdfast_chat_retries_total").increment(1);
                    sleep(wait).await;
                }
            }
        }
        Err(failed)
    }

    /// Full jitter over a doubling bound from 200 ms.
    fn backoff(&self, attempt: u32) -> Duration {
        Duration::from_millis(200 << attempt.min(5)).mul_f64(self.random.fraction())
    }

    /// One attempt, up to the first token.
    pub(crate) async fn once(&self, candidate: &Candidate, ask: &Ask<'_>) -> Result<Opened, Fault> {
        let left = ask.until.saturating_duration_since(Instant::now());
        let patience = if ask.stream { candidate.first_token.min(left) } else { left };
        let work = async {
            let mut answer = self.send(candidate, ask, patience).await?;
            let pace = Pace { idle: candidate.idle.max(patience), until: ask.until };
            if ask.stream {
                let pace = Pace { idle: candidate.idle, until: ask.until };
                let mut chunks = Chunks::new(answer, pace);
                chunks.await_first().await?;
                return Ok(Opened::Stream(Box::new(chunks)));
            }
            let body = answer.whole(pace).await?;
            let whole: Value = serde_json::from_slice(&body).map_err(|_| again("it sent no JSON"))?;
            let fits = whole["choices"].as_array().is_some_and(|choices| !choices.is_empty());
            if fits { Ok(Opened::Whole(whole)) } else { Err(again("it sent no choices")) }
        };
        timeout(patience, work).await.unwrap_or_else(|_| Err(again("it said nothing in its time")))
    }

    async fn send(&self, candidate: &Candidate, ask: &Ask<'_>, patience: Duration) -> Result<EgressAnswer, Fault> {
        let mut body = ask.body.clone();
        body.insert("model".to_owned(), candidate.model.as_ref().into());
        let request = EgressRequest {
            url: candidate.url.to_string(),
            bearer: candidate.key.clone(),
            body: Some(serde_json::to_vec(&body).unwrap_or_default()),
            head_timeout: patience,
            max_body: MAX_BODY,
        };
        let mut answer = self.egress.send(request).await?;
        match answer.status() {
            200..=299 => Ok(answer),
            429 | 408 | 500..=599 => {
                Err(Fault::Again { after: answer.retry_after(), reason: format!("it answered {}", answer.status()) })
            }
            status => {
                let pace = Pace { idle: Duration::from_secs(2), until: Instant::now() + Duration::from_secs(2) };
                let said = answer.chunk(pace).await.ok().flatten().unwrap_or_default();
                Err(Fault::Refused(format!("{status}{}", reason(&said))))
            }
        }
    }
}

/// What a provider said in its error, bounded and in one line.
fn reason(body: &[u8]) -> String {
    let read: Value = serde_json::from_slice(body).unwrap_or_default();
    let said = read["error"]["message"].as_str().or_else(|| read["error"].as_str()).unwrap_or_default();
    let said: String = said.chars().filter(|c| !c.is_control()).take(MAX_REASON).collect();
    if said.is_empty() { String::new() } else { format!(", {said}") }
}
