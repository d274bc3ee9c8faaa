//! Tenants, callers and entries.

use std::sync::Arc;
use std::time::Duration;

use audit::{Audit, Entry, Verification};
use kernel::{AccountId, Actor, Caller, Db, PermissionSet, Problem, RequestContext, SessionId, TenantId, Tx};
use serde_json::json;

/// The tenant of this number.
pub(crate) fn tenant(number: u128) -> TenantId {
    TenantId::from_uuid(uuid::Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number))
}

/// Somebody in the tenant who may do this.
pub(crate) fn caller(tenant: TenantId, permissions: &[&str]) -> Caller {
    let mut request = RequestContext::new("req-1", Duration::from_secs(60));
    request.address = Some([192, 0, 2, 7].into());
    let account = AccountId::from_uuid(uuid::Uuid::from_u128(5));
    let session = SessionId::from_uuid(uuid::Uuid::from_u128(6));
    let actor = Actor::Account { id: account, session, name: Arc::from("ada@example.org") };
    Caller::new(actor, tenant, PermissionSet::of(permissions), request)
}

/// Somebody who may read and export the trail.
pub(crate) fn auditor(tenant: TenantId) -> Caller {
    caller(tenant, &["audit.read", "audit.export"])
}

/// Writes this many entries, a transaction each, and numbers them.
pub(crate) async fn write(db: &Db, tenant: TenantId, count: usize) {
    for number in 0..count {
        let entry = Entry::success("test.done").target("thing", number).details(json!({ "number": number }));
        audit::record(db, &caller(tenant, &[]), entry).await.unwrap();
    }
    Audit::new(db.clone()).number().await.unwrap();
}

/// What verifying the tenant's trail finds.
pub(crate) async fn verify(db: &Db, tenant: TenantId) -> Verification {
    Audit::new(db.clone()).verify(&auditor(tenant)).await.unwrap()
}

/// What somebody can do who can write to the database but does not have the root key.
pub(crate) async fn sql(db: &Db, statement: &str) -> u64 {
    let caller = Caller::platform("test");
    let changed = db.write(&caller, async |tx: &Tx| Ok::<_, Problem>(tx.execute(statement, []).await?)).await;
    changed.unwrap()
}
