//! Members: who belongs to a tenant, and as what.

use kernel::{Caller, Expected, Level, ListParams, ListRequest, Page, Problem, Tx};

use crate::Tenancy;
use crate::announce::{Target, announce};
use crate::error::Error;
use crate::listing;
use crate::model::{Member, MemberId, RoleId, UpdateMember};
use crate::permissions::{MEMBERS_READ, MEMBERS_WRITE};
use crate::store;
use crate::store::roles::Kept;

pub(crate) fn target(member: &Member) -> Target {
    ("member", member.id.to_string())
}

impl Tenancy {
    /// A page of the tenant's members.
    ///
    /// # Errors
    /// 400 for a wrong parameter, or the caller lacks [`MEMBERS_READ`].
    pub async fn list_members(
        &self,
        caller: &Caller,
        params: &ListParams,
    ) -> Result<(ListRequest, Page<Member>), Error> {
        caller.require(MEMBERS_READ)?;
        let request = ListRequest::new(&listing::MEMBERS, params, caller, self.db().keys())?;
        let list = async |tx: &Tx| store::members::list(tx, &request).await;
        let members: Vec<_> = self.db().read(caller, list).await?;
        let page = request.page(members)?;
        Ok((request, page))
    }

    /// One member.
    ///
    /// # Errors
    /// The 404, or the caller lacks [`MEMBERS_READ`].
    pub async fn get_member(&self, caller: &Caller, id: MemberId) -> Result<Member, Error> {
        caller.require(MEMBERS_READ)?;
        let find = async |tx: &Tx| store::members::find(tx, id).await;
        let found: Option<Member> = self.db().read(caller, find).await?;
        Ok(found.ok_or_else(Problem::not_found)?)
    }

    /// Gives a member another role; they feel it with their next request.
    ///
    /// # Errors
    /// [`Error::PermissionNotHeld`] when the caller holds less than the old or the new role, [`Error::OwnersOnly`],
    /// [`Error::LastOwner`], [`Error::RoleUnknown`], 412, the 404, or the caller lacks [`MEMBERS_WRITE`].
    pub async fn update_member(
        &self,
        caller: &Caller,
        id: MemberId,
        expected: Expected,
        update: UpdateMember,
    ) -> Result<Member, Error> {
        caller.require(MEMBERS_WRITE)?;
        let new_role = update.role_id.clone().required("role_id")?;

        self.db()
            .write_once(caller, "tenancy.update_member", &(id, &update), async |tx| {
                store::tenants::lock(tx).await?;
                let mut member = store::members::find(tx, id).await?.ok_or_else(Problem::not_found)?;
                expected.check(member.version)?;
                let Some(new_role) = new_role.filter(|role| *role != member.role.id) else { return Ok(member) };
                let old = self.role_of(tx, member.role.id).await?;
                let new = self.role_of(tx, new_role).await?;
                self.outranks(tx, caller, &old).await?;
                self.outranks(tx, caller, &new).await?;
                another_owner(tx, &old).await?;
                member.role = new.to_ref();
                store::members::update(tx, &mut member).await?;
                announce(tx, caller, "tenancy.member_updated", target(&member), &member).await?;
                Self::changed(tx, tx.tenant());
                Ok(member)
            })
            .await
    }

    /// Removes a member; they are out with their next request.
    ///
    /// # Errors
    /// [`Error::PermissionNotHeld`] when the caller holds less than the member, [`Error::OwnersOnly`],
    /// [`Error::LastOwner`], 412, the 404, or the caller lacks [`MEMBERS_WRITE`].
    pub async fn remove_member(&self, caller: &Caller, id: MemberId, expected: Expected) -> Result<(), Error> {
        caller.require(MEMBERS_WRITE)?;

        self.db()
            .write_once(caller, "tenancy.remove_member", &id, async |tx| {
                store::tenants::lock(tx).await?;
                let member = store::members::find(tx, id).await?.ok_or_else(Problem::not_found)?;
                expected.check(member.version)?;
                let role = self.role_of(tx, member.role.id).await?;
                self.outranks(tx, caller, &role).await?;
                self.leave(tx, caller, &member, &role).await
            })
            .await
    }

    /// Takes a member out, whoever decided it.
    pub(crate) async fn leave(&self, tx: &Tx, caller: &Caller, member: &Member, role: &Kept) -> Result<(), Error> {
        another_owner(tx, role).await?;
        store::members::delete(tx, member.id).await?;
        announce(tx, caller, "tenancy.member_removed", target(member), member).await?;
        Self::changed(tx, tx.tenant());
        Ok(())
    }

    /// The role of this id, which a request named.
    pub(crate) async fn role_of(&self, tx: &Tx, id: RoleId) -> Result<Kept, Error> {
        store::roles::find(tx, self.catalogue(), id).await?.ok_or(Error::RoleUnknown)
    }
}

/// Refuses to take the owner's role from the only one who has it. The tenant must be locked, so that of two owners who
/// leave at once one stays.
async fn another_owner(tx: &Tx, role: &Kept) -> Result<(), Error> {
    if role.level != Some(Level::Owner) {
        return Ok(());
    }
    let owners = store::members::holders(tx, role.role.id).await?;
    if owners.len() > 1 { Ok(()) } else { Err(Error::LastOwner) }
}
