//! The module on its own floor, on both engines.

mod accounts;
mod api_keys;
mod authenticate;
mod domains;
mod faces;
mod invitations;
mod refresh;
mod setup;
mod sign_in;
mod signing_keys;
mod standing;
mod upkeep;
mod vouchers;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use kernel::{AccountId, Actor, Caller, Problem, RequestContext, SYSTEM_TENANT, Secret, TenantId, Tx};
use tenancy::{RoleId, Tenancy, TenancyConfig, TenantRef};
use testkit::{Engine, TestDb};

use crate::{AcceptInvitation, Account, Credential, Error, Identity, IdentityConfig, NewSession, SignIn, Transport};

/// The password of everybody in these tests.
const PASSWORD: &str = "plain harbour lantern 42";
/// The first operator, who owns the system tenant.
const OPERATOR: &str = "Operator@Example.test";

fn secret(text: &str) -> Secret {
    Secret::from(text.to_owned())
}

/// The module over a fresh database, with one operator in the system tenant.
struct World {
    db: TestDb,
    tenancy: Tenancy,
    identity: Identity,
}

impl World {
    async fn new(engine: Engine) -> Self {
        Self::with(engine, IdentityConfig::quick()).await
    }

    async fn with(engine: Engine, config: IdentityConfig) -> Self {
        let world = Self::without_operator(engine, config).await;
        world.identity.setup_unattended(OPERATOR, &secret(PASSWORD)).await.unwrap();
        world
    }

    async fn without_operator(engine: Engine, config: IdentityConfig) -> Self {
        let db = testkit::db(engine).await;
        let (tenancy, identity) = modules(db.clone(), config);
        tenancy.ensure_system_tenant().await.unwrap();
        Self { db, tenancy, identity }
    }

    /// The same as another process over the same database would see it.
    async fn another_process(&self, config: IdentityConfig) -> Identity {
        modules(self.db.again().await, config).1
    }

    async fn tenant(&self, id: TenantId) -> TenantRef {
        self.tenancy.resolve_name(&id.to_string()).await.unwrap().unwrap()
    }

    async fn system(&self) -> TenantRef {
        self.tenant(SYSTEM_TENANT).await
    }

    /// A further tenant, with its first owner.
    async fn new_tenant(&self, slug: &str) -> (TenantId, Account) {
        let operator = Caller::system("test", SYSTEM_TENANT);
        let owner_email = Some(format!("owner@{slug}.test"));
        let new = tenancy::NewTenant { slug: slug.to_owned(), name: slug.to_owned(), owner_email };
        let created = self.tenancy.create_tenant(&operator, new).await.unwrap();
        let invitation = created.invitation.unwrap();
        let accepted = self.accept(created.tenant.id, &invitation.token, &format!("owner@{slug}.test")).await;
        (created.tenant.id, accepted.unwrap())
    }

    /// A further member of the system tenant, with a built-in role.
    async fn member(&self, email: &str, role: &str) -> Account {
        let token = self.invite(SYSTEM_TENANT, email, role).await;
        self.accept(SYSTEM_TENANT, &token, email).await.unwrap()
    }

    async fn role(&self, tenant: TenantId, name: &str) -> RoleId {
        let caller = Caller::system("test", tenant);
        let roles = self.tenancy.list_roles(&caller, &kernel::ListParams::default()).await.unwrap().1;
        roles.items.into_iter().find(|role| role.name == name).unwrap().id
    }

    async fn invite(&self, tenant: TenantId, email: &str, role: &str) -> String {
        let role_id = self.role(tenant, role).await;
        let new = tenancy::NewInvitation { email: email.to_owned(), role_id };
        self.tenancy.create_invitation(&Caller::system("test", tenant), new).await.unwrap().token
    }

    async fn accept(&self, tenant: TenantId, token: &str, email: &str) -> Result<Account, Error> {
        let new = AcceptInvitation {
            token: secret(token),
            email: email.to_owned(),
            password: secret(PASSWORD),
            display_name: None,
        };
        self.identity.accept_invitation(&anonymous(tenant), new).await
    }

    async fn sign_in(&self, email: &str) -> SignIn {
        self.sign_in_at(SYSTEM_TENANT, email, PASSWORD).await.unwrap()
    }

    async fn sign_in_at(&self, tenant: TenantId, email: &str, password: &str) -> Result<SignIn, Error> {
        let signed_in = self.identity.sign_in(&anonymous(tenant), credentials(email, password)).await;
        signed_in.map(|signed_in| signed_in.sign_in)
    }

    /// Who this bearer token names to the system tenant.
    async fn who(&self, token: &str) -> Result<Caller, Problem> {
        self.who_at(SYSTEM_TENANT, token).await
    }

    async fn who_at(&self, tenant: TenantId, token: &str) -> Result<Caller, Problem> {
        let tenant = self.tenant(tenant).await;
        self.identity.authenticate(&tenant, Credential::Bearer(token), request()).await
    }

    /// Signs in and comes by the access token.
    async fn come(&self, email: &str) -> Caller {
        let signed_in = self.sign_in(email).await;
        self.who(&signed_in.access_token.unwrap()).await.unwrap()
    }

    /// The actions in the tenant's audit trail with their outcomes, the oldest first.
    async fn trail(&self, tenant: TenantId) -> Vec<(String, &'static str)> {
        let params = kernel::ListParams { limit: Some(200), ..kernel::ListParams::default() };
        let entries = audit::Audit::new(self.db.clone());
        let page = entries.list(&Caller::system("test", tenant), &params).await.unwrap().1;
        page.items.into_iter().rev().map(|entry| (entry.action, entry.outcome.name())).collect()
    }

    /// The kinds of the tenant's events, the oldest first.
    async fn events(&self, tenant: TenantId) -> Vec<String> {
        let params = kernel::ListParams { limit: Some(200), ..kernel::ListParams::default() };
        let events = events::Events::new(self.db.clone());
        let page = events.list(&Caller::system("test", tenant), &params).await.unwrap().1;
        page.items.into_iter().rev().map(|event| event.kind).collect()
    }

    /// How many rows a table holds for the tenant.
    async fn count(&self, table: &str, tenant: TenantId) -> i64 {
        let sql = format!("SELECT count(*) AS number FROM {table} WHERE tenant_id = $1");
        let count = async |tx: &Tx| {
            let row: Option<Number> = tx.one(&sql, [tenant.into()]).await?;
            Ok::<_, Problem>(row.unwrap().number)
        };
        self.db.read(&Caller::system("test", tenant), count).await.unwrap()
    }

    /// Runs a statement behind everybody's back, as another process would.
    async fn behind_the_back(&self, sql: &str, id: AccountId) -> u64 {
        let run = async |tx: &Tx| Ok::<_, Problem>(tx.execute(sql, [id.into()]).await?);
        self.db.write(&Caller::platform("test"), run).await.unwrap()
    }
}

#[derive(sea_orm::FromQueryResult)]
struct Number {
    number: i64,
}

fn modules(db: kernel::Db, config: IdentityConfig) -> (Tenancy, Identity) {
    let tenancy_config = TenancyConfig {
        base_domain: "localhost".to_owned(),
        public_port: Some(8443),
        deletion_grace_days: 30,
        invitation_lifetime_hours: 72,
        directory_ttl_ms: 1000,
        directory_capacity: 100,
        domains: tenancy::DomainsConfig { per_tenant: 5, ..tenancy::DomainsConfig::default() },
    };
    let catalogue =
        vec![("tenancy", tenancy::PERMISSIONS), ("identity", crate::PERMISSIONS), ("jobs", jobs::PERMISSIONS)];
    let tenancy = Tenancy::new(db.clone(), tenancy_config, catalogue);
    let identity = Identity::new(db, tenancy.clone(), config).unwrap();
    (tenancy, identity)
}

/// A request of its own id that has a minute.
fn request() -> RequestContext {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    RequestContext::new(format!("request {number}"), Duration::from_secs(60))
}

fn anonymous(tenant: TenantId) -> Caller {
    Caller::anonymous(tenant, request())
}

/// The same caller with another request.
fn afresh(caller: &Caller) -> Caller {
    Caller::new(caller.actor.clone(), caller.tenant, caller.permissions.clone(), request())
}

fn with_key(caller: &Caller, key: &str) -> Caller {
    let mut caller = afresh(caller);
    caller.request.idempotency_key = Some(key.into());
    caller
}

fn credentials(email: &str, password: &str) -> NewSession {
    NewSession { email: email.to_owned(), password: secret(password), transport: None }
}

fn cookie_credentials(email: &str) -> NewSession {
    NewSession { transport: Some(Transport::Cookie), ..credentials(email, PASSWORD) }
}

fn session_of(caller: &Caller) -> kernel::SessionId {
    match caller.actor {
        Actor::Account { session, .. } => session,
        _ => panic!("not by a session"),
    }
}

/// Status and code of what went wrong.
fn code<T>(result: Result<T, impl Into<Problem>>) -> (u16, String) {
    match result {
        Ok(_) => panic!("it should not have worked"),
        Err(error) => {
            let problem = error.into();
            (problem.kind.status(), problem.code.into_owned())
        }
    }
}

fn is(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// Runs `work` in 64 tasks at once and gives their results.
async fn at_once<T, W>(work: impl Fn(usize) -> W) -> Vec<T>
where
    T: Send + 'static,
    W: Future<Output = T> + Send + 'static,
{
    let gate = Arc::new(tokio::sync::Barrier::new(64));
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..64 {
        let (gate, work) = (Arc::clone(&gate), work(number));
        tasks.spawn(async move {
            gate.wait().await;
            work.await
        });
    }
    tasks.join_all().await
}
