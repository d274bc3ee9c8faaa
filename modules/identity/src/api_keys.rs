//! API keys: programs act with them for the account that made them, within its grants of the time.

use chrono::{DateTime, Utc};
use kernel::{AccountId, Actor, ApiKeyId, Caller, ListParams, ListRequest, Page, Problem, Tx};
use serde_json::json;

use crate::Identity;
use crate::accounts::name;
use crate::announce::{self, News};
use crate::error::Error;
use crate::input::NewApiKey;
use crate::listing::API_KEYS;
use crate::model::{ApiKey, CreatedApiKey};
use crate::permissions::{API_KEYS_READ, API_KEYS_WRITE};
use crate::secrets;
use crate::store;

/// The most keys of one account.
const MAX_KEYS: usize = 200;

impl Identity {
    /// Makes a key that acts for the caller's account, at most with what the caller may.
    ///
    /// # Errors
    /// [`Error::ScopeUnknown`], [`Error::ScopeNotHeld`], [`Error::ExpiryInvalid`], [`Error::NameInvalid`],
    /// [`Error::TooManyKeys`]; [`Error::ScopesRequired`] for a limited key that makes an unlimited one.
    pub async fn create_api_key(&self, caller: &Caller, new: NewApiKey) -> Result<CreatedApiKey, Error> {
        let account = caller.account()?;
        let name = name("name", &new.name)?;
        let scopes = new.scopes.as_deref().map(|scopes| self.scopes(caller, scopes)).transpose()?;
        let create = async |tx: &Tx| {
            let maker = self.making_key(tx, caller).await?;
            check_limits(tx.now(), maker.as_ref(), scopes.as_deref(), new.expires_at)?;
            if store::api_keys::count(tx, account).await? >= MAX_KEYS {
                return Err(Error::TooManyKeys(MAX_KEYS));
            }
            self.insert_key(tx, caller, account, &name, scopes.clone(), new.expires_at).await
        };
        self.0.db.write_once(caller, "identity.create_api_key", &new, create).await
    }

    /// Known permissions, all held by the caller, each once.
    fn scopes(&self, caller: &Caller, asked: &[String]) -> Result<Vec<String>, Error> {
        for scope in asked {
            if !self.0.tenancy.knows(scope) {
                return Err(Error::ScopeUnknown(scope.chars().take(100).collect()));
            }
            if !caller.permissions.contains(scope) {
                return Err(Error::ScopeNotHeld(scope.clone()));
            }
        }
        let mut scopes = asked.to_vec();
        scopes.sort_unstable();
        scopes.dedup();
        Ok(scopes)
    }

    /// The key by which the caller came, if by one.
    async fn making_key(&self, tx: &Tx, caller: &Caller) -> Result<Option<ApiKey>, Problem> {
        match caller.actor {
            Actor::ApiKey { id, .. } => {
                store::api_keys::find(tx, id).await?.ok_or_else(Problem::unauthenticated).map(Some)
            }
            Actor::Anonymous | Actor::Account { .. } | Actor::System { .. } => Ok(None),
        }
    }

    async fn insert_key(
        &self,
        tx: &Tx,
        caller: &Caller,
        account: AccountId,
        name: &str,
        scopes: Option<Vec<String>>,
        expires_at: Option<DateTime<Utc>>,
    ) -> Result<CreatedApiKey, Error> {
        let secret = secrets::api_key(tx.random());
        let prefix = secrets::api_key_prefix(&secret).unwrap_or_default().to_owned();
        let api_key = ApiKey {
            id: tx.new_id(),
            name: name.to_owned(),
            prefix,
            scopes,
            account_id: account,
            domain: self.domain_of(tx, caller).await?,
            created_at: tx.now(),
            expires_at,
            last_used_at: None,
            version: 1,
        };
        store::api_keys::insert(tx, &api_key, self.0.macs.api_key(&secret)).await?;
        let news = News {
            action: "identity.api_key_created",
            account: Some(account),
            target: ("api_key", api_key.id.to_string()),
            details: json!({
                "name": api_key.name,
                "prefix": api_key.prefix,
                "scopes": api_key.scopes,
                "expires_at": api_key.expires_at,
            }),
        };
        announce::done(tx, caller, news).await?;
        Ok(CreatedApiKey { api_key, secret: secret.to_string() })
    }

    /// The caller's keys, or all of the tenant for a caller who may see them.
    ///
    /// # Errors
    /// The caller is nobody, or a parameter is wrong.
    pub async fn list_api_keys(
        &self,
        caller: &Caller,
        params: &ListParams,
    ) -> Result<(ListRequest, Page<ApiKey>), Error> {
        caller.account()?;
        let request = ListRequest::new(&API_KEYS, params, caller, self.0.db.keys())?;
        let list = async |tx: &Tx| {
            let whose = self.whose(tx, caller, API_KEYS_READ).await?;
            store::api_keys::list(tx, &request, whose).await
        };
        let items = self.0.db.read(caller, list).await?;
        let page = request.page(items)?;
        Ok((request, page))
    }

    /// One of the keys that the caller may see.
    ///
    /// # Errors
    /// There is none with this id.
    pub async fn get_api_key(&self, caller: &Caller, id: ApiKeyId) -> Result<ApiKey, Error> {
        caller.account()?;
        let find = async |tx: &Tx| {
            let whose = self.whose(tx, caller, API_KEYS_READ).await?;
            let found = store::api_keys::find(tx, id).await?;
            let visible = |it: &ApiKey| whose.is_none_or(|account| it.account_id == account);
            found.filter(visible).ok_or_else(Problem::not_found)
        };
        Ok(self.0.db.read(caller, find).await?)
    }

    /// Deletes a key: its next request is refused. A key may always delete itself.
    ///
    /// # Errors
    /// There is none with this id that the caller may see; the caller may see but not delete it.
    pub async fn revoke_api_key(&self, caller: &Caller, id: ApiKeyId) -> Result<(), Error> {
        caller.account()?;
        let revoke = async |tx: &Tx| {
            let itself = matches!(caller.actor, Actor::ApiKey { id: own, .. } if own == id);
            let whose = if itself { None } else { self.whose(tx, caller, API_KEYS_WRITE).await? };
            let key = store::api_keys::find(tx, id).await?.ok_or_else(Problem::not_found)?;
            if whose.is_some_and(|own| own != key.account_id) {
                let seen = caller.may(API_KEYS_READ);
                let answer = if seen { Problem::forbidden(API_KEYS_WRITE.0) } else { Problem::not_found() };
                return Err(Error::from(answer));
            }
            if !store::api_keys::delete(tx, id).await? {
                return Err(Problem::not_found().into());
            }
            Self::forget_on_commit(tx, key.account_id);
            let news = News {
                action: "identity.api_key_deleted",
                account: Some(key.account_id),
                target: ("api_key", id.to_string()),
                details: json!({ "name": key.name, "prefix": key.prefix }),
            };
            Ok(announce::done(tx, caller, news).await?)
        };
        self.0.db.write_once(caller, "identity.revoke_api_key", &id, revoke).await
    }
}

/// A key can't make one that may more, or longer, than itself; and no key begins in the past.
fn check_limits(
    now: DateTime<Utc>,
    maker: Option<&ApiKey>,
    scopes: Option<&[String]>,
    expires_at: Option<DateTime<Utc>>,
) -> Result<(), Error> {
    if expires_at.is_some_and(|end| end <= now) {
        return Err(Error::ExpiryInvalid("This time has passed; choose a later one, or none."));
    }
    let Some(maker) = maker else { return Ok(()) };
    if maker.scopes.is_some() && scopes.is_none() {
        return Err(Error::ScopesRequired);
    }
    match (maker.expires_at, expires_at) {
        (Some(limit), None) if limit > now => {
            Err(Error::ExpiryInvalid("The key that you use ends, so the new one must end by then, too."))
        }
        (Some(limit), Some(end)) if end > limit => {
            Err(Error::ExpiryInvalid("The new key can't end later than the key that you use."))
        }
        _ => Ok(()),
    }
}
