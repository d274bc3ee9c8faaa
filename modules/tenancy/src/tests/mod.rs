//! The module on its floor, on both engines, with real audit, events and jobs beneath it.

mod directory;
mod domain_faces;
mod domains;
mod estate;
mod faces;
mod invitations;
mod isolation;
mod lists;
mod members;
mod once;
mod purge;
mod roles;
mod tenants;

use std::sync::Arc;
use std::time::Duration;

use kernel::{
    AccountId, Actor, Caller, Db, Level, ListParams, Permission, PermissionSpec, Problem, RequestContext,
    SYSTEM_TENANT, TenantId, Tx,
};
use testkit::{Engine, TestDb};

use crate::{
    DomainsConfig, Error, Member, NewRole, NewTenant, PERMISSIONS, Role, RoleId, Targets, Tenancy, TenancyConfig,
    Tenant,
};

/// Another module's permissions, one of each level.
const VAULT: &[PermissionSpec] = &[
    PermissionSpec { permission: Permission("vault.read"), level: Level::Viewer, description: "See records." },
    PermissionSpec { permission: Permission("vault.write"), level: Level::Editor, description: "Write records." },
    PermissionSpec { permission: Permission("vault.share"), level: Level::Admin, description: "Share records." },
    PermissionSpec { permission: Permission("vault.shred"), level: Level::Owner, description: "Destroy records." },
];
const SYSTEM: &[PermissionSpec] =
    &[PermissionSpec { permission: Permission("system.read"), level: Level::Viewer, description: "See the process." }];

/// A database with the system tenant in it.
struct House {
    db: TestDb,
    tenancy: Tenancy,
}

pub(crate) fn config() -> TenancyConfig {
    TenancyConfig {
        base_domain: "localhost".to_owned(),
        public_port: Some(8443),
        deletion_grace_days: 30,
        invitation_lifetime_hours: 48,
        directory_ttl_ms: 60_000,
        directory_capacity: 1000,
        domains: domains_config(),
    }
}

fn domains_config() -> DomainsConfig {
    let targets = Targets { addresses: vec![[192, 0, 2, 1].into()], host: Some("edge.holdfast.example".to_owned()) };
    DomainsConfig {
        targets,
        check_timeout_ms: 500,
        checks_at_once: 8,
        per_tenant: 5,
        grace_days: 7,
        caa_issuers: vec!["letsencrypt.org".to_owned()],
        ..DomainsConfig::default()
    }
}

fn open(db: &Db) -> Tenancy {
    let catalogue = vec![("tenancy", PERMISSIONS), ("vault", VAULT), ("system", SYSTEM)];
    Tenancy::new(db.clone(), config(), catalogue)
}

async fn house(engine: Engine) -> House {
    let db = testkit::db(engine).await;
    let tenancy = open(&db);
    tenancy.ensure_system_tenant().await.unwrap();
    House { db, tenancy }
}

fn request() -> RequestContext {
    RequestContext::new("test", Duration::from_secs(60))
}

/// The same caller with an idempotency key.
fn with_key(caller: &Caller, key: &str) -> Caller {
    let mut caller = caller.clone();
    caller.request = request();
    caller.request.idempotency_key = Some(key.into());
    caller
}

fn all() -> ListParams {
    ListParams { limit: Some(200), ..ListParams::default() }
}

fn code(error: Error) -> String {
    Problem::from(error).code.into_owned()
}

fn status(error: Error) -> u16 {
    Problem::from(error).kind.status()
}

fn new_tenant(slug: &str) -> NewTenant {
    NewTenant { slug: slug.to_owned(), name: slug.to_uppercase(), owner_email: None }
}

fn new_role(name: &str, permissions: &[&str]) -> NewRole {
    let permissions = permissions.iter().map(|&name| name.to_owned()).collect();
    NewRole { name: name.to_owned(), description: None, permissions }
}

impl House {
    /// An owner of the system tenant.
    async fn operator(&self) -> Caller {
        self.member(SYSTEM_TENANT, "owner").await
    }

    async fn tenant(&self, slug: &str) -> Tenant {
        let caller = Caller::system("test", SYSTEM_TENANT);
        self.tenancy.create_tenant(&caller, new_tenant(slug)).await.unwrap().tenant
    }

    async fn role(&self, tenant: TenantId, name: &str) -> Role {
        let caller = Caller::system("test", tenant);
        let (_, page) = self.tenancy.list_roles(&caller, &all()).await.unwrap();
        page.items.into_iter().find(|role| role.name == name).unwrap()
    }

    /// A new member with this role, as a caller.
    async fn member(&self, tenant: TenantId, role: &str) -> Caller {
        let role = self.role(tenant, role).await.id;
        self.caller(tenant, self.join(tenant, role).await.account_id).await
    }

    async fn join(&self, tenant: TenantId, role: RoleId) -> Member {
        let account: AccountId = self.db.random().id(self.db.clock().now());
        let caller = Caller::system("test", tenant);
        let email = format!("{account}@example.com");
        self.db
            .write(&caller, async |tx: &Tx| self.tenancy.add_member(tx, &caller, account, &email, "Ada", role).await)
            .await
            .unwrap()
    }

    /// This account with what it may do now.
    async fn caller(&self, tenant: TenantId, account: AccountId) -> Caller {
        let caller = Caller::system("test", tenant);
        let grants = self.db.read(&caller, async |tx: &Tx| self.tenancy.grants_of(tx, account).await).await;
        let session = self.db.random().id(self.db.clock().now());
        let actor = Actor::Account { id: account, session, name: Arc::from("ada") };
        Caller::new(actor, tenant, grants.unwrap().permissions, request())
    }

    /// The membership of this caller.
    async fn own(&self, caller: &Caller) -> Member {
        let account = caller.account().unwrap();
        let params = ListParams { filter: Some(format!("account_id eq \"{account}\"")), ..all() };
        let reader = Caller::system("test", caller.tenant);
        let (_, mut page) = self.tenancy.list_members(&reader, &params).await.unwrap();
        page.items.pop().unwrap()
    }

    /// The kinds of the events of this tenant, sorted.
    async fn events(&self, tenant: TenantId) -> Vec<String> {
        let caller = Caller::system("test", tenant);
        let (_, page) = events::Events::new(self.db.clone()).list(&caller, &all()).await.unwrap();
        let mut kinds: Vec<_> = page.items.into_iter().map(|event| event.kind).collect();
        kinds.sort();
        kinds
    }

    /// The actions in this tenant's audit trail, sorted.
    async fn audited(&self, tenant: TenantId) -> Vec<String> {
        let audit = audit::Audit::new(self.db.clone());
        let (_, page) = audit.list(&Caller::system("test", tenant), &all()).await.unwrap();
        let mut actions: Vec<_> = page.items.into_iter().map(|entry| entry.action).collect();
        actions.sort();
        actions
    }
}
