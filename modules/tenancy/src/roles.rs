//! Roles as data: built-in ones from the catalogue, custom ones that hold only what their author holds.

use std::collections::HashMap;

use kernel::{Actor, Caller, Expected, Level, ListParams, ListRequest, Page, Problem, TenantId, Tx};

use crate::Tenancy;
use crate::announce::{Target, announce};
use crate::error::Error;
use crate::listing;
use crate::model::{NewRole, PermissionEntry, Role, RoleId, UpdateRole};
use crate::permissions::{ROLES_READ, ROLES_WRITE};
use crate::store;
use crate::store::roles::Kept;
use crate::words::{parse_description, parse_name};

/// The most permissions that a role names.
const MAX_PERMISSIONS: usize = 200;

fn target(role: &Role) -> Target {
    ("role", role.id.to_string())
}

impl Tenancy {
    /// A page of the tenant's roles.
    ///
    /// # Errors
    /// 400 for a wrong parameter, or the caller lacks [`ROLES_READ`].
    pub async fn list_roles(&self, caller: &Caller, params: &ListParams) -> Result<(ListRequest, Page<Role>), Error> {
        caller.require(ROLES_READ)?;
        let request = ListRequest::new(&listing::ROLES, params, caller, self.db().keys())?;
        let list = async |tx: &Tx| store::roles::list(tx, self.catalogue(), &request).await;
        let roles: Vec<_> = self.db().read(caller, list).await?;
        let page = request.page(roles)?;
        Ok((request, page))
    }

    /// One role.
    ///
    /// # Errors
    /// The 404, or the caller lacks [`ROLES_READ`].
    pub async fn get_role(&self, caller: &Caller, id: RoleId) -> Result<Role, Error> {
        caller.require(ROLES_READ)?;
        let find = async |tx: &Tx| store::roles::find(tx, self.catalogue(), id).await;
        let found: Option<Kept> = self.db().read(caller, find).await?;
        Ok(found.ok_or_else(Problem::not_found)?.role)
    }

    /// Makes a custom role.
    ///
    /// # Errors
    /// [`Error::NameInvalid`], [`Error::DescriptionInvalid`], [`Error::PermissionUnknown`],
    /// [`Error::PermissionNotHeld`], [`Error::RoleNameTaken`], or the caller lacks [`ROLES_WRITE`].
    pub async fn create_role(&self, caller: &Caller, new: NewRole) -> Result<Role, Error> {
        caller.require(ROLES_WRITE)?;
        let name = parse_name("name", &new.name)?;
        let description = parse_description(new.description.as_deref().unwrap_or_default())?;
        let permissions = self.grantable(caller, &new.permissions)?;

        self.db()
            .write_once(caller, "tenancy.create_role", &new, async |tx| {
                let now = tx.now();
                let role = Role {
                    id: tx.new_id(),
                    name: name.clone(),
                    description: description.clone(),
                    built_in: false,
                    permissions: permissions.clone(),
                    created_at: now,
                    updated_at: now,
                    version: 1,
                };
                store::roles::insert(tx, &role).await?;
                announce(tx, caller, "tenancy.role_created", target(&role), &role).await?;
                Ok(role)
            })
            .await
    }

    /// Changes a custom role; who has it feels it with their next request.
    ///
    /// # Errors
    /// 428 or 412 about the version, [`Error::RoleBuiltIn`], [`Error::PermissionNotHeld`] also for what it held
    /// before, those of [`Self::create_role`], or the 404.
    pub async fn update_role(
        &self,
        caller: &Caller,
        id: RoleId,
        expected: Expected,
        update: UpdateRole,
    ) -> Result<Role, Error> {
        caller.require(ROLES_WRITE)?;
        let expected = expected.required()?;
        let name = update.name.clone().required("name")?.map(|name| parse_name("name", &name)).transpose()?;
        let permissions = update.permissions.clone().required("permissions")?;
        let permissions = permissions.map(|names| self.grantable(caller, &names)).transpose()?;

        self.db()
            .write_once(caller, "tenancy.update_role", &(id, &update), async |tx| {
                let mut role = self.custom_role(tx, caller, id, expected).await?.role;
                let description = update.description.clone().or(Some(role.description)).unwrap_or_default();
                role.description = parse_description(&description)?;
                role.name = name.clone().unwrap_or(role.name);
                role.permissions = permissions.clone().unwrap_or(role.permissions);
                role.updated_at = tx.now();
                role.version += 1;
                store::roles::update(tx, &role).await?;
                announce(tx, caller, "tenancy.role_updated", target(&role), &role).await?;
                Self::changed(tx, tx.tenant());
                Ok(role)
            })
            .await
    }

    /// Deletes a custom role that nobody has.
    ///
    /// # Errors
    /// 428 or 412 about the version, [`Error::RoleBuiltIn`], [`Error::RoleInUse`], [`Error::PermissionNotHeld`], the
    /// 404, or the caller lacks [`ROLES_WRITE`].
    pub async fn delete_role(&self, caller: &Caller, id: RoleId, expected: Expected) -> Result<(), Error> {
        caller.require(ROLES_WRITE)?;
        let expected = expected.required()?;

        self.db()
            .write_once(caller, "tenancy.delete_role", &id, async |tx| {
                let role = self.custom_role(tx, caller, id, expected).await?.role;
                let (members, invitations) = store::roles::uses(tx, id).await?;
                if members + invitations > 0 {
                    return Err(Error::RoleInUse { members, invitations });
                }
                store::roles::delete(tx, id).await?;
                announce(tx, caller, "tenancy.role_deleted", target(&role), &role).await?;
                Ok(())
            })
            .await
    }

    /// A page of the permissions that there are in this tenant.
    ///
    /// # Errors
    /// 400 for a wrong parameter, or the caller lacks [`ROLES_READ`].
    pub async fn list_permissions(
        &self,
        caller: &Caller,
        params: &ListParams,
    ) -> Result<(ListRequest, Page<PermissionEntry>), Error> {
        caller.require(ROLES_READ)?;
        let request = ListRequest::new(&listing::PERMISSIONS, params, caller, self.db().keys())?;
        let mut entries = self.catalogue().entries(caller.tenant);
        let list = async |tx: &Tx| store::permissions::list(tx, &entries, &request).await;
        let names: Vec<String> = self.db().read(caller, list).await?;
        let mut on_page = Vec::with_capacity(names.len());
        for name in names {
            let found = entries.iter().position(|entry| entry.name == name);
            on_page.extend(found.map(|index| entries.swap_remove(index)));
        }
        let page = request.page(on_page)?;
        Ok((request, page))
    }

    /// These roles, whatever their tenants, for whoever may see them.
    pub(crate) async fn roles_by_ids(
        &self,
        keys: &[(TenantId, RoleId)],
    ) -> Result<HashMap<(TenantId, RoleId), Role>, Problem> {
        let mut by_tenant: HashMap<TenantId, Vec<RoleId>> = HashMap::new();
        for (tenant, id) in keys {
            by_tenant.entry(*tenant).or_default().push(*id);
        }
        let mut found = HashMap::new();
        for (tenant, ids) in by_tenant {
            let list = async |tx: &Tx| store::roles::by_ids(tx, self.catalogue(), &ids).await;
            let roles: Vec<Role> = self.db().read(&Caller::system("tenancy", tenant), list).await?;
            found.extend(roles.into_iter().map(|role| ((tenant, role.id), role)));
        }
        Ok(found)
    }

    /// These permissions, sorted, if all are known here and the caller holds them.
    fn grantable(&self, caller: &Caller, names: &[String]) -> Result<Vec<String>, Error> {
        if names.len() > MAX_PERMISSIONS {
            return Err(Error::TooManyPermissions);
        }
        for (index, name) in names.iter().enumerate() {
            if !self.catalogue().grantable(caller.tenant, name) {
                return Err(Error::PermissionUnknown(index, name.chars().take(100).collect()));
            }
        }
        holds(caller, names)?;
        let mut names = names.to_vec();
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    /// A role that this caller may change, in the version that they know.
    async fn custom_role(&self, tx: &Tx, caller: &Caller, id: RoleId, expected: Expected) -> Result<Kept, Error> {
        store::tenants::lock(tx).await?;
        let kept = store::roles::find(tx, self.catalogue(), id).await?.ok_or_else(Problem::not_found)?;
        if kept.level.is_some() {
            return Err(Error::RoleBuiltIn(kept.role.name));
        }
        expected.check(kept.role.version)?;
        holds(caller, &kept.role.permissions)?;
        Ok(kept)
    }

    /// Lets pass only who may give this role to somebody, or take it away: they hold all that it holds, and an owner's
    /// role is dealt with by owners only.
    pub(crate) async fn outranks(&self, tx: &Tx, caller: &Caller, role: &Kept) -> Result<(), Error> {
        holds(caller, &role.role.permissions)?;
        if role.level != Some(Level::Owner) || matches!(caller.actor, Actor::System { .. }) {
            return Ok(());
        }
        let account = caller.account()?;
        let own = store::roles::of_account(tx, self.catalogue(), account).await?;
        match own.and_then(|role| role.level) {
            Some(Level::Owner) => Ok(()),
            _ => Err(Error::OwnersOnly),
        }
    }
}

fn holds(caller: &Caller, names: &[String]) -> Result<(), Error> {
    match names.iter().find(|name| !caller.permissions.contains(name)) {
        None => Ok(()),
        Some(missing) => Err(Error::PermissionNotHeld(missing.clone())),
    }
}
