//! What this module guards.

use kernel::{Level, Permission, PermissionSpec};

/// See every tenant of the installation; in the system tenant only.
pub const TENANTS_READ: Permission = Permission("tenancy.tenants.read");
/// Create, suspend and delete tenants; in the system tenant only.
pub const TENANTS_WRITE: Permission = Permission("tenancy.tenants.write");
/// See one's own tenant.
pub const TENANT_READ: Permission = Permission("tenancy.tenant.read");
/// Rename one's own tenant.
pub const TENANT_WRITE: Permission = Permission("tenancy.tenant.write");
/// See the members.
pub const MEMBERS_READ: Permission = Permission("tenancy.members.read");
/// Change members' roles and remove members.
pub const MEMBERS_WRITE: Permission = Permission("tenancy.members.write");
/// See the roles and the catalogue of permissions.
pub const ROLES_READ: Permission = Permission("tenancy.roles.read");
/// Make, change and delete roles.
pub const ROLES_WRITE: Permission = Permission("tenancy.roles.write");
/// See the invitations.
pub const INVITATIONS_READ: Permission = Permission("tenancy.invitations.read");
/// Invite people, and take invitations back.
pub const INVITATIONS_WRITE: Permission = Permission("tenancy.invitations.write");
/// See the domains.
pub const DOMAINS_READ: Permission = Permission("tenancy.domains.read");
/// Claim, check and release domains.
pub const DOMAINS_WRITE: Permission = Permission("tenancy.domains.write");

const fn spec(permission: Permission, level: Level, description: &'static str) -> PermissionSpec {
    PermissionSpec { permission, level, description }
}

/// All of them, for the catalogue.
pub const PERMISSIONS: &[PermissionSpec] = &[
    spec(TENANTS_READ, Level::Viewer, "See every tenant of this installation."),
    spec(TENANTS_WRITE, Level::Admin, "Create, rename, suspend, resume, delete and restore tenants."),
    spec(TENANT_READ, Level::Viewer, "See this tenant."),
    spec(TENANT_WRITE, Level::Admin, "Rename this tenant."),
    spec(MEMBERS_READ, Level::Viewer, "See the members."),
    spec(MEMBERS_WRITE, Level::Admin, "Change members' roles and remove members."),
    spec(ROLES_READ, Level::Viewer, "See the roles and the permissions that there are."),
    spec(ROLES_WRITE, Level::Admin, "Make, change and delete roles."),
    spec(INVITATIONS_READ, Level::Admin, "See the invitations."),
    spec(INVITATIONS_WRITE, Level::Admin, "Invite people and take invitations back."),
    spec(DOMAINS_READ, Level::Viewer, "See the tenant's own domains."),
    spec(DOMAINS_WRITE, Level::Admin, "Claim, check and release domains."),
];
