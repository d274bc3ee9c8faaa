//! The REST face.

use kernel::rest::{Accepted, Auth, Body, Created, Listed, NoContent, Reply};
use kernel::{Expected, FieldMask, ListParams, Problem, TenantId};
use poem_openapi::param::{Header, Path, Query};
use poem_openapi::{OpenApi, Tags};

use crate::domains::model::{Domain, DomainId, DomainStep, NewDomain};
use crate::model::{
    CreatedInvitation, CreatedTenant, Invitation, InvitationId, Member, MemberId, NewInvitation, NewRole, NewTenant,
    PermissionEntry, Role, RoleId, SuspendTenant, Tenant, UpdateMember, UpdateRole, UpdateTenant,
};
use crate::{Tenancy, listing};

#[derive(Tags)]
enum Tag {
    /// Tenants, their members, roles, invitations and domains.
    Tenancy,
}

/// Tenants over REST.
pub struct Api(Tenancy);

impl Api {
    /// The face of these tenants.
    pub const fn new(tenancy: Tenancy) -> Self {
        Self(tenancy)
    }
}

/// What a client said about a list, in the order of the operations' parameters.
fn params(limit: Option<i64>, [cursor, filter, sort]: [Option<String>; 3]) -> ListParams {
    ListParams { limit, cursor, filter, sort }
}

fn expected(if_match: &Header<Option<String>>) -> Expected {
    Expected::from_header(if_match.0.as_deref())
}

#[OpenApi(prefix_path = "/api/v1/tenancy", tag = "Tag::Tenancy")]
impl Api {
    /// List the tenants
    ///
    /// Operators see all, everybody else their own.
    #[oai(path = "/tenants", method = "get", operation_id = "list_tenants")]
    async fn list_tenants(
        &self,
        auth: Auth,
        /// How many, 1 to 200.
        limit: Query<Option<i64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
        /// Such as `state eq "suspended"`.
        filter: Query<Option<String>>,
        /// `-created_at`, `name`, `slug`, `updated_at` or `id`.
        sort: Query<Option<String>>,
        /// The fields to show, with commas between.
        fields: Query<Option<String>>,
    ) -> Result<Listed<Tenant>, Problem> {
        let mask = FieldMask::parse(&listing::TENANTS, fields.0.as_deref())?;
        let (_, page) = self.0.list_tenants(&auth.0, &params(limit.0, [cursor.0, filter.0, sort.0])).await?;
        Ok(Listed(page, mask))
    }

    /// Create a tenant
    ///
    /// Operators only. With `owner_email`, the first owner is invited; the token is shown this once.
    #[oai(path = "/tenants", method = "post", operation_id = "create_tenant")]
    async fn create_tenant(&self, auth: Auth, new: Body<NewTenant>) -> Result<Created<CreatedTenant>, Problem> {
        Ok(Created(self.0.create_tenant(&auth.0, new.0).await?))
    }

    /// Read a tenant
    #[oai(path = "/tenants/:id", method = "get", operation_id = "get_tenant")]
    async fn get_tenant(
        &self,
        auth: Auth,
        id: Path<TenantId>,
        /// The fields to show, with commas between.
        fields: Query<Option<String>>,
    ) -> Result<Reply<Tenant>, Problem> {
        let mask = FieldMask::parse(&listing::TENANTS, fields.0.as_deref())?;
        Ok(Reply::masked(self.0.get_tenant(&auth.0, id.0).await?, mask))
    }

    /// Rename a tenant
    ///
    /// Needs `If-Match`.
    #[oai(path = "/tenants/:id", method = "patch", operation_id = "update_tenant")]
    async fn update_tenant(
        &self,
        auth: Auth,
        id: Path<TenantId>,
        /// The version that you know, such as `"3"`.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        update: Body<UpdateTenant>,
    ) -> Result<Reply<Tenant>, Problem> {
        let expected = expected(&if_match);
        Ok(Reply::new(self.0.update_tenant(&auth.0, id.0, expected, update.0).await?))
    }

    /// Delete a tenant
    ///
    /// Operators only. It is closed at once; its data, its audit trail included, goes at `purge_at`, until which it can be
    /// restored.
    #[oai(path = "/tenants/:id", method = "delete", operation_id = "delete_tenant")]
    async fn delete_tenant(
        &self,
        auth: Auth,
        id: Path<TenantId>,
        /// The version that you know, such as `"3"`.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> Result<Accepted<Tenant>, Problem> {
        Ok(Accepted(self.0.delete_tenant(&auth.0, id.0, expected(&if_match)).await?))
    }

    /// Suspend a tenant
    ///
    /// Operators only. Its members are locked out with their next request; its data stays.
    #[oai(path = "/tenants/:id/suspend", method = "post", operation_id = "suspend_tenant")]
    async fn suspend_tenant(
        &self,
        auth: Auth,
        id: Path<TenantId>,
        /// The version that you know, such as `"3"`.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        suspend: Body<SuspendTenant>,
    ) -> Result<Reply<Tenant>, Problem> {
        let expected = expected(&if_match);
        Ok(Reply::new(self.0.suspend_tenant(&auth.0, id.0, expected, suspend.0).await?))
    }

    /// Open a suspended tenant again
    ///
    /// Operators only.
    #[oai(path = "/tenants/:id/resume", method = "post", operation_id = "resume_tenant")]
    async fn resume_tenant(
        &self,
        auth: Auth,
        id: Path<TenantId>,
        /// The version that you know, such as `"3"`.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> Result<Reply<Tenant>, Problem> {
        Ok(Reply::new(self.0.resume_tenant(&auth.0, id.0, expected(&if_match)).await?))
    }

    /// Take the deletion of a tenant back
    ///
    /// Operators only, until `purge_at`. The tenant is what it was before, active or suspended.
    #[oai(path = "/tenants/:id/restore", method = "post", operation_id = "restore_tenant")]
    async fn restore_tenant(
        &self,
        auth: Auth,
        id: Path<TenantId>,
        /// The version that you know, such as `"3"`.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> Result<Reply<Tenant>, Problem> {
        Ok(Reply::new(self.0.restore_tenant(&auth.0, id.0, expected(&if_match)).await?))
    }

    /// List the members
    #[oai(path = "/members", method = "get", operation_id = "list_members")]
    async fn list_members(
        &self,
        auth: Auth,
        /// How many, 1 to 200.
        limit: Query<Option<i64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
        /// Such as `role_id eq "rol_…"` or `email sw "ada"`.
        filter: Query<Option<String>>,
        /// `-created_at`, `email`, `display_name` or `id`.
        sort: Query<Option<String>>,
        /// The fields to show, with commas between.
        fields: Query<Option<String>>,
    ) -> Result<Listed<Member>, Problem> {
        let mask = FieldMask::parse(&listing::MEMBERS, fields.0.as_deref())?;
        let (_, page) = self.0.list_members(&auth.0, &params(limit.0, [cursor.0, filter.0, sort.0])).await?;
        Ok(Listed(page, mask))
    }

    /// Read a member
    #[oai(path = "/members/:id", method = "get", operation_id = "get_member")]
    async fn get_member(
        &self,
        auth: Auth,
        id: Path<MemberId>,
        /// The fields to show, with commas between.
        fields: Query<Option<String>>,
    ) -> Result<Reply<Member>, Problem> {
        let mask = FieldMask::parse(&listing::MEMBERS, fields.0.as_deref())?;
        Ok(Reply::masked(self.0.get_member(&auth.0, id.0).await?, mask))
    }

    /// Change a member's role
    #[oai(path = "/members/:id", method = "patch", operation_id = "update_member")]
    async fn update_member(
        &self,
        auth: Auth,
        id: Path<MemberId>,
        /// The version that you know, such as `"3"`.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        update: Body<UpdateMember>,
    ) -> Result<Reply<Member>, Problem> {
        let expected = expected(&if_match);
        Ok(Reply::new(self.0.update_member(&auth.0, id.0, expected, update.0).await?))
    }

    /// Remove a member
    #[oai(path = "/members/:id", method = "delete", operation_id = "remove_member")]
    async fn remove_member(
        &self,
        auth: Auth,
        id: Path<MemberId>,
        /// The version that you know, such as `"3"`.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> Result<NoContent, Problem> {
        self.0.remove_member(&auth.0, id.0, expected(&if_match)).await?;
        Ok(NoContent)
    }

    /// List the roles
    #[oai(path = "/roles", method = "get", operation_id = "list_roles")]
    async fn list_roles(
        &self,
        auth: Auth,
        /// How many, 1 to 200.
        limit: Query<Option<i64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
        /// Such as `built_in eq false`.
        filter: Query<Option<String>>,
        /// `created_at`, `name`, `updated_at` or `id`.
        sort: Query<Option<String>>,
        /// The fields to show, with commas between.
        fields: Query<Option<String>>,
    ) -> Result<Listed<Role>, Problem> {
        let mask = FieldMask::parse(&listing::ROLES, fields.0.as_deref())?;
        let (_, page) = self.0.list_roles(&auth.0, &params(limit.0, [cursor.0, filter.0, sort.0])).await?;
        Ok(Listed(page, mask))
    }

    /// Create a role
    ///
    /// It can hold permissions only that you hold yourself.
    #[oai(path = "/roles", method = "post", operation_id = "create_role")]
    async fn create_role(&self, auth: Auth, new: Body<NewRole>) -> Result<Created<Role>, Problem> {
        Ok(Created(self.0.create_role(&auth.0, new.0).await?))
    }

    /// Read a role
    #[oai(path = "/roles/:id", method = "get", operation_id = "get_role")]
    async fn get_role(
        &self,
        auth: Auth,
        id: Path<RoleId>,
        /// The fields to show, with commas between.
        fields: Query<Option<String>>,
    ) -> Result<Reply<Role>, Problem> {
        let mask = FieldMask::parse(&listing::ROLES, fields.0.as_deref())?;
        Ok(Reply::masked(self.0.get_role(&auth.0, id.0).await?, mask))
    }

    /// Change a role
    ///
    /// Needs `If-Match`. Built-in roles can't be changed.
    #[oai(path = "/roles/:id", method = "patch", operation_id = "update_role")]
    async fn update_role(
        &self,
        auth: Auth,
        id: Path<RoleId>,
        /// The version that you know, such as `"3"`.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        update: Body<UpdateRole>,
    ) -> Result<Reply<Role>, Problem> {
        let expected = expected(&if_match);
        Ok(Reply::new(self.0.update_role(&auth.0, id.0, expected, update.0).await?))
    }

    /// Delete a role
    ///
    /// Needs `If-Match`. Built-in roles, and those that somebody has, can't be deleted.
    #[oai(path = "/roles/:id", method = "delete", operation_id = "delete_role")]
    async fn delete_role(
        &self,
        auth: Auth,
        id: Path<RoleId>,
        /// The version that you know, such as `"3"`.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> Result<NoContent, Problem> {
        self.0.delete_role(&auth.0, id.0, expected(&if_match)).await?;
        Ok(NoContent)
    }

    /// List the permissions that roles can hold
    #[oai(path = "/permissions", method = "get", operation_id = "list_permissions")]
    async fn list_permissions(
        &self,
        auth: Auth,
        /// How many, 1 to 200.
        limit: Query<Option<i64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
        /// Such as `module eq "audit"`.
        filter: Query<Option<String>>,
        /// `name` or `-name`.
        sort: Query<Option<String>>,
        /// The fields to show, with commas between.
        fields: Query<Option<String>>,
    ) -> Result<Listed<PermissionEntry>, Problem> {
        let mask = FieldMask::parse(&listing::PERMISSIONS, fields.0.as_deref())?;
        let (_, page) = self.0.list_permissions(&auth.0, &params(limit.0, [cursor.0, filter.0, sort.0])).await?;
        Ok(Listed(page, mask))
    }

    /// List the invitations
    #[oai(path = "/invitations", method = "get", operation_id = "list_invitations")]
    async fn list_invitations(
        &self,
        auth: Auth,
        /// How many, 1 to 200.
        limit: Query<Option<i64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
        /// Such as `state eq "pending"`.
        filter: Query<Option<String>>,
        /// `-created_at`, `email`, `expires_at` or `id`.
        sort: Query<Option<String>>,
        /// The fields to show, with commas between.
        fields: Query<Option<String>>,
    ) -> Result<Listed<Invitation>, Problem> {
        let mask = FieldMask::parse(&listing::INVITATIONS, fields.0.as_deref())?;
        let (_, page) = self.0.list_invitations(&auth.0, &params(limit.0, [cursor.0, filter.0, sort.0])).await?;
        Ok(Listed(page, mask))
    }

    /// Invite somebody
    ///
    /// The token is shown this once; only this address can accept it.
    #[oai(path = "/invitations", method = "post", operation_id = "create_invitation")]
    async fn create_invitation(
        &self,
        auth: Auth,
        new: Body<NewInvitation>,
    ) -> Result<Created<CreatedInvitation>, Problem> {
        Ok(Created(self.0.create_invitation(&auth.0, new.0).await?))
    }

    /// Read an invitation
    #[oai(path = "/invitations/:id", method = "get", operation_id = "get_invitation")]
    async fn get_invitation(
        &self,
        auth: Auth,
        id: Path<InvitationId>,
        /// The fields to show, with commas between.
        fields: Query<Option<String>>,
    ) -> Result<Reply<Invitation>, Problem> {
        let mask = FieldMask::parse(&listing::INVITATIONS, fields.0.as_deref())?;
        Ok(Reply::masked(self.0.get_invitation(&auth.0, id.0).await?, mask))
    }

    /// Revoke an invitation
    #[oai(path = "/invitations/:id", method = "delete", operation_id = "revoke_invitation")]
    async fn revoke_invitation(
        &self,
        auth: Auth,
        id: Path<InvitationId>,
        /// The version that you know, such as `"3"`.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> Result<NoContent, Problem> {
        self.0.revoke_invitation(&auth.0, id.0, expected(&if_match)).await?;
        Ok(NoContent)
    }

    /// List the domains
    #[oai(path = "/domains", method = "get", operation_id = "list_domains")]
    async fn list_domains(
        &self,
        auth: Auth,
        /// How many, 1 to 200.
        limit: Query<Option<i64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
        /// Such as `status eq "failing"`.
        filter: Query<Option<String>>,
        /// `-created_at`, `name`, `next_check_at`, `updated_at` or `id`.
        sort: Query<Option<String>>,
        /// The fields to show, with commas between.
        fields: Query<Option<String>>,
    ) -> Result<Listed<Domain>, Problem> {
        let mask = FieldMask::parse(&listing::DOMAINS, fields.0.as_deref())?;
        let (_, page) = self.0.list_domains(&auth.0, &params(limit.0, [cursor.0, filter.0, sort.0])).await?;
        Ok(Listed(page, mask))
    }

    /// Claim a domain
    ///
    /// The answer names the DNS records to be set. The domain is the tenant's once its proof was seen.
    #[oai(path = "/domains", method = "post", operation_id = "claim_domain")]
    async fn claim_domain(&self, auth: Auth, new: Body<NewDomain>) -> Result<Created<Domain>, Problem> {
        Ok(Created(self.0.claim_domain(&auth.0, new.0).await?))
    }

    /// Read a domain
    #[oai(path = "/domains/:id", method = "get", operation_id = "get_domain")]
    async fn get_domain(
        &self,
        auth: Auth,
        id: Path<DomainId>,
        /// The fields to show, with commas between.
        fields: Query<Option<String>>,
    ) -> Result<Reply<Domain>, Problem> {
        let mask = FieldMask::parse(&listing::DOMAINS, fields.0.as_deref())?;
        Ok(Reply::masked(self.0.get_domain(&auth.0, id.0).await?, mask))
    }

    /// Release a domain
    ///
    /// At once. Sessions that began at it end, and whoever claims it again needs a new proof.
    #[oai(path = "/domains/:id", method = "delete", operation_id = "release_domain")]
    async fn release_domain(
        &self,
        auth: Auth,
        id: Path<DomainId>,
        /// The version that you know, such as `"3"`.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> Result<NoContent, Problem> {
        self.0.release_domain(&auth.0, id.0, expected(&if_match)).await?;
        Ok(NoContent)
    }

    /// Check a domain now
    ///
    /// Once in 10 s; it is checked by itself, too.
    #[oai(path = "/domains/:id/check", method = "post", operation_id = "check_domain")]
    async fn check_domain(&self, auth: Auth, id: Path<DomainId>) -> Result<Reply<Domain>, Problem> {
        Ok(Reply::new(self.0.check_domain(&auth.0, id.0).await?))
    }

    /// List what happened to a domain and its certificate
    #[oai(path = "/domains/:id/timeline", method = "get", operation_id = "list_domain_timeline")]
    #[expect(clippy::too_many_arguments, reason = "they are the parameters of the operation")]
    async fn list_domain_timeline(
        &self,
        auth: Auth,
        id: Path<DomainId>,
        /// How many, 1 to 200.
        limit: Query<Option<i64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
        /// Such as `about eq "certificate"`.
        filter: Query<Option<String>>,
        /// `-at`, `at` or `id`.
        sort: Query<Option<String>>,
        /// The fields to show, with commas between.
        fields: Query<Option<String>>,
    ) -> Result<Listed<DomainStep>, Problem> {
        let mask = FieldMask::parse(&listing::DOMAIN_STEPS, fields.0.as_deref())?;
        let params = params(limit.0, [cursor.0, filter.0, sort.0]);
        let (_, page) = self.0.list_domain_timeline(&auth.0, id.0, &params).await?;
        Ok(Listed(page, mask))
    }
}
