//! Models at services that speak OpenAI's `POST /embeddings`
//! (<https://platform.openai.com/docs/api-reference/embeddings>).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kernel::{Egress, EgressAnswer, EgressError, EgressRequest, Pace, Secret};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout};

use super::{EmbedError, ModelId, normalize};

/// Texts in one request, when the settings name no number.
const BATCH: usize = 64;
/// How long one request for passages may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How long a question may wait for its vector. Words answer without it.
const QUESTION: Duration = Duration::from_secs(2);
/// After a failure questions don't ask for so long: each would wait for the same silence.
const COOL_DOWN: Duration = Duration::from_secs(10);
/// The most characters of a number in JSON, and of what surrounds the numbers.
const NUMBER_BYTES: u64 = 32;
const FRAME_BYTES: u64 = 1 << 20;

/// A model at a service, as the settings have it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteModelConfig {
    /// What collections call it. Its vectors are kept under this name: choose another when the model changes.
    pub name: String,
    /// The address below which `/embeddings` is, such as `https://api.openai.com/v1`.
    pub base_url: String,
    /// What the service calls it; `name` when left out.
    pub model: Option<String>,
    /// Its key, if it wants one.
    pub api_key: Option<Secret>,
    /// Numbers in each vector.
    pub dimensions: usize,
    /// Texts in one request; 64 when left out.
    pub batch: Option<usize>,
}

/// A model at a service.
#[derive(Debug)]
pub(crate) struct RemoteModel {
    id: ModelId,
    config: RemoteModelConfig,
    url: String,
    egress: Egress,
    failed: Mutex<Option<Instant>>,
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    input: &'a [&'a str],
    encoding_format: &'static str,
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    index: usize,
    embedding: Vec<f32>,
}

impl RemoteModel {
    /// A model that is called through this client.
    pub(crate) fn new(config: RemoteModelConfig, egress: Egress) -> Self {
        let url = format!("{}/embeddings", config.base_url.trim_end_matches('/'));
        Self { id: ModelId::new(config.name.as_str()), config, url, egress, failed: Mutex::default() }
    }

    /// The name that collections use.
    pub(crate) fn id(&self) -> &ModelId {
        &self.id
    }

    /// Numbers in each vector.
    pub(crate) fn dimensions(&self) -> usize {
        self.config.dimensions
    }

    /// Whether its address may be called at all.
    ///
    /// # Errors
    /// [`EmbedError::Declined`]
    pub(crate) fn check(&self) -> Result<(), EmbedError> {
        self.egress.check(&self.url).map_err(|error| self.told(&error))
    }

    /// One vector for each text, in order. A text without a word gives zeros.
    ///
    /// # Errors
    /// [`EmbedError::Unreachable`], which may pass; [`EmbedError::Declined`], which will not.
    pub(crate) async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let mut vectors = vec![vec![0.0; self.config.dimensions]; texts.len()];
        let worded: Vec<usize> = (0..texts.len()).filter(|&at| !texts[at].trim().is_empty()).collect();
        for some in worded.chunks(self.config.batch.unwrap_or(BATCH).max(1)) {
            let batch: Vec<&str> = some.iter().map(|&at| texts[at].as_str()).collect();
            for (at, vector) in some.iter().zip(self.ask(&batch, TIMEOUT).await?) {
                vectors[*at] = vector;
            }
        }
        Ok(vectors)
    }

    /// The vector of a question. It gives up soon, and for a while after a failure at once.
    ///
    /// # Errors
    /// As for [`Self::embed`].
    pub(crate) async fn embed_query(&self, text: &str) -> Result<Vec<f32>, EmbedError> {
        if self.failed().is_some_and(|since| since.elapsed() < COOL_DOWN) {
            return Err(self.unreachable("it failed a moment ago"));
        }
        let asked = self.ask(&[text], QUESTION).await;
        self.note(asked.as_ref().err().map(|_| Instant::now()));
        asked?.pop().ok_or_else(|| self.unreachable("its answer is empty"))
    }

    async fn ask(&self, texts: &[&str], time: Duration) -> Result<Vec<Vec<f32>>, EmbedError> {
        let model = self.config.model.as_deref().unwrap_or(&self.config.name);
        let body = Body { model, input: texts, encoding_format: "float" };
        let body = serde_json::to_vec(&body).map_err(|error| self.unreachable(&error.to_string()))?;
        let numbers = (texts.len() as u64).saturating_mul(self.config.dimensions as u64);
        let request = EgressRequest {
            url: self.url.clone(),
            bearer: self.config.api_key.clone(),
            body: Some(body),
            head_timeout: time,
            max_body: numbers.saturating_mul(NUMBER_BYTES).saturating_add(FRAME_BYTES),
        };
        let until = Instant::now() + time;
        let answer = timeout(time, self.egress.send(request)).await.unwrap_or(Err(EgressError::Timeout));
        let answer = answer.map_err(|error| self.told(&error))?;
        self.read(answer, Pace { idle: time, until }, texts.len()).await
    }

    async fn read(&self, mut answer: EgressAnswer, pace: Pace, texts: usize) -> Result<Vec<Vec<f32>>, EmbedError> {
        match answer.status() {
            200 => {}
            status @ (408 | 409 | 425 | 429 | 500..) => return Err(self.unreachable(&format!("it answered {status}"))),
            status => return Err(self.declined(&format!("it answered {status}"))),
        }
        let body = answer.whole(pace).await.map_err(|error| self.told(&error))?;
        let answer: Answer =
            serde_json::from_slice(&body).map_err(|_| self.unreachable("its answer is not what /embeddings gives"))?;
        self.in_order(answer.data, texts)
    }

    fn in_order(&self, items: Vec<Item>, texts: usize) -> Result<Vec<Vec<f32>>, EmbedError> {
        let mut vectors = vec![Vec::new(); texts];
        for Item { index, mut embedding } in items {
            if embedding.len() != self.config.dimensions {
                let (got, expected) = (embedding.len(), self.config.dimensions);
                return Err(self.declined(&format!("its vectors have {got} numbers, and the settings say {expected}")));
            }
            if embedding.iter().any(|number| !number.is_finite()) {
                return Err(self.unreachable("its vectors hold what is no number"));
            }
            normalize(&mut embedding);
            let slot = vectors.get_mut(index).ok_or_else(|| self.unreachable("its answer has more than was asked"))?;
            *slot = embedding;
        }
        if vectors.iter().any(Vec::is_empty) {
            return Err(self.unreachable("its answer has less than was asked"));
        }
        Ok(vectors)
    }

    fn told(&self, error: &EgressError) -> EmbedError {
        match error {
            EgressError::Refused | EgressError::Address(_) | EgressError::Setting(_) => {
                self.declined(&error.to_string())
            }
            EgressError::Connection | EgressError::Timeout | EgressError::TooLarge => {
                self.unreachable(&error.to_string())
            }
        }
    }

    fn unreachable(&self, reason: &str) -> EmbedError {
        EmbedError::Unreachable { model: self.id.clone(), reason: reason.trim_end_matches('.').to_owned() }
    }

    fn declined(&self, reason: &str) -> EmbedError {
        EmbedError::Declined { model: self.id.clone(), reason: reason.trim_end_matches('.').to_owned() }
    }

    fn failed(&self) -> Option<Instant> {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, failed: Option<Instant>) {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = failed;
    }
}
