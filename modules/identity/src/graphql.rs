//! The GraphQL face.
//!
//! Absent on purpose: what stands at `/.well-known`, whose form and place are given by standards.

use async_graphql::connection::Connection;
use async_graphql::{Context, Object};
use kernel::graphql::{anyone, caller, list};
use kernel::{AccountId, ApiKeyId, Expected, Problem, SessionId};

use crate::Identity;
use crate::browser::clear_cookie;
use crate::input::{
    AcceptInvitation, ChangePassword, CompleteSetup, NewApiKey, NewSession, RefreshToken, UpdateAccount, UpdateMe,
};
use crate::model::{Account, ApiKey, CreatedApiKey, Me, Revoked, Session, Setup, SignIn, SigningKey};

/// What can be asked about accounts.
pub struct Query(Identity);

impl Query {
    /// The face of this module.
    pub const fn new(identity: Identity) -> Self {
        Self(identity)
    }
}

#[Object(name = "IdentityQuery")]
impl Query {
    /// Whether the first operator is still to be made
    async fn setup(&self, ctx: &Context<'_>) -> Result<Setup, Problem> {
        Ok(self.0.get_setup(anyone(ctx)?).await?)
    }

    /// Who you are and what you may do
    async fn me(&self, ctx: &Context<'_>) -> Result<Me, Problem> {
        Ok(self.0.me(caller(ctx)?).await?)
    }

    /// Your sessions; with the permission `identity.sessions.read`, all of the tenant
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50)).unwrap_or(0) * child_complexity")]
    async fn sessions(
        &self,
        ctx: &Context<'_>,
        first: Option<i64>,
        after: Option<String>,
        filter: Option<String>,
        sort: Option<String>,
    ) -> Result<Connection<String, Session>, Problem> {
        let (request, page) = self.0.list_sessions(caller(ctx)?, &list(first, after, filter, sort)).await?;
        request.connection(page)
    }

    /// One session
    async fn session(&self, ctx: &Context<'_>, id: SessionId) -> Result<Session, Problem> {
        Ok(self.0.get_session(caller(ctx)?, id).await?)
    }

    /// Your API keys; with the permission `identity.api_keys.read`, all of the tenant
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50)).unwrap_or(0) * child_complexity")]
    async fn api_keys(
        &self,
        ctx: &Context<'_>,
        first: Option<i64>,
        after: Option<String>,
        filter: Option<String>,
        sort: Option<String>,
    ) -> Result<Connection<String, ApiKey>, Problem> {
        let (request, page) = self.0.list_api_keys(caller(ctx)?, &list(first, after, filter, sort)).await?;
        request.connection(page)
    }

    /// One API key
    async fn api_key(&self, ctx: &Context<'_>, id: ApiKeyId) -> Result<ApiKey, Problem> {
        Ok(self.0.get_api_key(caller(ctx)?, id).await?)
    }

    /// The accounts of the tenant
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50)).unwrap_or(0) * child_complexity")]
    async fn accounts(
        &self,
        ctx: &Context<'_>,
        first: Option<i64>,
        after: Option<String>,
        filter: Option<String>,
        sort: Option<String>,
    ) -> Result<Connection<String, Account>, Problem> {
        let (request, page) = self.0.list_accounts(caller(ctx)?, &list(first, after, filter, sort)).await?;
        request.connection(page)
    }

    /// One account
    async fn account(&self, ctx: &Context<'_>, id: AccountId) -> Result<Account, Problem> {
        Ok(self.0.get_account(caller(ctx)?, id).await?)
    }

    /// The keys that sign access tokens
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50)).unwrap_or(0) * child_complexity")]
    async fn signing_keys(
        &self,
        ctx: &Context<'_>,
        first: Option<i64>,
        after: Option<String>,
        filter: Option<String>,
        sort: Option<String>,
    ) -> Result<Connection<String, SigningKey>, Problem> {
        let (request, page) = self.0.list_signing_keys(caller(ctx)?, &list(first, after, filter, sort)).await?;
        request.connection(page)
    }
}

/// What can be done with accounts.
pub struct Mutation(Identity);

impl Mutation {
    /// The face of this module.
    pub const fn new(identity: Identity) -> Self {
        Self(identity)
    }
}

#[Object(name = "IdentityMutation")]
impl Mutation {
    /// Make the first operator, with the token of the link that the server printed at its start
    async fn complete_setup(&self, ctx: &Context<'_>, input: CompleteSetup) -> Result<Account, Problem> {
        Ok(self.0.complete_setup(anyone(ctx)?, input).await?)
    }

    /// Sign in; with the transport `COOKIE` the session travels in a cookie and no tokens are shown
    async fn create_session(&self, ctx: &Context<'_>, input: NewSession) -> Result<SignIn, Problem> {
        let signed_in = self.0.sign_in(anyone(ctx)?, input).await?;
        if let Some(cookie) = self.0.cookie_field(&signed_in) {
            ctx.append_http_header("set-cookie", cookie);
        }
        ctx.insert_http_header("cache-control", "no-store");
        Ok(signed_in.sign_in)
    }

    /// End all your other sessions
    async fn revoke_other_sessions(&self, ctx: &Context<'_>) -> Result<Revoked, Problem> {
        Ok(self.0.revoke_other_sessions(caller(ctx)?).await?)
    }

    /// Sign out
    async fn sign_out(&self, ctx: &Context<'_>) -> Result<bool, Problem> {
        self.0.sign_out(caller(ctx)?).await?;
        ctx.append_http_header("set-cookie", clear_cookie());
        Ok(true)
    }

    /// End a session
    async fn revoke_session(&self, ctx: &Context<'_>, id: SessionId) -> Result<bool, Problem> {
        self.0.revoke_session(caller(ctx)?, id).await?;
        Ok(true)
    }

    /// Change your account
    async fn update_me(&self, ctx: &Context<'_>, input: UpdateMe, version: Option<i64>) -> Result<Account, Problem> {
        Ok(self.0.update_me(caller(ctx)?, Expected::from_argument(version), input).await?)
    }

    /// Change your password; ends your other sessions
    async fn change_password(&self, ctx: &Context<'_>, input: ChangePassword) -> Result<bool, Problem> {
        self.0.change_password(caller(ctx)?, input).await?;
        Ok(true)
    }

    /// Renew an access token; a refresh token works once and brings its successor
    async fn refresh_token(&self, ctx: &Context<'_>, input: RefreshToken) -> Result<SignIn, Problem> {
        ctx.insert_http_header("cache-control", "no-store");
        Ok(self.0.refresh(anyone(ctx)?, input).await?)
    }

    /// Make an API key; its secret is shown this once
    async fn create_api_key(&self, ctx: &Context<'_>, input: NewApiKey) -> Result<CreatedApiKey, Problem> {
        ctx.insert_http_header("cache-control", "no-store");
        Ok(self.0.create_api_key(caller(ctx)?, input).await?)
    }

    /// Delete an API key
    async fn revoke_api_key(&self, ctx: &Context<'_>, id: ApiKeyId) -> Result<bool, Problem> {
        self.0.revoke_api_key(caller(ctx)?, id).await?;
        Ok(true)
    }

    /// Rename, disable or enable an account
    async fn update_account(
        &self,
        ctx: &Context<'_>,
        id: AccountId,
        input: UpdateAccount,
        version: Option<i64>,
    ) -> Result<Account, Problem> {
        Ok(self.0.update_account(caller(ctx)?, id, Expected::from_argument(version), input).await?)
    }

    /// Accept an invitation: makes your account in the tenant that invited you
    async fn accept_invitation(&self, ctx: &Context<'_>, input: AcceptInvitation) -> Result<Account, Problem> {
        Ok(self.0.accept_invitation(anyone(ctx)?, input).await?)
    }

    /// Let the next key sign; tokens that the last one signed stay valid until their time is over
    async fn rotate_signing_keys(&self, ctx: &Context<'_>) -> Result<SigningKey, Problem> {
        Ok(self.0.rotate_signing_keys(caller(ctx)?).await?)
    }
}
