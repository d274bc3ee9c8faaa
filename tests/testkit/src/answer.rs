//! What the server answered, with assertions that show the whole answer when they fail.

use std::fmt::Write as _;

use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::must;

/// One HTTP answer, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// `METHOD path`, for failures.
    asked: String,
}

impl Answer {
    pub(crate) async fn read(asked: String, response: reqwest::Response) -> Result<Self, reqwest::Error> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await?.to_vec();
        Ok(Self { status, headers, body, asked })
    }

    /// The body, when the status is `status` (and `Null` for an empty one).
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert!(self.status == status, "expected {status}\n{}", self.describe());
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    /// The body as JSON, whatever the status.
    #[track_caller]
    pub fn json(&self) -> Value {
        let parsed = serde_json::from_slice(&self.body);
        parsed.unwrap_or_else(|error| panic!("no JSON ({error})\n{}", self.describe()))
    }

    /// The problem, when it is one of the dialect with this status and code.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Value {
        let problem = self.expect(status);
        let is_problem = self.header("content-type") == Some("application/problem+json");
        assert!(is_problem && problem["code"] == code, "expected the problem {code}\n{}", self.describe());
        assert!(problem["request_id"].is_string(), "a problem names its request\n{}", self.describe());
        problem
    }

    /// `data` of a GraphQL answer that holds no error.
    #[track_caller]
    pub fn data(&self) -> Value {
        let answer = self.expect(200);
        assert!(answer["errors"].is_null(), "GraphQL errors\n{}", self.describe());
        answer["data"].clone()
    }

    /// The extensions of the first GraphQL error, when its code is `code`.
    #[track_caller]
    pub fn error(&self, code: &str) -> Value {
        let extensions = self.json()["errors"][0]["extensions"].clone();
        assert!(extensions["code"] == code, "expected the GraphQL error {code}\n{}", self.describe());
        extensions
    }

    /// A header's value, when it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The answer as one reads it in a failure.
    pub fn describe(&self) -> String {
        let mut text = format!("{} answered {}\n", self.asked, self.status);
        for (name, value) in &self.headers {
            must(writeln!(text, "{name}: {}", value.to_str().unwrap_or("(not text)")), "writing to a string");
        }
        text + "\n" + &String::from_utf8_lossy(&self.body)
    }
}
