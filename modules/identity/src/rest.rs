//! The REST face.

use kernel::rest::{Anyone, Auth, Body, Created, Listed, NoContent, Reply};
use kernel::{AccountId, ApiKeyId, Expected, FieldMask, ListParams, Problem, SessionId};
use poem_openapi::param::{Header, Path, Query};
use poem_openapi::payload::Response;
use poem_openapi::{OpenApi, Tags};

use crate::Identity;
use crate::browser::clear_cookie;
use crate::input::{
    AcceptInvitation, ChangePassword, CompleteSetup, NewApiKey, NewSession, RefreshToken, UpdateAccount, UpdateMe,
};
use crate::listing::{ACCOUNTS, API_KEYS, SESSIONS, SIGNING_KEYS};
use crate::model::{
    Account, ApiKey, CreatedApiKey, Jwks, Me, Revoked, ServerMetadata, Session, Setup, SignIn, SigningKey,
};
use crate::well_known::CACHE_CONTROL;

#[derive(Tags)]
enum Tag {
    /// Accounts and how they prove themselves.
    #[oai(rename = "identity")]
    Identity,
}

/// The resources under `/api/v1/identity`.
pub struct Api(Identity);

impl Api {
    /// The face of this module.
    pub const fn new(identity: Identity) -> Self {
        Self(identity)
    }
}

#[OpenApi(prefix_path = "/api/v1/identity", tag = "Tag::Identity")]
impl Api {
    /// Whether the first operator is still to be made
    #[oai(path = "/setup", method = "get", operation_id = "get_setup")]
    async fn get_setup(&self, anyone: Anyone) -> Result<Reply<Setup>, Problem> {
        Ok(Reply::new(self.0.get_setup(&anyone.0).await?))
    }

    /// Make the first operator
    ///
    /// With the token of the link that the server printed at its start. It works once.
    #[oai(path = "/setup", method = "post", operation_id = "complete_setup")]
    async fn complete_setup(&self, anyone: Anyone, new: Body<CompleteSetup>) -> Result<Created<Account>, Problem> {
        Ok(Created(self.0.complete_setup(&anyone.0, new.0).await?))
    }

    /// Sign in
    ///
    /// With `transport: cookie` the session travels in a cookie and no tokens are shown.
    #[oai(path = "/sessions", method = "post", operation_id = "create_session")]
    async fn create_session(
        &self,
        anyone: Anyone,
        new: Body<NewSession>,
    ) -> Result<Response<Created<SignIn>>, Problem> {
        let signed_in = self.0.sign_in(&anyone.0, new.0).await?;
        let cookie = self.0.cookie_field(&signed_in);
        let response = Response::new(Created(signed_in.sign_in)).header("cache-control", "no-store");
        Ok(cookie.into_iter().fold(response, |response, cookie| response.header("set-cookie", cookie)))
    }

    /// List sessions
    ///
    /// Yours; with the permission `identity.sessions.read`, all of the tenant.
    #[oai(path = "/sessions", method = "get", operation_id = "list_sessions")]
    async fn list_sessions(
        &self,
        auth: Auth,
        /// How many, 1 to 200; 50 when left out.
        limit: Query<Option<i64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
        /// Which, such as `transport eq "cookie"`.
        filter: Query<Option<String>>,
        /// In which order: `created_at`, `last_seen_at`, `expires_at` or `id`, with `-` in front for descending.
        sort: Query<Option<String>>,
        /// The fields to show, separated by commas.
        fields: Query<Option<String>>,
    ) -> Result<Listed<Session>, Problem> {
        let mask = FieldMask::parse(&SESSIONS, fields.0.as_deref())?;
        let params = ListParams { limit: limit.0, cursor: cursor.0, filter: filter.0, sort: sort.0 };
        Ok(Listed(self.0.list_sessions(&auth.0, &params).await?.1, mask))
    }

    /// End all your other sessions
    #[oai(path = "/sessions", method = "delete", operation_id = "revoke_other_sessions")]
    async fn revoke_other_sessions(&self, auth: Auth) -> Result<Reply<Revoked>, Problem> {
        Ok(Reply::new(self.0.revoke_other_sessions(&auth.0).await?))
    }

    /// Sign out
    #[oai(path = "/sessions/current", method = "delete", operation_id = "sign_out")]
    async fn sign_out(&self, auth: Auth) -> Result<Response<NoContent>, Problem> {
        self.0.sign_out(&auth.0).await?;
        Ok(Response::new(NoContent).header("set-cookie", clear_cookie()))
    }

    /// Get a session
    #[oai(path = "/sessions/:id", method = "get", operation_id = "get_session")]
    async fn get_session(&self, auth: Auth, id: Path<SessionId>) -> Result<Reply<Session>, Problem> {
        Ok(Reply::new(self.0.get_session(&auth.0, id.0).await?))
    }

    /// End a session
    #[oai(path = "/sessions/:id", method = "delete", operation_id = "revoke_session")]
    async fn revoke_session(&self, auth: Auth, id: Path<SessionId>) -> Result<NoContent, Problem> {
        self.0.revoke_session(&auth.0, id.0).await?;
        Ok(NoContent)
    }

    /// Who you are and what you may do
    #[oai(path = "/me", method = "get", operation_id = "get_me")]
    async fn get_me(&self, auth: Auth) -> Result<Reply<Me>, Problem> {
        Ok(Reply::new(self.0.me(&auth.0).await?))
    }

    /// Change your account
    #[oai(path = "/me", method = "patch", operation_id = "update_me")]
    async fn update_me(
        &self,
        auth: Auth,
        /// The account's ETag; another one is refused.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        changes: Body<UpdateMe>,
    ) -> Result<Reply<Account>, Problem> {
        let expected = Expected::from_header(if_match.0.as_deref());
        Ok(Reply::new(self.0.update_me(&auth.0, expected, changes.0).await?))
    }

    /// Change your password
    ///
    /// Ends your other sessions.
    #[oai(path = "/me/password", method = "post", operation_id = "change_password")]
    async fn change_password(&self, auth: Auth, change: Body<ChangePassword>) -> Result<NoContent, Problem> {
        self.0.change_password(&auth.0, change.0).await?;
        Ok(NoContent)
    }

    /// Renew an access token
    ///
    /// A refresh token works once and brings its successor.
    #[oai(path = "/tokens/refresh", method = "post", operation_id = "refresh_token")]
    async fn refresh_token(
        &self,
        anyone: Anyone,
        token: Body<RefreshToken>,
    ) -> Result<Response<Reply<SignIn>>, Problem> {
        let renewed = self.0.refresh(&anyone.0, token.0).await?;
        Ok(Response::new(Reply::new(renewed)).header("cache-control", "no-store"))
    }

    /// Make an API key
    ///
    /// Without scopes it may do whatever you may at the time. Its secret is shown this once.
    #[oai(path = "/api_keys", method = "post", operation_id = "create_api_key")]
    async fn create_api_key(
        &self,
        auth: Auth,
        new: Body<NewApiKey>,
    ) -> Result<Response<Created<CreatedApiKey>>, Problem> {
        let created = self.0.create_api_key(&auth.0, new.0).await?;
        Ok(Response::new(Created(created)).header("cache-control", "no-store"))
    }

    /// List API keys
    ///
    /// Yours; with the permission `identity.api_keys.read`, all of the tenant.
    #[oai(path = "/api_keys", method = "get", operation_id = "list_api_keys")]
    async fn list_api_keys(
        &self,
        auth: Auth,
        /// How many, 1 to 200; 50 when left out.
        limit: Query<Option<i64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
        /// Which, such as `name eq "backup"`.
        filter: Query<Option<String>>,
        /// In which order: `created_at`, `name` or `id`, with `-` in front for descending.
        sort: Query<Option<String>>,
        /// The fields to show, separated by commas.
        fields: Query<Option<String>>,
    ) -> Result<Listed<ApiKey>, Problem> {
        let mask = FieldMask::parse(&API_KEYS, fields.0.as_deref())?;
        let params = ListParams { limit: limit.0, cursor: cursor.0, filter: filter.0, sort: sort.0 };
        Ok(Listed(self.0.list_api_keys(&auth.0, &params).await?.1, mask))
    }

    /// Get an API key
    #[oai(path = "/api_keys/:id", method = "get", operation_id = "get_api_key")]
    async fn get_api_key(&self, auth: Auth, id: Path<ApiKeyId>) -> Result<Reply<ApiKey>, Problem> {
        Ok(Reply::new(self.0.get_api_key(&auth.0, id.0).await?))
    }

    /// Delete an API key
    #[oai(path = "/api_keys/:id", method = "delete", operation_id = "revoke_api_key")]
    async fn revoke_api_key(&self, auth: Auth, id: Path<ApiKeyId>) -> Result<NoContent, Problem> {
        self.0.revoke_api_key(&auth.0, id.0).await?;
        Ok(NoContent)
    }

    /// List accounts
    #[oai(path = "/accounts", method = "get", operation_id = "list_accounts")]
    async fn list_accounts(
        &self,
        auth: Auth,
        /// How many, 1 to 200; 50 when left out.
        limit: Query<Option<i64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
        /// Which, such as `disabled eq true`.
        filter: Query<Option<String>>,
        /// In which order: `created_at`, `updated_at`, `display_name` or `id`, with `-` in front for descending.
        sort: Query<Option<String>>,
        /// The fields to show, separated by commas.
        fields: Query<Option<String>>,
    ) -> Result<Listed<Account>, Problem> {
        let mask = FieldMask::parse(&ACCOUNTS, fields.0.as_deref())?;
        let params = ListParams { limit: limit.0, cursor: cursor.0, filter: filter.0, sort: sort.0 };
        Ok(Listed(self.0.list_accounts(&auth.0, &params).await?.1, mask))
    }

    /// Get an account
    #[oai(path = "/accounts/:id", method = "get", operation_id = "get_account")]
    async fn get_account(&self, auth: Auth, id: Path<AccountId>) -> Result<Reply<Account>, Problem> {
        Ok(Reply::new(self.0.get_account(&auth.0, id.0).await?))
    }

    /// Rename, disable or enable an account
    #[oai(path = "/accounts/:id", method = "patch", operation_id = "update_account")]
    async fn update_account(
        &self,
        auth: Auth,
        id: Path<AccountId>,
        /// The account's ETag; another one is refused.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        changes: Body<UpdateAccount>,
    ) -> Result<Reply<Account>, Problem> {
        let expected = Expected::from_header(if_match.0.as_deref());
        Ok(Reply::new(self.0.update_account(&auth.0, id.0, expected, changes.0).await?))
    }

    /// Accept an invitation
    ///
    /// Makes your account in the tenant that invited you; asked at the tenant's host.
    #[oai(path = "/invitations/accept", method = "post", operation_id = "accept_invitation")]
    async fn accept_invitation(
        &self,
        anyone: Anyone,
        new: Body<AcceptInvitation>,
    ) -> Result<Created<Account>, Problem> {
        Ok(Created(self.0.accept_invitation(&anyone.0, new.0).await?))
    }

    /// List the keys that sign access tokens
    #[oai(path = "/signing_keys", method = "get", operation_id = "list_signing_keys")]
    async fn list_signing_keys(
        &self,
        auth: Auth,
        /// How many, 1 to 200; 50 when left out.
        limit: Query<Option<i64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
        /// Which, such as `state eq "active"`.
        filter: Query<Option<String>>,
        /// In which order: `created_at` or `id`, with `-` in front for descending.
        sort: Query<Option<String>>,
        /// The fields to show, separated by commas.
        fields: Query<Option<String>>,
    ) -> Result<Listed<SigningKey>, Problem> {
        let mask = FieldMask::parse(&SIGNING_KEYS, fields.0.as_deref())?;
        let params = ListParams { limit: limit.0, cursor: cursor.0, filter: filter.0, sort: sort.0 };
        Ok(Listed(self.0.list_signing_keys(&auth.0, &params).await?.1, mask))
    }

    /// Let the next key sign
    ///
    /// Tokens that the last key signed stay valid until their time is over.
    #[oai(path = "/signing_keys/rotate", method = "post", operation_id = "rotate_signing_keys")]
    async fn rotate_signing_keys(&self, auth: Auth) -> Result<Reply<SigningKey>, Problem> {
        Ok(Reply::new(self.0.rotate_signing_keys(&auth.0).await?))
    }
}

/// What other programs look for at a well-known place; each tenant has its own.
pub struct WellKnown(Identity);

impl WellKnown {
    /// The face of this module at `/.well-known`.
    pub const fn new(identity: Identity) -> Self {
        Self(identity)
    }
}

#[OpenApi(prefix_path = "/.well-known", tag = "Tag::Identity")]
impl WellKnown {
    /// The keys whose signatures are valid (RFC 7517)
    #[oai(path = "/jwks.json", method = "get", operation_id = "get_jwks")]
    async fn jwks(&self, anyone: Anyone) -> Result<Response<Reply<Jwks>>, Problem> {
        let keys = self.0.jwks(&anyone.0).await?;
        Ok(Response::new(Reply::new(keys)).header("cache-control", CACHE_CONTROL))
    }

    /// The tenant as an issuer of tokens (RFC 8414)
    #[oai(path = "/oauth-authorization-server", method = "get", operation_id = "get_server_metadata")]
    async fn server_metadata(&self, anyone: Anyone) -> Result<Response<Reply<ServerMetadata>>, Problem> {
        let metadata = self.0.server_metadata(&anyone.0).await?;
        Ok(Response::new(Reply::new(metadata)).header("cache-control", CACHE_CONTROL))
    }
}
