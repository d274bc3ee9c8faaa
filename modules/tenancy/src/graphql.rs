//! The GraphQL face.

use std::collections::HashMap;

use async_graphql::connection::Connection;
use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::{ComplexObject, Context, Object};
use kernel::graphql::{caller, list};
use kernel::{Caller, Expected, Problem, TenantId};

use crate::Tenancy;
use crate::domains::model::{Domain, DomainId, DomainStep, NewDomain};
use crate::model::{
    CreatedInvitation, CreatedTenant, Invitation, InvitationId, Member, MemberId, NewInvitation, NewRole, NewTenant,
    PermissionEntry, Role, RoleId, SuspendTenant, Tenant, UpdateMember, UpdateRole, UpdateTenant,
};
use crate::permissions::ROLES_READ;

/// Loads the roles that a query names here and there in one statement a tenant.
pub struct RoleLoader(Tenancy);

/// The loader that the schema's data must hold: `Schema::build(…).data(tenancy::graphql::role_loader(&tenancy))`.
/// It keeps nothing between batches, so one serves all requests.
#[expect(clippy::disallowed_methods, reason = "a batch is waited for by the queries that it serves")]
pub fn role_loader(tenancy: &Tenancy) -> DataLoader<RoleLoader> {
    DataLoader::new(RoleLoader(tenancy.clone()), tokio::spawn)
}

impl Loader<(TenantId, RoleId)> for RoleLoader {
    type Value = Role;
    type Error = Problem;

    async fn load(&self, keys: &[(TenantId, RoleId)]) -> Result<HashMap<(TenantId, RoleId), Role>, Problem> {
        self.0.roles_by_ids(keys).await
    }
}

#[ComplexObject]
impl Member {
    /// What the member may do
    async fn role(&self, ctx: &Context<'_>) -> async_graphql::Result<Role> {
        let caller: &Caller = caller(ctx)?;
        caller.require(ROLES_READ)?;
        let loader = ctx.data::<DataLoader<RoleLoader>>()?;
        let role = loader.load_one((caller.tenant, self.role.id)).await?;
        Ok(role.ok_or_else(Problem::not_found)?)
    }
}

/// Seeing tenants.
pub struct Query(Tenancy);

impl Query {
    /// The face of these tenants.
    pub const fn new(tenancy: Tenancy) -> Self {
        Self(tenancy)
    }
}

#[Object(name = "TenancyQuery")]
impl Query {
    /// List the tenants: operators see all, everybody else their own
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn tenants(
        &self,
        ctx: &Context<'_>,
        first: Option<i64>,
        after: Option<String>,
        filter: Option<String>,
        sort: Option<String>,
    ) -> Result<Connection<String, Tenant>, Problem> {
        let (request, page) = self.0.list_tenants(caller(ctx)?, &list(first, after, filter, sort)).await?;
        request.connection(page)
    }

    /// Read a tenant
    async fn tenant(&self, ctx: &Context<'_>, id: TenantId) -> Result<Tenant, Problem> {
        Ok(self.0.get_tenant(caller(ctx)?, id).await?)
    }

    /// List the members
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn members(
        &self,
        ctx: &Context<'_>,
        first: Option<i64>,
        after: Option<String>,
        filter: Option<String>,
        sort: Option<String>,
    ) -> Result<Connection<String, Member>, Problem> {
        let (request, page) = self.0.list_members(caller(ctx)?, &list(first, after, filter, sort)).await?;
        request.connection(page)
    }

    /// Read a member
    async fn member(&self, ctx: &Context<'_>, id: MemberId) -> Result<Member, Problem> {
        Ok(self.0.get_member(caller(ctx)?, id).await?)
    }

    /// List the roles
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn roles(
        &self,
        ctx: &Context<'_>,
        first: Option<i64>,
        after: Option<String>,
        filter: Option<String>,
        sort: Option<String>,
    ) -> Result<Connection<String, Role>, Problem> {
        let (request, page) = self.0.list_roles(caller(ctx)?, &list(first, after, filter, sort)).await?;
        request.connection(page)
    }

    /// Read a role
    async fn role(&self, ctx: &Context<'_>, id: RoleId) -> Result<Role, Problem> {
        Ok(self.0.get_role(caller(ctx)?, id).await?)
    }

    /// List the permissions that roles can hold
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn permissions(
        &self,
        ctx: &Context<'_>,
        first: Option<i64>,
        after: Option<String>,
        filter: Option<String>,
        sort: Option<String>,
    ) -> Result<Connection<String, PermissionEntry>, Problem> {
        let (request, page) = self.0.list_permissions(caller(ctx)?, &list(first, after, filter, sort)).await?;
        request.connection(page)
    }

    /// List the invitations
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn invitations(
        &self,
        ctx: &Context<'_>,
        first: Option<i64>,
        after: Option<String>,
        filter: Option<String>,
        sort: Option<String>,
    ) -> Result<Connection<String, Invitation>, Problem> {
        let (request, page) = self.0.list_invitations(caller(ctx)?, &list(first, after, filter, sort)).await?;
        request.connection(page)
    }

    /// Read an invitation
    async fn invitation(&self, ctx: &Context<'_>, id: InvitationId) -> Result<Invitation, Problem> {
        Ok(self.0.get_invitation(caller(ctx)?, id).await?)
    }

    /// List the domains
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn domains(
        &self,
        ctx: &Context<'_>,
        first: Option<i64>,
        after: Option<String>,
        filter: Option<String>,
        sort: Option<String>,
    ) -> Result<Connection<String, Domain>, Problem> {
        let (request, page) = self.0.list_domains(caller(ctx)?, &list(first, after, filter, sort)).await?;
        request.connection(page)
    }

    /// Read a domain
    async fn domain(&self, ctx: &Context<'_>, id: DomainId) -> Result<Domain, Problem> {
        Ok(self.0.get_domain(caller(ctx)?, id).await?)
    }

    /// List what happened to a domain and its certificate
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn domain_timeline(
        &self,
        ctx: &Context<'_>,
        id: DomainId,
        first: Option<i64>,
        after: Option<String>,
        filter: Option<String>,
        sort: Option<String>,
    ) -> Result<Connection<String, DomainStep>, Problem> {
        let params = list(first, after, filter, sort);
        let (request, page) = self.0.list_domain_timeline(caller(ctx)?, id, &params).await?;
        request.connection(page)
    }
}

/// What a page may cost.
fn page_cost(first: Option<i64>, child: usize) -> usize {
    usize::try_from(first.unwrap_or(50)).unwrap_or(0).saturating_mul(child)
}

/// Changing tenants.
pub struct Mutation(Tenancy);

impl Mutation {
    /// The face of these tenants.
    pub const fn new(tenancy: Tenancy) -> Self {
        Self(tenancy)
    }
}

#[Object(name = "TenancyMutation")]
impl Mutation {
    /// Create a tenant; operators only
    async fn create_tenant(&self, ctx: &Context<'_>, new: NewTenant) -> Result<CreatedTenant, Problem> {
        Ok(self.0.create_tenant(caller(ctx)?, new).await?)
    }

    /// Rename a tenant; needs the version
    async fn update_tenant(
        &self,
        ctx: &Context<'_>,
        id: TenantId,
        version: Option<i64>,
        update: UpdateTenant,
    ) -> Result<Tenant, Problem> {
        Ok(self.0.update_tenant(caller(ctx)?, id, Expected::from_argument(version), update).await?)
    }

    /// Delete a tenant; operators only, and it can be restored until `purgeAt`
    async fn delete_tenant(&self, ctx: &Context<'_>, id: TenantId, version: Option<i64>) -> Result<Tenant, Problem> {
        Ok(self.0.delete_tenant(caller(ctx)?, id, Expected::from_argument(version)).await?)
    }

    /// Suspend a tenant; operators only
    async fn suspend_tenant(
        &self,
        ctx: &Context<'_>,
        id: TenantId,
        version: Option<i64>,
        suspend: SuspendTenant,
    ) -> Result<Tenant, Problem> {
        Ok(self.0.suspend_tenant(caller(ctx)?, id, Expected::from_argument(version), suspend).await?)
    }

    /// Open a suspended tenant again; operators only
    async fn resume_tenant(&self, ctx: &Context<'_>, id: TenantId, version: Option<i64>) -> Result<Tenant, Problem> {
        Ok(self.0.resume_tenant(caller(ctx)?, id, Expected::from_argument(version)).await?)
    }

    /// Take the deletion of a tenant back; operators only
    async fn restore_tenant(&self, ctx: &Context<'_>, id: TenantId, version: Option<i64>) -> Result<Tenant, Problem> {
        Ok(self.0.restore_tenant(caller(ctx)?, id, Expected::from_argument(version)).await?)
    }

    /// Change a member's role
    async fn update_member(
        &self,
        ctx: &Context<'_>,
        id: MemberId,
        version: Option<i64>,
        update: UpdateMember,
    ) -> Result<Member, Problem> {
        Ok(self.0.update_member(caller(ctx)?, id, Expected::from_argument(version), update).await?)
    }

    /// Remove a member
    async fn remove_member(&self, ctx: &Context<'_>, id: MemberId, version: Option<i64>) -> Result<bool, Problem> {
        self.0.remove_member(caller(ctx)?, id, Expected::from_argument(version)).await?;
        Ok(true)
    }

    /// Create a role with permissions that you hold yourself
    async fn create_role(&self, ctx: &Context<'_>, new: NewRole) -> Result<Role, Problem> {
        Ok(self.0.create_role(caller(ctx)?, new).await?)
    }

    /// Change a role; needs the version
    async fn update_role(
        &self,
        ctx: &Context<'_>,
        id: RoleId,
        version: Option<i64>,
        update: UpdateRole,
    ) -> Result<Role, Problem> {
        Ok(self.0.update_role(caller(ctx)?, id, Expected::from_argument(version), update).await?)
    }

    /// Delete a role that nobody has; needs the version
    async fn delete_role(&self, ctx: &Context<'_>, id: RoleId, version: Option<i64>) -> Result<bool, Problem> {
        self.0.delete_role(caller(ctx)?, id, Expected::from_argument(version)).await?;
        Ok(true)
    }

    /// Invite somebody; the token is shown this once
    async fn create_invitation(&self, ctx: &Context<'_>, new: NewInvitation) -> Result<CreatedInvitation, Problem> {
        Ok(self.0.create_invitation(caller(ctx)?, new).await?)
    }

    /// Revoke an invitation
    async fn revoke_invitation(
        &self,
        ctx: &Context<'_>,
        id: InvitationId,
        version: Option<i64>,
    ) -> Result<bool, Problem> {
        self.0.revoke_invitation(caller(ctx)?, id, Expected::from_argument(version)).await?;
        Ok(true)
    }

    /// Claim a domain; the answer names the DNS records to be set
    async fn claim_domain(&self, ctx: &Context<'_>, new: NewDomain) -> Result<Domain, Problem> {
        Ok(self.0.claim_domain(caller(ctx)?, new).await?)
    }

    /// Check a domain now, once in 10 s
    async fn check_domain(&self, ctx: &Context<'_>, id: DomainId) -> Result<Domain, Problem> {
        Ok(self.0.check_domain(caller(ctx)?, id).await?)
    }

    /// Release a domain, at once
    async fn release_domain(&self, ctx: &Context<'_>, id: DomainId, version: Option<i64>) -> Result<bool, Problem> {
        self.0.release_domain(caller(ctx)?, id, Expected::from_argument(version)).await?;
        Ok(true)
    }
}
