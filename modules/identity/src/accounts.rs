//! Accounts: seen, renamed and disabled by those who look after the tenant; each person renames the own one.

use kernel::{AccountId, Actor, Caller, Expected, ListParams, ListRequest, Page, Patch, Problem, Tx};
use serde_json::json;

use crate::Identity;
use crate::announce::{self, News};
use crate::email::Email;
use crate::error::Error;
use crate::input::{ChangePassword, UpdateAccount, UpdateMe};
use crate::listing::ACCOUNTS;
use crate::model::Account;
use crate::passwords::Password;
use crate::permissions::{ACCOUNTS_READ, ACCOUNTS_WRITE};
use crate::sessions::current;
use crate::store;

/// The longest name, in characters.
const MAX_NAME: usize = 100;

/// A name for people or of a thing.
///
/// # Errors
/// [`Error::NameInvalid`] naming `path`.
pub(crate) fn name(path: &'static str, text: &str) -> Result<String, Error> {
    let name = text.trim();
    let sound = (1..=MAX_NAME).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if sound { Ok(name.to_owned()) } else { Err(Error::NameInvalid(path)) }
}

/// The name that somebody chose, or the first part of the address.
pub(crate) fn display_name(chosen: Option<&str>, email: &Email) -> Result<String, Error> {
    name("display_name", chosen.unwrap_or_else(|| email.local()))
}

/// What is to change about an account.
struct Change {
    display_name: Option<String>,
    disabled: Option<bool>,
}

impl Identity {
    /// The accounts of the tenant.
    ///
    /// # Errors
    /// The caller lacks [`ACCOUNTS_READ`], or a parameter is wrong.
    pub async fn list_accounts(
        &self,
        caller: &Caller,
        params: &ListParams,
    ) -> Result<(ListRequest, Page<Account>), Error> {
        caller.require(ACCOUNTS_READ)?;
        let request = ListRequest::new(&ACCOUNTS, params, caller, self.0.db.keys())?;
        let items = self.0.db.read(caller, async |tx| store::accounts::list(tx, &request).await).await?;
        let page = request.page(items)?;
        Ok((request, page))
    }

    /// One account of the tenant; the own one without a permission.
    ///
    /// # Errors
    /// The caller lacks [`ACCOUNTS_READ`], or there is none with this id.
    pub async fn get_account(&self, caller: &Caller, id: AccountId) -> Result<Account, Error> {
        if caller.account()? != id {
            caller.require(ACCOUNTS_READ)?;
        }
        let found = self.0.db.read(caller, async |tx| store::accounts::find(tx, id).await).await?;
        found.ok_or_else(|| Problem::not_found().into())
    }

    /// Renames, disables or enables an account. A disabled one is signed out everywhere, and its API keys are dead
    /// until it is enabled again.
    ///
    /// # Errors
    /// The caller lacks [`ACCOUNTS_WRITE`] or may less than the account, it is the caller's own or the last owner's,
    /// its version is another, or there is none with this id.
    pub async fn update_account(
        &self,
        caller: &Caller,
        id: AccountId,
        expected: Expected,
        changes: UpdateAccount,
    ) -> Result<Account, Error> {
        caller.require(ACCOUNTS_WRITE)?;
        let update = async |tx: &Tx| {
            let change = Change {
                display_name: new_name(changes.display_name.clone())?,
                disabled: changes.disabled.clone().required("disabled")?,
            };
            self.change(tx, caller, id, expected, change).await
        };
        self.0.db.write_once(caller, "identity.update_account", &(id, &changes), update).await
    }

    /// Changes the caller's own account.
    ///
    /// # Errors
    /// [`Error::PersonRequired`] for an API key, [`Error::NameInvalid`], or its version is another.
    pub async fn update_me(&self, caller: &Caller, expected: Expected, changes: UpdateMe) -> Result<Account, Error> {
        let id = person(caller)?;
        let update = async |tx: &Tx| {
            let change = Change { display_name: new_name(changes.display_name.clone())?, disabled: None };
            self.change(tx, caller, id, expected, change).await
        };
        self.0.db.write_once(caller, "identity.update_me", &changes, update).await
    }

    async fn change(
        &self,
        tx: &Tx,
        caller: &Caller,
        id: AccountId,
        expected: Expected,
        change: Change,
    ) -> Result<Account, Error> {
        let mut account = store::accounts::held(tx, id).await?.ok_or_else(Problem::not_found)?.account;
        expected.check(account.version)?;
        let renamed = change.display_name.filter(|name| *name != account.display_name);
        let switched = change.disabled.filter(|disabled| *disabled != account.disabled);
        if renamed.is_none() && switched.is_none() {
            return Ok(account);
        }
        if let Some(disabled) = switched {
            self.may_switch(tx, caller, &account, disabled).await?;
            account.disabled = disabled;
        }
        if let Some(name) = renamed {
            account.display_name = name;
            self.0.tenancy.rename_member(tx, caller, id, &account.email, &account.display_name).await?;
        }
        store::accounts::update(tx, &mut account).await?;
        if account.disabled {
            self.end_sessions_of(tx, caller, id, None).await?;
        }
        Self::forget_on_commit(tx, id);
        let news = News {
            action: "identity.account_updated",
            account: Some(id),
            target: ("account", id.to_string()),
            details: json!({ "display_name": account.display_name, "disabled": account.disabled }),
        };
        announce::done(tx, caller, news).await?;
        Ok(account)
    }

    async fn may_switch(&self, tx: &Tx, caller: &Caller, account: &Account, disabled: bool) -> Result<(), Error> {
        if caller.actor.account() == Some(account.id) {
            return Err(Error::SelfDisable);
        }
        let grants = self.0.tenancy.grants_of(tx, account.id).await?;
        if !grants.permissions.names().all(|held| caller.permissions.contains(held)) {
            return Err(Error::Outranked);
        }
        if !disabled {
            return Ok(());
        }
        // From here on nobody else changes who owns the tenant.
        let owners = self.0.tenancy.owners(tx).await?;
        if !owners.contains(&account.id) {
            return Ok(());
        }
        for other in owners.into_iter().filter(|other| *other != account.id) {
            if store::accounts::is_enabled(tx, other).await? {
                return Ok(());
            }
        }
        Err(Error::LastOwner)
    }

    /// Replaces the caller's password and ends the caller's other sessions.
    ///
    /// # Errors
    /// [`Error::PersonRequired`] for an API key, [`Error::PasswordWrong`], a new password that is not taken,
    /// [`Error::TooManyAttempts`], [`Error::Busy`].
    pub async fn change_password(&self, caller: &Caller, change: ChangePassword) -> Result<(), Error> {
        let id = person(caller)?;
        let found = self.0.db.read(caller, async |tx| store::accounts::by_id(tx, id).await).await?;
        let found = found.ok_or_else(Problem::unauthenticated)?;
        let email = Email::parse(&found.account.email)?;
        let new = self.new_password(caller, "new_password", &change.new_password, &email).await?;
        let attempt = self.0.slowdowns.begin(caller, Some(&id.to_string()))?;
        let current_password = Password::given(&change.current_password);
        if !self.0.pool.verify(caller, &current_password, Some(&found.password_hash)).await? {
            attempt.failed();
            return Err(Error::PasswordWrong);
        }
        let hash = self.0.pool.hash(caller, &new).await?;
        let replace = async |tx: &Tx| {
            if !store::accounts::set_password(tx, id, &hash, &found.password_hash).await? {
                return Err(Error::PasswordWrong);
            }
            self.end_sessions_of(tx, caller, id, current(caller)).await?;
            let news = News {
                action: "identity.password_changed",
                account: Some(id),
                target: ("account", id.to_string()),
                details: json!({}),
            };
            announce::done(tx, caller, news).await.map_err(Error::from)
        };
        self.0.db.write_once(caller, "identity.change_password", &change, replace).await?;
        attempt.succeeded();
        Ok(())
    }

    /// A new password for an account with this address, checked.
    pub(crate) async fn new_password(
        &self,
        caller: &Caller,
        path: &'static str,
        text: &kernel::Secret,
        email: &Email,
    ) -> Result<Password, Error> {
        let tenant = self.tenant(caller).await?;
        let context = [email.shown(), email.local(), "holdfast", &tenant.slug, &tenant.name];
        Password::new(path, text, self.0.config.password_min_length, &context)
    }
}

fn new_name(patch: Patch<String>) -> Result<Option<String>, Error> {
    patch.required("display_name")?.map(|text| name("display_name", &text)).transpose()
}

/// The account of a signed-in person.
///
/// # Errors
/// 401 for nobody, [`Error::PersonRequired`] for an API key.
pub(crate) fn person(caller: &Caller) -> Result<AccountId, Error> {
    match caller.actor {
        Actor::Account { id, .. } => Ok(id),
        Actor::ApiKey { .. } | Actor::System { .. } => Err(Error::PersonRequired),
        Actor::Anonymous => Err(Problem::unauthenticated().into()),
    }
}
