//! TXT records by a service of the operator's: one POST with a small JSON document for each change.

use async_trait::async_trait;
use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use url::Url;

use super::{DnsError, DnsProvider};

/// Posts `{"action": "set" | "remove", "record": "_acme-challenge.example.com", "value": "…"}`; any 2xx means done.
pub struct WebhookDns {
    client: Client,
    url: Url,
    token: Option<SecretString>,
}

#[derive(Serialize)]
struct Change<'a> {
    action: &'static str,
    record: &'a str,
    value: &'a str,
}

impl WebhookDns {
    /// Posts to `url` with `client`, whose timeouts and rules of egress apply; `token` is sent as a bearer token.
    pub fn new(client: Client, url: Url, token: Option<SecretString>) -> Self {
        Self { client, url, token }
    }

    async fn post(&self, change: &Change<'_>) -> Result<(), DnsError> {
        let body = serde_json::to_vec(change).map_err(|error| DnsError::Settings(error.to_string()))?;
        let mut request = self.client.post(self.url.clone()).header("content-type", "application/json").body(body);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose_secret());
        }
        let response = request.send().await.map_err(|error| DnsError::Unreachable(error.without_url().to_string()))?;
        let status = response.status();
        if status.is_success() { Ok(()) } else { Err(DnsError::Refused(format!("the webhook answered {status}"))) }
    }
}

#[async_trait]
impl DnsProvider for WebhookDns {
    async fn set_txt(&self, record: &str, value: &str) -> Result<(), DnsError> {
        self.post(&Change { action: "set", record, value }).await
    }

    async fn remove_txt(&self, record: &str, value: &str) -> Result<(), DnsError> {
        self.post(&Change { action: "remove", record, value }).await
    }
}
