//! The module on its floor, on both engines, with real tenants, audit, events and jobs beneath it.

mod canary;
mod grants;
mod lifecycle;
mod records;
mod streams;
mod tampering;
mod uploads;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use kernel::{
    AccountId, Actor, Caller, Level, ListParams, Permission, PermissionSpec, Problem, RequestContext, TenantId, Tx,
};
use serde_json::Value;
use tempfile::TempDir;
use tenancy::{NewTenant, Role, Tenancy, TenancyConfig};
use testkit::{Engine, TestDb};

use crate::{
    Access, Collection, Document, DocumentId, Error, Grant, Incoming, NewCollection, NewGrant, PERMISSIONS,
    SubjectKind, Vault, VaultConfig,
};

const OTHER: &[PermissionSpec] =
    &[PermissionSpec { permission: Permission("tenancy.tenants.write"), level: Level::Admin, description: "." }];

/// A vault over a database with one tenant in it.
struct House {
    db: TestDb,
    tenancy: Tenancy,
    vault: Vault,
    folder: TempDir,
    tenant: TenantId,
}

fn tenancy_config() -> TenancyConfig {
    TenancyConfig {
        base_domain: "localhost".to_owned(),
        public_port: None,
        deletion_grace_days: 30,
        invitation_lifetime_hours: 48,
        directory_ttl_ms: 60_000,
        directory_capacity: 1000,
        domains: tenancy::DomainsConfig::default(),
    }
}

async fn house(engine: Engine) -> House {
    let db = testkit::db(engine).await;
    let tenancy = Tenancy::new(db.clone(), tenancy_config(), vec![("vault", PERMISSIONS), ("tenancy", OTHER)]);
    tenancy.ensure_system_tenant().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let config = VaultConfig { max_document_bytes: 1 << 20, max_uploads: 4, deletion_grace_days: 30 };
    let blobs = folder.path().join("blobs");
    let vault = Vault::new(db.clone(), tenancy.clone(), config, &blobs).unwrap();
    let tenant = new_tenant(&tenancy, "acme").await;
    House { db, tenancy, vault, folder, tenant }
}

async fn new_tenant(tenancy: &Tenancy, slug: &str) -> TenantId {
    let caller = Caller::system("test", kernel::SYSTEM_TENANT);
    let new = NewTenant { slug: slug.to_owned(), name: slug.to_owned(), owner_email: None };
    tenancy.create_tenant(&caller, new).await.unwrap().tenant.id
}

fn request() -> RequestContext {
    RequestContext::new("test", Duration::from_secs(60))
}

fn all() -> ListParams {
    ListParams { limit: Some(200), ..ListParams::default() }
}

fn code(error: impl Into<Problem>) -> String {
    error.into().code.into_owned()
}

fn status(error: impl Into<Problem>) -> u16 {
    error.into().kind.status()
}

/// A body in pieces of this size.
fn incoming(name: &str, bytes: &[u8], piece: usize) -> Incoming {
    let pieces: Vec<io::Result<Bytes>> =
        bytes.chunks(piece.max(1)).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    Incoming {
        name: Some(name.to_owned()),
        content_type: None,
        content_disposition: None,
        content_digest: None,
        body: Box::pin(stream::iter(pieces)),
    }
}

/// Bytes that repeat nothing at the size of a segment.
fn plain(size: usize) -> Vec<u8> {
    (0..size).map(|place| u8::try_from((place * 31 + place / 251) % 256).unwrap()).collect()
}

impl House {
    async fn role(&self, tenant: TenantId, name: &str) -> Role {
        let caller = Caller::system("test", tenant);
        let (_, page) = self.tenancy.list_roles(&caller, &all()).await.unwrap();
        page.items.into_iter().find(|role| role.name == name).unwrap()
    }

    /// A new member of the tenant with this built-in role, as a caller.
    async fn member(&self, role: &str) -> Caller {
        self.member_of(self.tenant, role).await
    }

    async fn member_of(&self, tenant: TenantId, role: &str) -> Caller {
        let role = self.role(tenant, role).await.id;
        let account: AccountId = self.db.random().id(self.db.clock().now());
        let caller = Caller::system("test", tenant);
        let email = format!("{account}@example.com");
        let joined = async |tx: &Tx| self.tenancy.add_member(tx, &caller, account, &email, "Ada", role).await;
        self.db.write(&caller, joined).await.unwrap();
        let grants = self.db.read(&caller, async |tx: &Tx| self.tenancy.grants_of(tx, account).await).await.unwrap();
        let session = self.db.random().id(self.db.clock().now());
        let actor = Actor::Account { id: account, session, name: Arc::from("ada") };
        Caller::new(actor, tenant, grants.permissions, request())
    }

    async fn collection(&self, caller: &Caller, searchable: bool, schema: Option<Value>) -> Collection {
        let new = NewCollection {
            name: "Papers".to_owned(),
            description: Some("What we keep.".to_owned()),
            searchable,
            schema,
            model: None,
        };
        self.vault.create_collection(caller, new).await.unwrap()
    }

    async fn upload(&self, caller: &Caller, collection: &Collection, name: &str, bytes: &[u8]) -> Document {
        let incoming = incoming(name, bytes, 10_000);
        self.vault.upload_document(caller, Some(collection.id), incoming).await.unwrap()
    }

    /// All bytes of a document's newest version.
    async fn read(&self, caller: &Caller, id: DocumentId) -> Result<Vec<u8>, Error> {
        let content = self.vault.content(caller, id, None).await?;
        let size = content.size();
        let mut reading = content.read(0..size, "download").await?;
        let mut bytes = Vec::new();
        while let Some(more) = reading.next().await? {
            bytes.extend_from_slice(&more);
        }
        Ok(bytes)
    }

    async fn grant(&self, owner: &Caller, document: &Document, to: &Caller, access: Access) -> Grant {
        let new = NewGrant {
            collection_id: None,
            document_id: Some(document.id),
            subject: SubjectKind::Account,
            subject_id: to.account().ok().map(|id| id.to_string()),
            access,
            valid_from: None,
            valid_until: None,
        };
        self.vault.create_grant(owner, new).await.unwrap()
    }

    /// The kinds of the tenant's events, in the order of their making.
    async fn events(&self) -> Vec<(String, Value)> {
        let caller = Caller::system("test", self.tenant);
        let (_, page) = events::Events::new(self.db.clone()).list(&caller, &all()).await.unwrap();
        let mut found: Vec<_> = page.items.into_iter().map(|event| (event.id, event.kind, event.data)).collect();
        found.sort_by_key(|(id, ..)| *id);
        found.into_iter().map(|(_, kind, data)| (kind, data)).collect()
    }

    /// What the tenant's trail says about this action: target and details.
    async fn audited(&self, action: &str) -> Vec<audit::AuditEntry> {
        let audit = audit::Audit::new(self.db.clone());
        let (_, page) = audit.list(&Caller::system("test", self.tenant), &all()).await.unwrap();
        page.items.into_iter().filter(|entry| entry.action == action).collect()
    }

    /// Every file of the vault's folder.
    fn blobs(&self) -> Vec<std::path::PathBuf> {
        files(self.folder.path())
    }
}

fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}
