//! Sessions: seen and ended by their owner, and by those who look after the tenant.

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{AccountId, Actor, Caller, ListParams, ListRequest, Page, Permission, Problem, SessionId, Tx};
use serde_json::json;

use crate::Identity;
use crate::announce::{self, News};
use crate::epochs::STALE;
use crate::error::Error;
use crate::listing::SESSIONS;
use crate::model::{Revoked, Session};
use crate::permissions::{SESSIONS_READ, SESSIONS_WRITE};
use crate::store;

/// The session by which the caller came.
pub(crate) fn current(caller: &Caller) -> Option<SessionId> {
    match caller.actor {
        Actor::Account { session, .. } => Some(session),
        Actor::Anonymous | Actor::ApiKey { .. } | Actor::System { .. } => None,
    }
}

impl Identity {
    /// The caller's sessions, or all of the tenant for a caller who may see them.
    ///
    /// # Errors
    /// The caller is nobody, or a parameter is wrong.
    pub async fn list_sessions(
        &self,
        caller: &Caller,
        params: &ListParams,
    ) -> Result<(ListRequest, Page<Session>), Error> {
        caller.account()?;
        let request = ListRequest::new(&SESSIONS, params, caller, self.0.db.keys())?;
        let list = async |tx: &Tx| {
            let whose = self.whose(tx, caller, SESSIONS_READ).await?;
            let since = self.idle_since(tx.now());
            store::sessions::list(tx, &request, whose, current(caller), since).await
        };
        let items = self.0.db.read(caller, list).await?;
        let page = request.page(items)?;
        Ok((request, page))
    }

    /// One of the sessions that the caller may see.
    ///
    /// # Errors
    /// There is none with this id.
    pub async fn get_session(&self, caller: &Caller, id: SessionId) -> Result<Session, Error> {
        caller.account()?;
        let find = async |tx: &Tx| {
            let whose = self.whose(tx, caller, SESSIONS_READ).await?;
            let found = store::sessions::find(tx, id, current(caller)).await?;
            let alive = |it: &Session| it.expires_at > tx.now() && it.last_seen_at > self.idle_since(tx.now());
            let visible = |it: &Session| whose.is_none_or(|account| it.account_id == account);
            found.filter(|it| alive(it) && visible(it)).ok_or_else(Problem::not_found)
        };
        Ok(self.0.db.read(caller, find).await?)
    }

    /// Ends a session: its next request is refused.
    ///
    /// # Errors
    /// There is none with this id that the caller may see; the caller may see but not end it.
    pub async fn revoke_session(&self, caller: &Caller, id: SessionId) -> Result<(), Error> {
        caller.account()?;
        let revoke = async |tx: &Tx| {
            let whose = self.whose(tx, caller, SESSIONS_WRITE).await?;
            let session = store::sessions::find(tx, id, None).await?.ok_or_else(Problem::not_found)?;
            if whose.is_some_and(|own| own != session.account_id) {
                // Who may see it is told what is missing; to others it does not exist.
                let seen = caller.may(SESSIONS_READ);
                let answer = if seen { Problem::forbidden(SESSIONS_WRITE.0) } else { Problem::not_found() };
                return Err(answer.into());
            }
            self.end_session(tx, caller, &session).await
        };
        self.0.db.write_once(caller, "identity.revoke_session", &id, revoke).await
    }

    /// Ends the caller's own session.
    ///
    /// # Errors
    /// [`Error::NoSession`].
    pub async fn sign_out(&self, caller: &Caller) -> Result<(), Error> {
        caller.account()?;
        let id = current(caller).ok_or(Error::NoSession)?;
        let end = async |tx: &Tx| match store::sessions::find(tx, id, None).await? {
            Some(session) => self.end_session(tx, caller, &session).await,
            None => Ok(()),
        };
        self.0.db.write_once(caller, "identity.sign_out", &id, end).await
    }

    /// Ends all sessions of the caller but the one by which this request came.
    ///
    /// # Errors
    /// The caller is nobody, or a limited API key.
    pub async fn revoke_other_sessions(&self, caller: &Caller) -> Result<Revoked, Error> {
        caller.account()?;
        let revoke = async |tx: &Tx| {
            let account = self.own_account(tx, caller).await?.ok_or(Error::PersonRequired)?;
            let revoked = self.end_sessions_of(tx, caller, account, current(caller)).await?;
            Ok::<_, Error>(Revoked { revoked })
        };
        self.0.db.write_once(caller, "identity.revoke_other_sessions", &(), revoke).await
    }

    async fn end_session(&self, tx: &Tx, caller: &Caller, session: &Session) -> Result<(), Error> {
        if !store::sessions::delete(tx, session.id).await? {
            return Err(Problem::not_found().into());
        }
        Self::forget_on_commit(tx, session.account_id);
        let news = News {
            action: "identity.session_revoked",
            account: Some(session.account_id),
            target: ("session", session.id.to_string()),
            details: json!({ "device": session.device }),
        };
        Ok(announce::done(tx, caller, news).await?)
    }

    /// Ends all sessions of an account, or all but one, and tells how many.
    pub(crate) async fn end_sessions_of(
        &self,
        tx: &Tx,
        caller: &Caller,
        account: AccountId,
        but: Option<SessionId>,
    ) -> Result<i64, Problem> {
        let ended = store::sessions::delete_all(tx, account, but).await?;
        let ended = i64::try_from(ended).unwrap_or(i64::MAX);
        Self::forget_on_commit(tx, account);
        if ended > 0 {
            let news = News {
                action: "identity.sessions_revoked",
                account: Some(account),
                target: ("account", account.to_string()),
                details: json!({ "number": ended }),
            };
            announce::done(tx, caller, news).await?;
        }
        Ok(ended)
    }

    /// Whose things the caller may touch: `None` for everybody's, by permission, else only those of this account.
    ///
    /// # Errors
    /// 403 for an API key limited to other things.
    pub(crate) async fn whose(
        &self,
        tx: &Tx,
        caller: &Caller,
        permission: Permission,
    ) -> Result<Option<AccountId>, Problem> {
        if caller.may(permission) {
            return Ok(None);
        }
        let own = self.own_account(tx, caller).await?;
        own.map(Some).ok_or_else(|| Problem::forbidden(permission.0))
    }

    /// The account whose own things the caller may touch: a person's, or that of a key that may what its maker may.
    pub(crate) async fn own_account(&self, tx: &Tx, caller: &Caller) -> Result<Option<AccountId>, Problem> {
        Ok(match caller.actor {
            Actor::Account { id, .. } => Some(id),
            Actor::ApiKey { id, account, .. } => {
                let key = store::api_keys::find(tx, id).await?;
                key.filter(|key| key.scopes.is_none()).map(|_| account)
            }
            Actor::Anonymous | Actor::System { .. } => None,
        })
    }

    /// A session that was used last before then has ended.
    pub(crate) fn idle_since(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let idle = TimeDelta::from_std(self.0.config.session_idle).unwrap_or(TimeDelta::MAX);
        now.checked_sub_signed(idle).unwrap_or(DateTime::<Utc>::MIN_UTC)
    }

    /// After the commit: what is remembered about this account's credentials is stale.
    pub(crate) fn forget_on_commit(tx: &Tx, account: AccountId) {
        tx.stale_on_commit(STALE, &account.uuid().to_string());
    }
}
