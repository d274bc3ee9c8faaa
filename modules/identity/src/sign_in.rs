//! Signing in with a password.
//!
//! Whatever is wrong (address, password, a disabled account, no membership), the work and the answer are the same.

use std::sync::Arc;

use chrono::TimeDelta;
use kernel::{AccountId, Actor, Caller, PermissionSet, Problem, SessionId, Tx};
use serde_json::json;
use tenancy::TenantRef;

use crate::Identity;
use crate::announce::{self, News};
use crate::browser;
use crate::email;
use crate::error::Error;
use crate::input::NewSession;
use crate::model::{Account, CookieValue, Session, SignIn, SignedIn, Transport};
use crate::passwords::Password;
use crate::secrets;
use crate::signing_keys::Ring;
use crate::slowdowns::Attempt;
use crate::store;
use crate::store::accounts::Hashed;

/// What a new session is made with.
struct Means<'a> {
    tenant: &'a TenantRef,
    ring: &'a Ring,
    transport: Transport,
    /// The password's hash with the parameters of today, if the stored one has others.
    fresh_hash: Option<String>,
}

impl Identity {
    /// Begins a session for whoever knows the password.
    ///
    /// # Errors
    /// [`Error::CredentialsWrong`] for every reason alike, [`Error::TooManyAttempts`], [`Error::Busy`].
    pub async fn sign_in(&self, caller: &Caller, new: NewSession) -> Result<SignedIn, Error> {
        let tenant = self.tenant(caller).await?;
        let address = email::key(&new.email);
        let attempt = self.0.slowdowns.begin(caller, Some(&address))?;
        let password = Password::given(&new.password);
        let found = self.0.db.read(caller, async |tx| store::accounts::by_email(tx, &address).await).await?;
        let stored = found.as_ref().map(|found| found.password_hash.as_str());
        let fits = self.0.pool.verify(caller, &password, stored).await?;
        let id = found.as_ref().map(|found| found.account.id);
        let Some(found) = found.filter(|found| fits && !found.account.disabled) else {
            return self.refuse(caller, attempt, id).await;
        };
        let outdated = self.0.pool.outdated(&found.password_hash);
        let fresh_hash = if outdated { Some(self.0.pool.hash(caller, &password).await?) } else { None };
        let ring = self.ring(caller.tenant).await?;
        let transport = new.transport.unwrap_or(Transport::Bearer);
        let means = Means { tenant: &tenant, ring: &ring, transport, fresh_hash };
        let begin = async |tx: &Tx| self.begin_session(tx, caller, &found, &means).await;
        match self.0.db.write_once(caller, "identity.create_session", &new, begin).await {
            Err(Error::CredentialsWrong) => self.refuse(caller, attempt, id).await,
            Ok(signed_in) => {
                attempt.succeeded();
                Ok(signed_in)
            }
            Err(other) => Err(other),
        }
    }

    /// The one answer to every failed sign-in.
    async fn refuse(&self, caller: &Caller, attempt: Attempt, account: Option<AccountId>) -> Result<SignedIn, Error> {
        attempt.failed();
        if let Some(left_out) = self.0.denials.admit(caller.tenant, self.0.db.clock().now()) {
            // What was typed as an address may be a password, so only that of an account is told.
            let target = account.map_or_else(|| "unknown".to_owned(), |id| id.to_string());
            let note = async |tx: &Tx| {
                let news = News {
                    action: "identity.signin_failed",
                    account,
                    target: ("account", target.clone()),
                    details: json!({ "not_recorded_before": left_out }),
                };
                announce::denied(tx, caller, news).await
            };
            self.0.db.write(caller, note).await?;
        }
        Err(Error::CredentialsWrong)
    }

    /// Makes the session, unless the account changed since its password was compared.
    async fn begin_session(
        &self,
        tx: &Tx,
        caller: &Caller,
        compared: &Hashed,
        means: &Means<'_>,
    ) -> Result<SignedIn, Error> {
        let found = store::accounts::by_id(tx, compared.account.id).await?;
        let same = |now: &Hashed| !now.account.disabled && now.password_hash == compared.password_hash;
        let account = found.filter(same).ok_or(Error::CredentialsWrong)?.account;
        if self.0.tenancy.grants_of(tx, account.id).await?.roles.is_empty() {
            return Err(Error::CredentialsWrong);
        }
        if let Some(fresh) = &means.fresh_hash {
            store::accounts::rehash(tx, account.id, fresh, &compared.password_hash).await?;
        }
        let session = self.new_session(tx, caller, &account, means.transport).await?;
        let signed_in = match means.transport {
            Transport::Bearer => self.bearer(tx, means, session, account).await?,
            Transport::Cookie => self.cookie(tx, session, account).await?,
        };
        let session = &signed_in.sign_in.session;
        let news = News {
            action: "identity.session_created",
            account: Some(session.account_id),
            target: ("session", session.id.to_string()),
            details: json!({ "device": session.device, "transport": session.transport }),
        };
        announce::done(tx, &acting(caller, &signed_in.sign_in.account, session.id), news).await?;
        Ok(signed_in)
    }

    async fn new_session(
        &self,
        tx: &Tx,
        caller: &Caller,
        account: &Account,
        transport: Transport,
    ) -> Result<Session, Problem> {
        let lifetime = TimeDelta::from_std(self.0.config.session_lifetime).map_err(Problem::internal)?;
        let user_agent = caller.request.user_agent.as_deref();
        Ok(Session {
            id: tx.new_id(),
            account_id: account.id,
            account_email: account.email.clone(),
            device: browser::device(user_agent),
            user_agent: user_agent.map(browser::user_agent),
            address: caller.request.address.map(|address| address.to_string()),
            transport,
            domain: self.domain_of(tx, caller).await?,
            created_at: tx.now(),
            last_seen_at: tx.now(),
            expires_at: tx.now() + lifetime,
            current: true,
        })
    }

    async fn bearer(&self, tx: &Tx, means: &Means<'_>, session: Session, account: Account) -> Result<SignedIn, Error> {
        store::sessions::insert(tx, &session, None).await?;
        let refresh = secrets::refresh_token(tx.random());
        store::refresh::insert(tx, self.0.macs.refresh(&refresh), session.id, session.expires_at).await?;
        let access = self.issue_access_token(means.ring, means.tenant, account.id, session.id, session.expires_at)?;
        let sign_in = SignIn {
            token_type: "Bearer".to_owned(),
            access_token: Some(access.text),
            refresh_token: Some(refresh.to_string()),
            expires_at: access.expires_at,
            refresh_expires_at: Some(session.expires_at),
            session,
            account,
        };
        Ok(SignedIn { sign_in, cookie: None })
    }

    async fn cookie(&self, tx: &Tx, session: Session, account: Account) -> Result<SignedIn, Error> {
        let value = secrets::opaque(tx.random());
        store::sessions::insert(tx, &session, Some(self.0.macs.cookie(&value))).await?;
        let sign_in = SignIn {
            token_type: "Bearer".to_owned(),
            access_token: None,
            refresh_token: None,
            expires_at: session.expires_at,
            refresh_expires_at: None,
            session,
            account,
        };
        Ok(SignedIn { sign_in, cookie: Some(CookieValue(value.to_string())) })
    }

    /// The `Set-Cookie` field that goes with a sign-in by cookie.
    pub(crate) fn cookie_field(&self, signed_in: &SignedIn) -> Option<String> {
        let now = self.0.db.clock().now();
        let cookie = signed_in.cookie.as_ref()?;
        Some(browser::set_cookie(&cookie.0, signed_in.sign_in.expires_at, now))
    }
}

/// The caller as the account that just proved itself, for the audit trail.
pub(crate) fn acting(caller: &Caller, account: &Account, session: SessionId) -> Caller {
    let name = Arc::from(account.email.as_str());
    let actor = Actor::Account { id: account.id, session, name };
    Caller::new(actor, caller.tenant, PermissionSet::default(), caller.request.clone())
}
