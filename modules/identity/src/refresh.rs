//! Refresh tokens: each is used once and brings its successor.
//!
//! A client that lost the answer may repeat itself for a short while and gets the same successor. Later, a used token
//! in anybody's hands means that it was stolen, and ends the session.

use chrono::TimeDelta;
use kernel::{Caller, Problem, Sealer, SessionId, Tx};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tenancy::TenantRef;
use zeroize::Zeroizing;

use crate::Identity;
use crate::announce::{self, News};
use crate::error::Error;
use crate::input::RefreshToken;
use crate::model::SignIn;
use crate::secrets;
use crate::sign_in::acting;
use crate::signing_keys::Ring;
use crate::store;

/// How using a token went; all of them are kept.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Renewed(Box<SignIn>),
    Reused,
}

impl Identity {
    /// The next access and refresh token of a session.
    ///
    /// # Errors
    /// [`Error::RefreshInvalid`]; [`Error::RefreshReused`] for a token that was used a while ago, which ends its
    /// session.
    pub async fn refresh(&self, caller: &Caller, given: RefreshToken) -> Result<SignIn, Error> {
        let tenant = self.tenant(caller).await?;
        let token = given.refresh_token.expose();
        if !secrets::looks_like_refresh_token(token) {
            return Err(Error::RefreshInvalid);
        }
        let ring = self.ring(caller.tenant).await?;
        let renew = async |tx: &Tx| self.renew(tx, caller, token, &ring, &tenant).await;
        match self.0.db.write_once(caller, "identity.refresh_token", &given, renew).await? {
            Outcome::Renewed(sign_in) => Ok(*sign_in),
            Outcome::Reused => Err(Error::RefreshReused),
        }
    }

    async fn renew(
        &self,
        tx: &Tx,
        caller: &Caller,
        token: &str,
        ring: &Ring,
        tenant: &TenantRef,
    ) -> Result<Outcome, Error> {
        let hash = self.0.macs.refresh(token);
        let sealer = self.successor_sealer(token);
        let successor = secrets::refresh_token(tx.random());
        let sealed = sealer.seal(tx.random(), &hash, successor.as_bytes());
        if let Some(session) = store::refresh::use_up(tx, hash, sealed).await? {
            let sign_in = self.renewed(tx, session, successor, ring, tenant).await?;
            let expires_at = sign_in.session.expires_at;
            let next = self.0.macs.refresh(sign_in.refresh_token.as_deref().unwrap_or_default());
            store::refresh::insert(tx, next, session, expires_at).await?;
            store::sessions::touch(tx, tx.tenant(), session, tx.now()).await?;
            return Ok(Outcome::Renewed(Box::new(sign_in)));
        }
        let known = store::refresh::find(tx, hash).await?.filter(|known| known.expires_at > tx.now());
        let known = known.ok_or(Error::RefreshInvalid)?;
        let (Some(used_at), Some(sealed)) = (known.used_at, known.successor) else {
            return Err(Error::RefreshInvalid);
        };
        let grace = TimeDelta::from_std(self.0.config.refresh_grace).unwrap_or_default();
        if tx.now() - used_at > grace {
            self.end_family(tx, caller, known.session_id).await?;
            return Ok(Outcome::Reused);
        }
        let opened = sealer.open(&hash, &sealed).map_err(Problem::internal)?;
        let same = Zeroizing::new(String::from_utf8(opened.to_vec()).map_err(Problem::internal)?);
        let sign_in = self.renewed(tx, known.session_id, same, ring, tenant).await?;
        Ok(Outcome::Renewed(Box::new(sign_in)))
    }

    /// Only who holds the token can open what it was exchanged for.
    fn successor_sealer(&self, token: &str) -> Sealer {
        Sealer::new(&self.0.db.keys().derive(&[b"identity refresh successor ", token.as_bytes()]))
    }

    /// The session with a new access token and this refresh token, if the session may still be used.
    async fn renewed(
        &self,
        tx: &Tx,
        id: SessionId,
        refresh: Zeroizing<String>,
        ring: &Ring,
        tenant: &TenantRef,
    ) -> Result<SignIn, Error> {
        let session = store::sessions::find(tx, id, Some(id)).await?.ok_or(Error::RefreshInvalid)?;
        let account = store::accounts::find(tx, session.account_id).await?.ok_or(Error::RefreshInvalid)?;
        let member = !self.0.tenancy.grants_of(tx, account.id).await?.roles.is_empty();
        let alive = tx.now() < session.expires_at && session.last_seen_at > self.idle_since(tx.now());
        if account.disabled || !member || !alive {
            return Err(Error::RefreshInvalid);
        }
        let access = self.issue_access_token(ring, tenant, account.id, id, session.expires_at)?;
        Ok(SignIn {
            token_type: "Bearer".to_owned(),
            access_token: Some(access.text),
            refresh_token: Some(refresh.to_string()),
            expires_at: access.expires_at,
            refresh_expires_at: Some(session.expires_at),
            session,
            account,
        })
    }

    /// Ends a session whose refresh token somebody else holds, too.
    async fn end_family(&self, tx: &Tx, caller: &Caller, id: SessionId) -> Result<(), Error> {
        let Some(session) = store::sessions::find(tx, id, None).await? else { return Ok(()) };
        let account = store::accounts::find(tx, session.account_id).await?.ok_or(Error::RefreshInvalid)?;
        store::sessions::delete(tx, id).await?;
        Self::forget_on_commit(tx, account.id);
        let news = News {
            action: "identity.refresh_reused",
            account: Some(account.id),
            target: ("session", id.to_string()),
            details: json!({ "device": session.device, "session_ended": true }),
        };
        Ok(announce::denied(tx, &acting(caller, &account, id), news).await?)
    }
}
