//! What clients send.

use chrono::{DateTime, Utc};
use kernel::{Patch, Secret};
use serde::Serialize;

use crate::model::Transport;

/// Who wants to sign in.
#[derive(Clone, Debug, Serialize, poem_openapi::Object, async_graphql::InputObject)]
#[oai(deny_unknown_fields)]
pub struct NewSession {
    /// The account's address.
    #[oai(validator(max_length = 254))]
    pub email: String,
    /// The account's password.
    pub password: Secret,
    /// How the session is to be proved; `bearer` when left out.
    pub transport: Option<Transport>,
}

/// What makes the first operator.
#[derive(Clone, Debug, Serialize, poem_openapi::Object, async_graphql::InputObject)]
#[oai(deny_unknown_fields)]
pub struct CompleteSetup {
    /// From the link that the server printed.
    pub token: Secret,
    /// The operator's address.
    #[oai(validator(max_length = 254))]
    pub email: String,
    /// At least 15 characters.
    pub password: Secret,
    /// The name for people; the address when left out.
    #[oai(validator(max_length = 100))]
    pub display_name: Option<String>,
}

/// What turns an invitation into an account.
#[derive(Clone, Debug, Serialize, poem_openapi::Object, async_graphql::InputObject)]
#[oai(deny_unknown_fields)]
pub struct AcceptInvitation {
    /// From the invitation's link.
    pub token: Secret,
    /// The address that was invited.
    #[oai(validator(max_length = 254))]
    pub email: String,
    /// At least 15 characters.
    pub password: Secret,
    /// The name for people; the address when left out.
    #[oai(validator(max_length = 100))]
    pub display_name: Option<String>,
}

/// A refresh token.
#[derive(Clone, Debug, Serialize, poem_openapi::Object, async_graphql::InputObject)]
#[oai(deny_unknown_fields)]
pub struct RefreshToken {
    /// The latest one of the session.
    pub refresh_token: Secret,
}

/// What one can change about oneself.
#[derive(Clone, Debug, Default, Serialize, poem_openapi::Object, async_graphql::InputObject)]
#[oai(deny_unknown_fields)]
pub struct UpdateMe {
    /// The name for people, 1 to 100 characters.
    #[graphql(default)]
    pub display_name: Patch<String>,
}

/// A new password.
#[derive(Clone, Debug, Serialize, poem_openapi::Object, async_graphql::InputObject)]
#[oai(deny_unknown_fields)]
pub struct ChangePassword {
    /// The password until now.
    pub current_password: Secret,
    /// At least 15 characters.
    pub new_password: Secret,
}

/// What can be changed about an account.
#[derive(Clone, Debug, Default, Serialize, poem_openapi::Object, async_graphql::InputObject)]
#[oai(deny_unknown_fields)]
pub struct UpdateAccount {
    /// The name for people, 1 to 100 characters.
    #[graphql(default)]
    pub display_name: Patch<String>,
    /// Whether it can't be used.
    #[graphql(default)]
    pub disabled: Patch<bool>,
}

/// What an API key is made of.
#[derive(Clone, Debug, Serialize, poem_openapi::Object, async_graphql::InputObject)]
#[oai(deny_unknown_fields)]
pub struct NewApiKey {
    /// What it is for, 1 to 100 characters.
    #[oai(validator(max_length = 100))]
    pub name: String,
    /// Permissions that it is limited to, which you must hold; whatever you may at the time when left out.
    #[oai(validator(max_items = 200))]
    pub scopes: Option<Vec<String>>,
    /// When it ends; never when left out.
    pub expires_at: Option<DateTime<Utc>>,
}
