//! From an invitation to an account.

use kernel::{Actor, Caller, Tx};
use serde_json::json;

use crate::Identity;
use crate::accounts::display_name;
use crate::announce::{self, News};
use crate::email::Email;
use crate::error::Error;
use crate::input::AcceptInvitation;
use crate::model::Account;
use crate::store;

impl Identity {
    /// Makes an account and its membership out of an invitation: all or nothing, once.
    ///
    /// # Errors
    /// The invitation is not valid (any more) for this address, [`Error::AccountExists`], or an address, name or
    /// password that is not taken.
    pub async fn accept_invitation(&self, caller: &Caller, new: AcceptInvitation) -> Result<Account, Error> {
        if matches!(caller.actor, Actor::ApiKey { .. }) {
            return Err(Error::PersonRequired);
        }
        let email = Email::parse(&new.email)?;
        let display_name = display_name(new.display_name.as_deref(), &email)?;
        let password = self.new_password(caller, "password", &new.password, &email).await?;
        let attempt = self.0.slowdowns.begin(caller, None)?;
        let hash = self.0.pool.hash(caller, &password).await?;
        let accept = async |tx: &Tx| self.accept(tx, caller, &new, &email, &display_name, &hash).await;
        match self.0.db.write_once(caller, "identity.accept_invitation", &new, accept).await {
            Err(wrong @ Error::Tenancy(tenancy::Error::InvitationInvalid)) => {
                attempt.failed();
                Err(wrong)
            }
            outcome => outcome,
        }
    }

    async fn accept(
        &self,
        tx: &Tx,
        caller: &Caller,
        new: &AcceptInvitation,
        email: &Email,
        display_name: &str,
        hash: &str,
    ) -> Result<Account, Error> {
        let invited = self.0.tenancy.consume_invitation(tx, caller, new.token.expose(), email.key()).await?;
        self.make_room(tx, email).await?;
        let account = store::accounts::insert(tx, email, display_name.to_owned(), hash).await?;
        let role = invited.role_id;
        self.0.tenancy.add_member(tx, caller, account.id, &account.email, display_name, role).await?;
        let news = News {
            action: "identity.account_created",
            account: Some(account.id),
            target: ("account", account.id.to_string()),
            details: json!({ "email": account.email, "invitation_id": invited.invitation_id.to_string() }),
        };
        announce::done(tx, caller, news).await?;
        Ok(account)
    }

    /// Removes what is left of an account with this address that is no member any more.
    async fn make_room(&self, tx: &Tx, email: &Email) -> Result<(), Error> {
        let Some(former) = store::accounts::by_email(tx, email.key()).await? else { return Ok(()) };
        if !self.0.tenancy.grants_of(tx, former.account.id).await?.roles.is_empty() {
            return Err(Error::AccountExists);
        }
        store::accounts::delete(tx, former.account.id).await?;
        Self::forget_on_commit(tx, former.account.id);
        Ok(())
    }
}
