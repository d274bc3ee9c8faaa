//! What identity asks of tenants: what an account may do, and whose accounts come and go. These run in identity's
//! transactions; whether the caller may is decided there.

use kernel::{AccountId, Caller, Level, PermissionSet, Problem, Tx};

use crate::Tenancy;
use crate::announce::announce;
use crate::error::Error;
use crate::members::target;
use crate::model::{InvitationId, Member, RoleId};
use crate::store;

/// What an account may do in a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// The names of its roles; none for an account that is no member.
    pub roles: Vec<String>,
    /// The role's id; none for an account that is no member.
    pub role_id: Option<RoleId>,
    /// What they hold together.
    pub permissions: PermissionSet,
}

/// What an accepted invitation promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invited {
    /// The role to come.
    pub role_id: RoleId,
    /// The invitation, now used.
    pub invitation_id: InvitationId,
}

impl Tenancy {
    /// What this account may do in the transaction's tenant; nothing if it is no member.
    ///
    /// # Errors
    /// What the database says.
    pub async fn grants_of(&self, tx: &Tx, account: AccountId) -> Result<Grants, Problem> {
        let role = store::roles::of_account(tx, self.catalogue(), account).await?;
        Ok(role.map_or_else(Grants::default, |kept| {
            let permissions = match kept.level {
                Some(level) => self.catalogue().built_in(tx.tenant(), level),
                None => kept.held(),
            };
            Grants { role_id: Some(kept.role.id), roles: vec![kept.role.name], permissions }
        }))
    }

    /// Makes an account a member.
    ///
    /// # Errors
    /// [`Error::AccountIsMember`], [`Error::RoleUnknown`], or what the database says.
    pub async fn add_member(
        &self,
        tx: &Tx,
        caller: &Caller,
        account: AccountId,
        email: &str,
        display_name: &str,
        role: RoleId,
    ) -> Result<Member, Error> {
        let role = self.role_of(tx, role).await?;
        let member = Member {
            id: tx.new_id(),
            account_id: account,
            email: email.to_owned(),
            display_name: display_name.to_owned(),
            role: role.to_ref(),
            created_at: tx.now(),
            version: 1,
        };
        store::members::insert(tx, &member).await?;
        announce(tx, caller, "tenancy.member_added", target(&member), &member).await?;
        Self::changed(tx, tx.tenant());
        Ok(member)
    }

    /// Takes over an account's new address and name; whether it is a member.
    ///
    /// # Errors
    /// What the database says.
    pub async fn rename_member(
        &self,
        tx: &Tx,
        caller: &Caller,
        account: AccountId,
        email: &str,
        display_name: &str,
    ) -> Result<bool, Error> {
        let Some(mut member) = store::members::find_account(tx, account).await? else { return Ok(false) };
        email.clone_into(&mut member.email);
        display_name.clone_into(&mut member.display_name);
        store::members::update(tx, &mut member).await?;
        announce(tx, caller, "tenancy.member_updated", target(&member), &member).await?;
        Ok(true)
    }

    /// Takes an account out of the tenant; whether it was a member.
    ///
    /// # Errors
    /// [`Error::LastOwner`], or what the database says.
    pub async fn remove_account(&self, tx: &Tx, caller: &Caller, account: AccountId) -> Result<bool, Error> {
        store::tenants::lock(tx).await?;
        let Some(member) = store::members::find_account(tx, account).await? else { return Ok(false) };
        let role = self.role_of(tx, member.role.id).await?;
        self.leave(tx, caller, &member, &role).await?;
        Ok(true)
    }

    /// The built-in owner's role.
    ///
    /// # Errors
    /// The tenant has none: it does not exist.
    pub async fn owner_role(&self, tx: &Tx) -> Result<RoleId, Problem> {
        let role = store::roles::find_level(tx, self.catalogue(), Level::Owner).await?;
        Ok(role.ok_or_else(Problem::not_found)?.role.id)
    }

    /// The accounts that own the transaction's tenant. Others who change its members wait until the commit.
    ///
    /// # Errors
    /// What the database says.
    pub async fn owners(&self, tx: &Tx) -> Result<Vec<AccountId>, Problem> {
        store::tenants::lock(tx).await?;
        let role = self.owner_role(tx).await?;
        store::members::holders(tx, role).await
    }
}
