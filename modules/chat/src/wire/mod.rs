//! The OpenAI wire: what programs written for OpenAI's API speak, with API keys of Holdfast. Nothing of it is kept but
//! the entry in the trail; a client that leaves ends its own call.

mod chunk;
mod record;
mod request;
mod whole;

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use kernel::{AccountId, Caller, Kind, Problem};
use poem::http::{Method, StatusCode};
use poem::{Body, Response};
use serde_json::{Value, json};

use crate::Chat;
use crate::engine::{self, EXTRACTIVE, Search, Step};
use crate::error::Error;
use crate::permissions::{READ, WRITE};
use crate::registry::Seat;

pub(crate) use record::Record;

use chunk::Writer;
use request::Request;

/// Within this time the body of a request must be there.
const BODY_TIME: Duration = Duration::from_secs(30);

/// An error as OpenAI's clients know it.
fn refusal(problem: &Problem) -> Value {
    let kind = match problem.kind {
        Kind::Unauthenticated => "authentication_error",
        Kind::Forbidden => "permission_error",
        Kind::NotFound => "not_found_error",
        Kind::RateLimited => "rate_limit_error",
        kind if kind.status() < 500 => "invalid_request_error",
        _ => "api_error",
    };
    let param = problem.fields.first().map(|field| field.path.as_str());
    json!({ "error": { "message": problem.detail, "type": kind, "param": param, "code": problem.code } })
}

fn refused(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut builder = Response::builder().status(status).content_type("application/json");
    if let Some(wait) = problem.retry_after {
        builder = builder.header("retry-after", wait.as_secs().max(1).to_string());
    }
    builder.body(refusal(problem).to_string())
}

fn answer(value: &Value) -> Response {
    Response::builder().content_type("application/json").body(value.to_string())
}

impl Chat {
    /// Answers a request below `/v1/` of an identified caller, in OpenAI's words, its errors too.
    pub async fn wire(&self, caller: Result<Caller, Problem>, method: &Method, path: &str, body: Body) -> Response {
        let outcome = match caller {
            Ok(caller) => self.wire_route(&caller, method, path, body).await,
            Err(problem) => Err(problem),
        };
        outcome.unwrap_or_else(|problem| refused(&problem))
    }

    async fn wire_route(&self, caller: &Caller, method: &Method, path: &str, body: Body) -> Result<Response, Problem> {
        let account = caller.account()?;
        match (method.as_str(), path) {
            ("POST", "/v1/chat/completions") => {
                self.account(caller, WRITE)?;
                self.completions(caller, account, self.read(body).await?).await
            }
            ("POST", "/v1/embeddings") => {
                self.account(caller, WRITE)?;
                self.embeddings(caller, self.read(body).await?).await
            }
            ("GET", "/v1/models") => {
                self.account(caller, READ)?;
                self.wire_models(caller).await.map(|models| answer(&json!({ "object": "list", "data": models })))
            }
            ("GET", path) if path.starts_with("/v1/models/") => {
                self.account(caller, READ)?;
                let id = path.trim_start_matches("/v1/models/");
                let models = self.wire_models(caller).await?;
                let found = models.iter().find(|model| model["id"] == id);
                found.map(answer).ok_or_else(Problem::not_found)
            }
            _ => Err(Problem::not_found()),
        }
    }

    async fn read(&self, body: Body) -> Result<Value, Problem> {
        let most = self.config().max_request_bytes;
        let read =
            tokio::time::timeout(BODY_TIME, body.into_bytes_limit(most)).await.map_err(|_| Problem::timeout())?;
        let bytes = read.map_err(|error| match error {
            poem::error::ReadBodyError::PayloadTooLarge => {
                Problem::new(Kind::TooLarge, "kernel.too_large", format!("A request has at most {most} bytes."))
            }
            _ => Error::WireInvalid("body", "it can't be read".to_owned()).into(),
        })?;
        serde_json::from_slice(&bytes).map_err(|error| Error::WireInvalid("body", error.to_string()).into())
    }

    async fn completions(&self, caller: &Caller, account: AccountId, body: Value) -> Result<Response, Problem> {
        let request = Request::parse(body)?;
        let candidates = if request.model == EXTRACTIVE && request.search != Search::Nowhere {
            Vec::new()
        } else {
            let candidates = self.wire_candidates(caller, &request.model).await?;
            if candidates.is_empty() {
                return Err(Problem {
                    kind: Kind::NotFound,
                    ..Problem::from(Error::ModelUnknown(request.model.chars().take(200).collect()))
                });
            }
            candidates
        };
        let seat = self.registry().seat(self.config(), caller.tenant, account)?;
        self.note_asked(caller, &request)?;
        let until = tokio::time::Instant::now() + self.config().answer_time();
        if request.stream {
            let usage = request.usage;
            let writer = Writer::new(&self.wire_id(), self.seconds(), &request.model, usage);
            let question = request.question(self.anew(caller), candidates, until);
            let mut steps = engine::answer(self.clone(), question).boxed();
            let first = first_words(&mut steps).await?;
            return Ok(streamed(writer, first, steps, seat));
        }
        let model = request.model.clone();
        let question = request.question(self.anew(caller), candidates, until);
        let whole = self.whole(question, &model).await?;
        drop(seat);
        Ok(answer(&whole))
    }

    fn note_asked(&self, caller: &Caller, request: &Request) -> Result<(), Problem> {
        let entry = audit::Entry::success("chat.asked")
            .target("model", &request.model)
            .details(json!({ "purpose": "openai_wire", "search": request.search != Search::Nowhere }));
        self.note(caller.clone(), entry)
    }

    async fn embeddings(&self, caller: &Caller, body: Value) -> Result<Response, Problem> {
        let embedder = self.embedder().ok_or(Error::NoEmbedder)?;
        let (model, texts) = request::embeddings(&body)?;
        let bytes: usize = texts.iter().map(String::len).sum();
        let vectors = embedder.embed(caller, &model, texts).await?;
        let base64 = body["encoding_format"] == "base64";
        let data: Vec<_> =
            vectors.iter().enumerate().map(|(index, vector)| request::vector(index, vector, base64)).collect();
        let tokens = bytes.div_ceil(4);
        let usage = json!({ "prompt_tokens": tokens, "total_tokens": tokens });
        Ok(answer(&json!({ "object": "list", "data": data, "model": model, "usage": usage })))
    }

    async fn wire_models(&self, caller: &Caller) -> Result<Vec<Value>, Problem> {
        let mut models: Vec<Value> = Vec::new();
        let mut add = |id: &str, owner: &str, created: i64| {
            if !models.iter().any(|model| model["id"] == id) {
                models.push(json!({ "id": id, "object": "model", "created": created, "owned_by": owner }));
            }
        };
        for kept in self.enabled(caller).await?.iter() {
            let provider = &kept.provider;
            provider.models.iter().for_each(|id| add(id, &provider.name, provider.created_at.timestamp()));
        }
        if let Some(embedder) = self.embedder() {
            embedder.models().iter().for_each(|id| add(id, "holdfast", 0));
        }
        if self.retriever().is_some() {
            add(EXTRACTIVE, "holdfast", 0);
        }
        Ok(models)
    }

    fn wire_id(&self) -> String {
        format!("chatcmpl-{}", self.db().random().uuid().simple())
    }

    fn seconds(&self) -> i64 {
        self.db().clock().now().timestamp()
    }
}

type Steps = BoxStream<'static, Step>;

/// The steps up to the first word. What fails before it gets a status of its own.
async fn first_words(steps: &mut Steps) -> Result<Vec<Step>, Problem> {
    let mut first = Vec::new();
    while let Some(step) = steps.next().await {
        match step {
            Step::End(_, Some(problem)) => return Err(problem),
            Step::End(..) => return Err(Problem::forbidden(READ.0)),
            Step::Delta(_) => {
                first.push(step);
                return Ok(first);
            }
            step => first.push(step),
        }
    }
    Err(Error::BrokeOff.into())
}

fn streamed(mut writer: Writer, first: Vec<Step>, steps: Steps, seat: Seat) -> Response {
    let all = futures_util::stream::iter(first).chain(steps);
    let bytes = all.filter_map(move |step| {
        let _held = &seat; // given back with the stream
        let written = writer.write(step);
        async move { written.map(|text| Ok::<_, io::Error>(Bytes::from(text))) }
    });
    Response::builder()
        .content_type("text/event-stream")
        .header("cache-control", "no-cache")
        .body(Body::from_bytes_stream(bytes))
}
