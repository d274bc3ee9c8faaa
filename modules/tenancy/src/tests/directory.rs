//! From a host or a name to its tenant, from memory but never from an old one.

use std::sync::{Arc, Mutex};

use kernel::{Expected, Patch, SYSTEM_TENANT};
use testkit::{Engine, on_both_engines};

use super::{config, house, new_role, open};
use crate::{NewRole, PERMISSIONS, SuspendTenant, Tenancy, TenancyConfig, TenantState, UpdateRole};

async fn hosts_and_names_lead_to_their_tenant(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let t = &house.tenancy;

    let by_host = t.resolve_host("ACME.localhost:8080").await.unwrap().unwrap();
    assert_eq!((by_host.id, &*by_host.issuer), (acme.id, "https://acme.localhost:8443"));
    assert_eq!(t.resolve_name("acme").await.unwrap(), Some(by_host.clone()));
    assert_eq!(t.resolve_name(&acme.id.to_string()).await.unwrap(), Some(by_host));
    assert_eq!(t.resolve_name("system").await.unwrap().unwrap().id, SYSTEM_TENANT);
    for shared in ["localhost:8080", "127.0.0.1:8080", "[::1]:8080"] {
        assert_eq!(t.resolve_host(shared).await.unwrap(), None);
        assert!(t.is_shared_host(shared));
    }
    for unknown in ["globex.localhost", "a.acme.localhost", "acme.example.com", "system.localhost"] {
        assert_eq!(t.resolve_host(unknown).await.unwrap_err().kind.status(), 404, "{unknown}");
    }
    for unknown in ["globex", "", "ten_00", "a b", "../etc/passwd", "acme\0"] {
        assert_eq!(t.resolve_name(unknown).await.unwrap(), None, "{unknown:?}");
    }
}

async fn a_change_shows_with_the_next_request(engine: Engine) {
    let house = house(engine).await;
    let operator = house.operator().await;
    let t = &house.tenancy;
    assert_eq!(t.resolve_name("acme").await.unwrap(), None, "asked for in vain, and remembered so");

    let acme = house.tenant("acme").await;
    assert!(t.resolve_name("acme").await.unwrap().unwrap().require_active().is_ok());
    assert!(t.resolve_name(&acme.id.to_string()).await.unwrap().is_some());
    t.suspend_tenant(&operator, acme.id, Expected::Any, SuspendTenant::default()).await.unwrap();
    for name in ["acme", &acme.id.to_string()] {
        let found = t.resolve_name(name).await.unwrap().unwrap();
        assert_eq!(found.state, TenantState::Suspended);
        assert_eq!(found.require_active().unwrap_err().code, "tenancy.suspended");
    }
    t.delete_tenant(&operator, acme.id, Expected::Any).await.unwrap();
    let found = t.resolve_host("acme.localhost").await.unwrap().unwrap();
    assert_eq!(found.require_active().unwrap_err().code, "tenancy.deleting");
}

/// The process next door is not told; what it remembers ages.
async fn another_process_sees_a_change_after_its_time(engine: Engine) {
    let house = house(engine).await;
    let operator = house.operator().await;
    let acme = house.tenant("acme").await;
    let other = house.db.again().await;
    let remembers = open(&other);
    let forgets =
        Tenancy::new(other, TenancyConfig { directory_ttl_ms: 0, ..config() }, vec![("tenancy", PERMISSIONS)]);
    let state = async |tenancy: &Tenancy| tenancy.resolve_name("acme").await.unwrap().unwrap().state;
    assert_eq!((state(&remembers).await, state(&forgets).await), (TenantState::Active, TenantState::Active));

    let suspend = SuspendTenant::default();
    house.tenancy.suspend_tenant(&operator, acme.id, Expected::Any, suspend).await.unwrap();

    assert_eq!((state(&remembers).await, state(&forgets).await), (TenantState::Active, TenantState::Suspended));
}

async fn those_who_asked_are_told_of_changes_after_the_commit_and_of_nothing_else(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let owner = house.member(acme.id, "owner").await;
    let role = house.tenancy.create_role(&owner, new_role("Clerk", &["vault.read"])).await.unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&told);
    house.tenancy.on_change(Arc::new(move |tenant| log.lock().unwrap().extend(tenant)));
    let update = UpdateRole { permissions: Patch::Set(Vec::new()), ..UpdateRole::default() };

    let taken = NewRole { ..new_role("clerk", &[]) };
    house.tenancy.create_role(&owner, taken).await.unwrap_err();
    house.tenancy.update_role(&owner, role.id, Expected::Version(9), update.clone()).await.unwrap_err();
    assert!(told.lock().unwrap().is_empty());
    house.tenancy.update_role(&owner, role.id, Expected::Version(1), update).await.unwrap();
    assert_eq!(*told.lock().unwrap(), [acme.id]);
    let member = house.join(acme.id, role.id).await;
    house.tenancy.remove_member(&owner, member.id, Expected::Unnamed).await.unwrap();
    assert_eq!(told.lock().unwrap().len(), 3);
}

on_both_engines!(
    hosts_and_names_lead_to_their_tenant,
    a_change_shows_with_the_next_request,
    another_process_sees_a_change_after_its_time,
    those_who_asked_are_told_of_changes_after_the_commit_and_of_nothing_else,
);
