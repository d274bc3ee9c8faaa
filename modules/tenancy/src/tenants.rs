//! Making, seeing and renaming tenants, and who may.

use kernel::{Caller, Expected, ListParams, ListRequest, Page, Permission, Problem, SYSTEM_TENANT, TenantId, Tx};

use crate::Tenancy;
use crate::announce::{Target, announce};
use crate::error::Error;
use crate::listing;
use crate::model::{CreatedTenant, NewTenant, Tenant, UpdateTenant};
use crate::permissions::{TENANT_READ, TENANT_WRITE, TENANTS_READ, TENANTS_WRITE};
use crate::store;
use crate::words::{SYSTEM_SLUG, Slug, parse_email, parse_name};

pub(crate) fn target(tenant: &Tenant) -> Target {
    ("tenant", tenant.id.to_string())
}

/// The operator, reaching over all tenants.
///
/// # Errors
/// 401 or 403 for whoever is no operator with this permission.
pub(crate) fn operator(caller: &Caller, permission: Permission) -> Result<Caller, Problem> {
    caller.require(permission)?;
    if caller.tenant == SYSTEM_TENANT { Ok(caller.across_tenants()) } else { Err(Problem::forbidden(permission.0)) }
}

/// The caller as one who may do `own` to their own tenant, or `all` to every tenant as an operator.
fn reaching(caller: &Caller, id: TenantId, all: Permission, own: Permission) -> Result<Caller, Problem> {
    let is_operator = |permission| caller.tenant == SYSTEM_TENANT && caller.may(permission);
    if is_operator(all) {
        return Ok(caller.across_tenants());
    }
    caller.require(own)?;
    match id == caller.tenant {
        true => Ok(caller.clone()),
        false if is_operator(TENANTS_READ) => Err(Problem::forbidden(all.0)),
        false => Err(Problem::not_found()),
    }
}

impl Tenancy {
    /// A page of tenants: for operators all, for others their own.
    ///
    /// # Errors
    /// 400 for a wrong parameter, or the caller lacks [`TENANT_READ`].
    pub async fn list_tenants(
        &self,
        caller: &Caller,
        params: &ListParams,
    ) -> Result<(ListRequest, Page<Tenant>), Error> {
        let (caller, only) = if let Ok(operator) = operator(caller, TENANTS_READ) {
            (operator, None)
        } else {
            caller.require(TENANT_READ)?;
            (caller.clone(), Some(caller.tenant))
        };
        let request = ListRequest::new(&listing::TENANTS, params, &caller, self.db().keys())?;
        let list = async |tx: &Tx| store::tenants::list(tx, self.config(), only, &request).await;
        let tenants: Vec<_> = self.db().read(&caller, list).await?;
        let page = request.page(tenants)?;
        Ok((request, page))
    }

    /// One tenant.
    ///
    /// # Errors
    /// The 404 for any but the caller's own, unless an operator asks; or the caller lacks [`TENANT_READ`].
    pub async fn get_tenant(&self, caller: &Caller, id: TenantId) -> Result<Tenant, Error> {
        let caller = reaching(caller, id, TENANTS_READ, TENANT_READ)?;
        let find = async |tx: &Tx| store::tenants::find(tx, self.config(), id).await;
        let found: Option<Tenant> = self.db().read(&caller, find).await?;
        Ok(found.ok_or_else(Problem::not_found)?)
    }

    /// Makes a tenant with its built-in roles and, when an address is given, the first owner's invitation.
    ///
    /// # Errors
    /// [`Error::SlugInvalid`], [`Error::SlugReserved`], [`Error::SlugTaken`], [`Error::NameInvalid`],
    /// [`Error::EmailInvalid`], or the caller is no operator with [`TENANTS_WRITE`].
    pub async fn create_tenant(&self, caller: &Caller, new: NewTenant) -> Result<CreatedTenant, Error> {
        let caller = operator(caller, TENANTS_WRITE)?;
        let slug = Slug::parse(&new.slug)?;
        let name = parse_name("name", &new.name)?;
        let owner = new.owner_email.as_deref().map(|email| parse_email("owner_email", email)).transpose()?;

        self.db()
            .write_once(&caller, "tenancy.create_tenant", &new, async |tx| {
                let id = tx.new_id();
                let tenant = store::tenants::insert(tx, self.config(), id, &slug, name.clone()).await?;
                let owners = store::roles::insert_built_in(tx, id).await?;
                announce(tx, &caller, "tenancy.tenant_created", target(&tenant), &tenant).await?;
                let invitation = match &owner {
                    Some(email) => Some(self.invite(tx, &caller, &tenant, email, owners).await?),
                    None => None,
                };
                Self::changed(tx, id);
                Ok(CreatedTenant { tenant, invitation })
            })
            .await
    }

    /// Renames a tenant.
    ///
    /// # Errors
    /// 428 or 412 about the version, [`Error::NameInvalid`], the 404, or the caller lacks [`TENANT_WRITE`] (for other
    /// tenants than their own, operators need [`TENANTS_WRITE`]).
    pub async fn update_tenant(
        &self,
        caller: &Caller,
        id: TenantId,
        expected: Expected,
        update: UpdateTenant,
    ) -> Result<Tenant, Error> {
        let caller = reaching(caller, id, TENANTS_WRITE, TENANT_WRITE)?;
        let expected = expected.required()?;
        let name = update.name.clone().required("name")?.map(|name| parse_name("name", &name)).transpose()?;

        self.db()
            .write_once(&caller, "tenancy.update_tenant", &(id, &update), async |tx| {
                let kept = store::tenants::find_for_update(tx, self.config(), id).await?;
                let mut kept = kept.ok_or_else(Problem::not_found)?;
                expected.check(kept.tenant.version)?;
                if let Some(name) = &name {
                    kept.tenant.name.clone_from(name);
                    store::tenants::update(tx, &mut kept).await?;
                    announce(tx, &caller, "tenancy.tenant_updated", target(&kept.tenant), &kept.tenant).await?;
                    Self::changed(tx, id);
                }
                Ok(kept.tenant)
            })
            .await
    }

    /// Makes the operators' tenant and its built-in roles unless they are there.
    ///
    /// # Errors
    /// What the database says.
    pub async fn ensure_system_tenant(&self) -> Result<(), Problem> {
        let caller = Caller::system("tenancy", SYSTEM_TENANT);
        self.db()
            .write(&caller, async |tx| {
                if store::tenants::insert_system(tx, SYSTEM_SLUG, "Operators").await? {
                    store::roles::insert_built_in(tx, SYSTEM_TENANT).await?;
                    Self::changed(tx, SYSTEM_TENANT);
                }
                Ok(())
            })
            .await
    }
}
