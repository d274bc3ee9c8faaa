//! Reading a request of OpenAI's API. What Holdfast does not know goes to the provider as it is.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kernel::Caller;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::engine::{Question, Search};
use crate::error::Error;
use crate::model::CollectionId;
use crate::upstream::Candidate;

const MAX_MESSAGES: usize = 2000;
const MAX_COLLECTIONS: usize = 100;
/// The most texts of one request for embeddings.
const MAX_TEXTS: usize = 2048;
/// The most characters of a question that are searched for.
const MAX_QUERY: usize = 4000;

/// A request for a completion.
pub(super) struct Request {
    pub(super) model: String,
    pub(super) stream: bool,
    /// Whether the client wants the usage in its stream.
    pub(super) usage: bool,
    pub(super) search: Search,
    query: String,
    body: Map<String, Value>,
}

fn wrong(field: &'static str, why: &str) -> Error {
    Error::WireInvalid(field, why.to_owned())
}

impl Request {
    pub(super) fn parse(body: Value) -> Result<Self, Error> {
        let Value::Object(mut body) = body else { return Err(wrong("body", "a JSON object is expected")) };
        let model = match body.remove("model") {
            Some(Value::String(model)) if (1..=200).contains(&model.len()) => model,
            _ => return Err(wrong("model", "the name of a model is expected")),
        };
        let messages = body.get("messages").and_then(Value::as_array);
        let messages = messages.filter(|messages| (1..=MAX_MESSAGES).contains(&messages.len()));
        let messages = messages.ok_or_else(|| wrong("messages", "an array of 1 to 2000 messages is expected"))?;
        if !messages.iter().all(|message| message["role"].is_string()) {
            return Err(wrong("messages", "each message has a role"));
        }
        let query = question(messages);
        let search = search(body.remove("holdfast"))?;
        let stream = match body.get("stream") {
            None | Some(Value::Null | Value::Bool(false)) => false,
            Some(Value::Bool(true)) => true,
            Some(_) => return Err(wrong("stream", "true or false is expected")),
        };
        let usage = body.get("stream_options").is_some_and(|options| options["include_usage"] == true);
        if stream {
            body.insert("stream_options".to_owned(), json!({ "include_usage": true }));
        }
        Ok(Self { model, stream, usage, search, query, body })
    }

    pub(super) fn question(self, caller: Caller, candidates: Vec<Candidate>, until: Instant) -> Question {
        Question { caller, query: self.query, search: self.search, body: self.body, candidates, until }
    }
}

/// The last thing that the user said.
fn question(messages: &[Value]) -> String {
    let last = messages.iter().rev().find(|message| message["role"] == "user");
    let text = match last.map(|message| &message["content"]) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            let texts = parts.iter().filter_map(|part| part["text"].as_str());
            texts.collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    };
    text.chars().take(MAX_QUERY).collect()
}

/// `holdfast: {collections: […]}`; null or no collections means all that the caller may read.
fn search(value: Option<Value>) -> Result<Search, Error> {
    let Some(Value::Object(options)) = value else {
        return match value {
            None | Some(Value::Null) => Ok(Search::Nowhere),
            Some(_) => Err(wrong("holdfast", "an object is expected")),
        };
    };
    if let Some(unknown) = options.keys().find(|key| *key != "collections") {
        return Err(Error::WireInvalid("holdfast", format!("{unknown:?} is not known; there is collections")));
    }
    match options.get("collections") {
        None | Some(Value::Null) => Ok(Search::Everywhere),
        Some(Value::Array(ids)) if ids.len() <= MAX_COLLECTIONS => {
            let parse = |id: &Value| id.as_str().and_then(|id| id.parse::<CollectionId>().ok());
            let ids: Option<Vec<_>> = ids.iter().map(parse).collect();
            let ids = ids.ok_or_else(|| wrong("holdfast.collections", "ids of collections are expected"))?;
            Ok(if ids.is_empty() { Search::Nowhere } else { Search::In(ids) })
        }
        Some(_) => Err(wrong("holdfast.collections", "an array of at most 100 ids is expected")),
    }
}

/// The model and the texts of a request for embeddings.
pub(super) fn embeddings(body: &Value) -> Result<(String, Vec<String>), Error> {
    let model = body["model"].as_str().ok_or_else(|| wrong("model", "the name of a model is expected"))?;
    let texts: Option<Vec<String>> = match &body["input"] {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(texts) if (1..=MAX_TEXTS).contains(&texts.len()) => {
            texts.iter().map(|text| text.as_str().map(str::to_owned)).collect()
        }
        _ => None,
    };
    let texts = texts.ok_or_else(|| wrong("input", "a text or 1 to 2048 texts are expected"))?;
    Ok((model.to_owned(), texts))
}

/// A vector as OpenAI sends it: numbers, or their little-endian bytes in base64.
pub(super) fn vector(index: usize, vector: &[f32], base64: bool) -> Value {
    let embedding = if base64 {
        let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
        Value::String(STANDARD.encode(bytes))
    } else {
        json!(vector)
    };
    json!({ "object": "embedding", "index": index, "embedding": embedding })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(extra: &Value) -> Result<Request, Error> {
        let mut body = json!({ "model": "m", "messages": [{ "role": "user", "content": "why?" }] });
        let members = extra.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(members);
        Request::parse(body)
    }

    #[test]
    fn what_is_not_ours_goes_on_and_what_is_ours_does_not() {
        let request =
            parse(&json!({ "temperature": 0.5, "holdfast": { "collections": null }, "stream": true })).unwrap();

        assert_eq!(request.search, Search::Everywhere);
        assert_eq!(request.query, "why?");
        assert!(request.body.contains_key("temperature") && !request.body.contains_key("holdfast"));
        assert_eq!(request.body["stream_options"]["include_usage"], true);
        assert!(!request.usage);
    }

    #[test]
    fn malformed_requests_are_refused_by_field() {
        for (extra, field) in [
            (json!({ "model": 3 }), "model"),
            (json!({ "messages": [] }), "messages"),
            (json!({ "messages": [{}] }), "messages"),
            (json!({ "stream": "yes" }), "stream"),
            (json!({ "holdfast": [] }), "holdfast"),
            (json!({ "holdfast": { "tenant": "x" } }), "holdfast"),
            (json!({ "holdfast": { "collections": ["doc_1"] } }), "holdfast.collections"),
        ] {
            let error = parse(&extra).map(|_| ()).unwrap_err();
            assert!(matches!(error, Error::WireInvalid(found, _) if found == field), "{error:?}");
        }
    }
}
