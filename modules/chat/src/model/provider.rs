//! Providers of models.

use chrono::{DateTime, Utc};
use kernel::rest::Etag;
use kernel::{Patch, Secret};
use serde::{Deserialize, Serialize};

use super::ProviderId;

/// How a provider is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Enum, async_graphql::Enum)]
#[serde(rename_all = "snake_case")]
#[oai(rename_all = "snake_case")]
pub enum ProviderKind {
    /// `/chat/completions` below the base address, as OpenAI has it.
    OpenaiCompatible,
}

impl ProviderKind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::OpenaiCompatible => "openai_compatible",
        }
    }
}

/// Somebody who can be asked for an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
#[graphql(name = "ModelProvider")]
#[oai(rename = "ModelProvider")]
pub struct Provider {
    /// Names the provider.
    pub id: ProviderId,
    /// Its name for people, unique.
    pub name: String,
    /// How it is spoken to.
    pub kind: ProviderKind,
    /// The address below which `/chat/completions` is.
    pub base_url: String,
    /// Whether a key is kept for it; the key itself is never shown.
    pub has_api_key: bool,
    /// Its models, the usual one first.
    pub models: Vec<String>,
    /// Its place in the order in which providers are tried.
    pub position: i64,
    /// Milliseconds until its first token must be there.
    pub first_token_timeout_ms: i64,
    /// Milliseconds of silence after which it counts as broken off.
    pub idle_timeout_ms: i64,
    /// Whether it is asked at all.
    pub enabled: bool,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Grows with every change; the entity tag.
    pub version: i64,
}

impl Etag for Provider {
    fn version(&self) -> Option<i64> {
        Some(self.version)
    }
}

/// What a provider is made of.
#[derive(Clone, Debug, Serialize, poem_openapi::Object, async_graphql::InputObject)]
#[graphql(name = "NewModelProvider")]
#[oai(deny_unknown_fields, rename = "NewModelProvider")]
pub struct NewProvider {
    /// Its name for people, 1 to 100 characters, unique.
    #[oai(validator(max_length = 200))]
    pub name: String,
    /// How it is spoken to; `openai_compatible` when left out.
    pub kind: Option<ProviderKind>,
    /// The address below which `/chat/completions` is, such as `https://api.openai.com/v1`.
    #[oai(validator(max_length = 500))]
    pub base_url: String,
    /// Its key; kept sealed and never shown.
    pub api_key: Option<Secret>,
    /// Its models, the usual one first; 1 to 50.
    #[oai(validator(max_items = 50))]
    pub models: Vec<String>,
    /// Its place in the order; after all others when left out.
    pub position: Option<i64>,
    /// Milliseconds until its first token must be there, 100 to 600000; 30000 when left out.
    pub first_token_timeout_ms: Option<i64>,
    /// Milliseconds of silence after which it counts as broken off, 100 to 600000; 30000 when left out.
    pub idle_timeout_ms: Option<i64>,
    /// Whether it is asked at all; yes when left out.
    pub enabled: Option<bool>,
}

/// What can change of a provider.
#[derive(Clone, Debug, Serialize, poem_openapi::Object, async_graphql::InputObject)]
#[graphql(name = "UpdateModelProvider")]
#[oai(deny_unknown_fields, rename = "UpdateModelProvider")]
pub struct UpdateProvider {
    /// Another name.
    #[graphql(default)]
    pub name: Patch<String>,
    /// Another address; the key goes with it unless a new one is given.
    #[graphql(default)]
    pub base_url: Patch<String>,
    /// Another key, or null for none.
    #[graphql(default)]
    pub api_key: Patch<Secret>,
    /// Other models.
    #[graphql(default)]
    pub models: Patch<Vec<String>>,
    /// Another place in the order.
    #[graphql(default)]
    pub position: Patch<i64>,
    /// Another time until the first token.
    #[graphql(default)]
    pub first_token_timeout_ms: Patch<i64>,
    /// Another time of silence.
    #[graphql(default)]
    pub idle_timeout_ms: Patch<i64>,
    /// Whether it is asked at all.
    #[graphql(default)]
    pub enabled: Patch<bool>,
}

/// How a provider answered a trial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct ProviderTest {
    /// Whether it answered.
    pub ok: bool,
    /// The model that was asked.
    pub model: String,
    /// Milliseconds until its first token.
    pub first_token_ms: Option<i64>,
    /// The beginning of what it said.
    pub text: Option<String>,
    /// Why it did not answer.
    pub reason: Option<String>,
}

impl Etag for ProviderTest {
    fn version(&self) -> Option<i64> {
        None
    }
}
