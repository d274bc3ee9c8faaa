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
use uuid::Uuid;

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

/// What goes stale when a tenant's state or its members' grants change, by the tenant's id.
const STALE_TENANT: &str = "tenancy.tenant";
/// What goes stale when it changes who holds a domain, by its name.
const STALE_DOMAIN: &str = "tenancy.domain";

/// What is called after a commit that changed who may do what in a tenant, or the tenant's state.
pub type ChangeHook = Arc<dyn Fn(Option<TenantId>) + Send + Sync>;

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
        let this =
            Self(Arc::new(Inner { db, config, catalogue, directory, invitation_mac, hooks, lookup, certificates }));
        this.hear();
        this
    }

    /// What this or another process commits takes what is kept in memory with it.
    fn hear(&self) {
        let (tenants, domains) = (Arc::downgrade(&self.0), Arc::downgrade(&self.0));
        let tenant_changed = move |subject: Option<&str>| {
            let Some(inner) = tenants.upgrade() else { return };
            let tenant = subject.and_then(|id| Uuid::parse_str(id).ok()).map(TenantId::from_uuid);
            inner.directory.forget(tenant);
            let hooks = inner.hooks.read().unwrap_or_else(PoisonError::into_inner);
            hooks.iter().for_each(|hook| hook(tenant));
        };
        let domain_changed = move |name: Option<&str>| {
            let Some(inner) = domains.upgrade() else { return };
            inner.directory.forget_domain(name);
        };
        self.0.db.invalidations().subscribe(STALE_TENANT, Arc::new(tenant_changed));
        self.0.db.invalidations().subscribe(STALE_DOMAIN, Arc::new(domain_changed));
    }

    /// Calls `hook` after every commit that changed a tenant's grants or state: of this process before its author gets the
    /// answer, of another a moment later. Without a tenant, any of them may have changed. The hook must be quick.
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
    fn changed(tx: &Tx, tenant: TenantId) {
        tx.stale_on_commit(STALE_TENANT, &tenant.uuid().to_string());
    }
}
