//! Tenants: customers who share the process and are kept apart; their members, roles, invitations and domains.
//!
//! Start at [`Tenancy`]. Owns the tables `tenancy_*`, stands on `kernel`, `audit`, `events`, `jobs` and
//! `edge-dns`.
//!
//! Publishes `tenancy.tenant_created`, `_updated`, `_suspended`, `_resumed`, `_deletion_scheduled`, `_restored` in the
//! tenant of who acts (the system tenant for operators; the data is the tenant), `tenancy.tenant_purged` in the purged
//! tenant itself, so that others can clean up in its scope, and in the tenant concerned `tenancy.member_added`,
//! `_updated`, `_removed`, `tenancy.role_created`, `_updated`, `_deleted`, `tenancy.invitation_created`, `_revoked`,
//! `_accepted`, each with the object as its data. The audit trail uses the same names. Of domains it tells
//! `tenancy.domain.claimed`, `.verified` (again when it becomes ready, or whole after a failure), `.failing`,
//! `.released` by whom it was held, and `.withdrawn` by whom it was not; the data is `{domain, tenant, name, ready}`.
//!
//! Deliberately absent: accounts, passwords and sessions, which are identity's. A member refers to an account by id.

mod announce;
mod catalogue;
mod config;
mod directory;
mod domains;
mod error;
pub mod graphql; // faces, for the composition root only
mod invitations;
mod lifecycle;
mod listing;
mod members;
mod membership;
mod model;
mod permissions;
mod purge;
pub mod rest;
mod roles;
mod store;
mod tenants;
#[cfg(test)]
mod tests;
mod words;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use kernel::{Db, Mac, PermissionSpec, TenantId, Tx};

use crate::catalogue::Catalogue;
use crate::directory::Directory;
use crate::domains::lookup::{Dns, Lookup};

pub use config::TenancyConfig;
pub use directory::TenantRef;
pub use domains::certificates::{CertificateStep, DomainCertificates};
pub use domains::config::{DomainsConfig, NameServer, Targets, TargetsError};
pub use domains::model::{
    Domain, DomainCertificate, DomainFinding, DomainId, DomainKind, DomainPart, DomainRecord, DomainStatus, DomainStep,
    DomainStepId, DomainStepKind, HeldDomain, NewDomain,
};
pub use error::Error;
pub use membership::{Grants, Invited};
pub use model::{
    CreatedInvitation, CreatedTenant, Invitation, InvitationId, InvitationKind, InvitationState, Member, MemberId,
    MemberKind, NewInvitation, NewRole, NewTenant, PermissionEntry, Role, RoleId, RoleKind, RoleRef, SuspendTenant,
    Tenant, TenantState, UpdateMember, UpdateRole, UpdateTenant,
};
pub use permissions::{
    DOMAINS_READ, DOMAINS_WRITE, INVITATIONS_READ, INVITATIONS_WRITE, MEMBERS_READ, MEMBERS_WRITE, PERMISSIONS,
    ROLES_READ, ROLES_WRITE, TENANT_READ, TENANT_WRITE, TENANTS_READ, TENANTS_WRITE,
};
pub use words::Slug;

/// What is called after a commit that changed who may do what in a tenant, or the tenant's state.
pub type ChangeHook = Arc<dyn Fn(TenantId) + Send + Sync>;

/// Tenants and all that belongs to them. Cheap to clone.
#[derive(Clone)]
pub struct Tenancy(Arc<Inner>);

struct Inner {
    db: Db,
    config: TenancyConfig,
    catalogue: Catalogue,
    directory: Directory,
    invitation_mac: Mac,
    hooks: RwLock<Vec<ChangeHook>>,
    lookup: Arc<dyn Lookup>,
    certificates: RwLock<Option<Arc<dyn DomainCertificates>>>,
}

impl fmt::Debug for Tenancy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tenancy({})", self.0.config.base_domain)
    }
}

impl Tenancy {
    /// The tenants in this database. `catalogue` names every module and the permissions that it guards; built-in
    /// roles take theirs from it.
    pub fn new(db: Db, config: TenancyConfig, catalogue: Vec<(&'static str, &'static [PermissionSpec])>) -> Self {
        let lookup = Arc::new(Dns::new(&config.domains));
        Self::with_lookup(db, config, catalogue, lookup)
    }

    fn with_lookup(
        db: Db,
        config: TenancyConfig,
        catalogue: Vec<(&'static str, &'static [PermissionSpec])>,
        lookup: Arc<dyn Lookup>,
    ) -> Self {
        let config = config.normalised();
        let invitation_mac = db.keys().mac("tenancy invitation");
        let directory = Directory::new(&config);
        let catalogue = Catalogue::new(catalogue);
        let (hooks, certificates) = (RwLock::default(), RwLock::default());
        Self(Arc::new(Inner { db, config, catalogue, directory, invitation_mac, hooks, lookup, certificates }))
    }

    /// Calls `hook` after every commit that changed a tenant's grants or state, before its author gets the answer.
    /// The hook must be quick. Other processes are not told; what they keep must age.
    pub fn on_change(&self, hook: ChangeHook) {
        self.0.hooks.write().unwrap_or_else(PoisonError::into_inner).push(hook);
    }

    /// Whether a module declared this permission.
    pub fn knows(&self, permission: &str) -> bool {
        self.0.catalogue.knows(permission)
    }

    fn db(&self) -> &Db {
        &self.0.db
    }

    fn catalogue(&self) -> &Catalogue {
        &self.0.catalogue
    }

    fn config(&self) -> &TenancyConfig {
        &self.0.config
    }

    /// After the commit: what is kept in memory about this tenant goes.
    fn changed(&self, tx: &Tx, tenant: TenantId, slug: Option<&Slug>) {
        let this = self.clone();
        let slug = slug.cloned();
        tx.on_commit(move || {
            this.0.directory.forget(tenant, slug.as_ref());
            let hooks = this.0.hooks.read().unwrap_or_else(PoisonError::into_inner);
            hooks.iter().for_each(|hook| hook(tenant));
        });
    }
}
