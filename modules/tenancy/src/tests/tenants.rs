//! Making, seeing and renaming tenants, and the steps of their life.

use chrono::TimeDelta;
use kernel::{Caller, Expected, Patch, SYSTEM_TENANT};
use testkit::{Engine, on_both_engines};

use super::{all, code, house, new_tenant, status};
use crate::{Error, NewTenant, Slug, SuspendTenant, TenantState, UpdateTenant};

#[test]
fn slugs_are_dns_labels_and_no_words_of_ours() {
    for good in ["acme", "a-1", "123", &"a".repeat(40)] {
        assert!(Slug::parse(good).is_ok(), "{good}");
    }
    for bad in ["", "ab", "-acme", "acme-", "Acme", "ac me", "ac_me", "xn--acme", "äcme", &"a".repeat(41)] {
        assert!(matches!(Slug::parse(bad), Err(Error::SlugInvalid)), "{bad}");
    }
    for reserved in ["system", "www", "api", "admin", "localhost", "console"] {
        assert!(matches!(Slug::parse(reserved), Err(Error::SlugReserved(_))), "{reserved}");
    }
}

async fn a_new_tenant_has_its_address_its_roles_and_an_invited_owner(engine: Engine) {
    let house = house(engine).await;
    let operator = house.operator().await;
    let new = NewTenant { owner_email: Some("Ada@Example.com".to_owned()), ..new_tenant("acme") };

    let made = house.tenancy.create_tenant(&operator, new).await.unwrap();

    assert_eq!(made.tenant.url, "https://acme.localhost:8443");
    assert_eq!(made.tenant.issuer, made.tenant.url);
    let invitation = made.invitation.unwrap();
    assert_eq!(invitation.invitation.email, "ada@example.com");
    assert_eq!(invitation.invitation.role.name, "owner");
    assert_eq!(invitation.url, format!("{}/console/invitation#token={}", made.tenant.url, invitation.token));
    let inside = Caller::system("test", made.tenant.id);
    let (_, roles) = house.tenancy.list_roles(&inside, &all()).await.unwrap();
    let names: Vec<_> = roles.items.iter().map(|role| role.name.as_str()).collect();
    assert_eq!(names, ["owner", "admin", "editor", "viewer"]);
    assert!(house.events(SYSTEM_TENANT).await.contains(&"tenancy.tenant_created".to_owned()));
    assert!(house.audited(SYSTEM_TENANT).await.contains(&"tenancy.tenant_created".to_owned()));
}

async fn a_taken_slug_conflicts_and_leaves_nothing_behind(engine: Engine) {
    let house = house(engine).await;
    let operator = house.operator().await;
    house.tenant("acme").await;
    let before = house.events(SYSTEM_TENANT).await;

    let error = house.tenancy.create_tenant(&operator, new_tenant("acme")).await.unwrap_err();

    assert!(matches!(error, Error::SlugTaken(_)));
    assert_eq!(house.events(SYSTEM_TENANT).await, before);
}

async fn members_see_their_own_tenant_only_and_can_make_none(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let other = house.tenant("globex").await;
    let owner = house.member(acme.id, "owner").await;

    let (_, page) = house.tenancy.list_tenants(&owner, &all()).await.unwrap();
    assert_eq!(page.items.iter().map(|it| it.id).collect::<Vec<_>>(), [acme.id]);
    assert_eq!(status(house.tenancy.get_tenant(&owner, other.id).await.unwrap_err()), 404);
    assert_eq!(status(house.tenancy.create_tenant(&owner, new_tenant("third")).await.unwrap_err()), 403);
    let suspended = house.tenancy.suspend_tenant(&owner, acme.id, Expected::Any, SuspendTenant::default()).await;
    assert_eq!(status(suspended.unwrap_err()), 403);
    let (_, page) = house.tenancy.list_tenants(&house.operator().await, &all()).await.unwrap();
    assert_eq!(page.items.len(), 3, "operators see all, their own included");
}

async fn an_operator_who_only_looks_may_not_rename(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let viewer = house.member(SYSTEM_TENANT, "viewer").await;
    let update = UpdateTenant { name: Patch::Set("Acme & Co".to_owned()) };

    assert!(house.tenancy.get_tenant(&viewer, acme.id).await.is_ok());
    let error = house.tenancy.update_tenant(&viewer, acme.id, Expected::Any, update).await.unwrap_err();
    assert_eq!(status(error), 403);
}

async fn a_rename_needs_the_current_version(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let owner = house.member(acme.id, "owner").await;
    let rename = |name: &str| UpdateTenant { name: Patch::Set(name.to_owned()) };
    let update = async |expected, name| house.tenancy.update_tenant(&owner, acme.id, expected, rename(name)).await;

    assert_eq!(status(update(Expected::Unnamed, "A").await.unwrap_err()), 428);
    let renamed = update(Expected::Version(acme.version), " Acme & Co ").await.unwrap();
    assert_eq!((renamed.name.as_str(), renamed.version), ("Acme & Co", 2));
    assert_eq!(status(update(Expected::Version(acme.version), "B").await.unwrap_err()), 412);
    assert_eq!(code(update(Expected::Any, "\u{7}").await.unwrap_err()), "tenancy.name_invalid");
    let null = UpdateTenant { name: Patch::Remove };
    assert_eq!(status(house.tenancy.update_tenant(&owner, acme.id, Expected::Any, null).await.unwrap_err()), 400);
    assert_eq!(house.tenancy.get_tenant(&owner, acme.id).await.unwrap(), renamed);
}

async fn only_the_steps_that_fit_a_state_are_taken(engine: Engine) {
    let house = house(engine).await;
    let operator = house.operator().await;
    let id = house.tenant("acme").await.id;
    let tenancy = &house.tenancy;
    let any = Expected::Any;
    let suspend = async || {
        let why = SuspendTenant { reason: Some("unpaid".to_owned()) };
        tenancy.suspend_tenant(&operator, id, any, why).await
    };
    let wrong = |error: Error| assert_eq!(code(error), "tenancy.wrong_state");

    wrong(tenancy.resume_tenant(&operator, id, any).await.unwrap_err());
    wrong(tenancy.restore_tenant(&operator, id, any).await.unwrap_err());
    let suspended = suspend().await.unwrap();
    assert_eq!((suspended.state, suspended.suspended_reason.as_deref()), (TenantState::Suspended, Some("unpaid")));
    wrong(suspend().await.unwrap_err());
    let deleting = tenancy.delete_tenant(&operator, id, any).await.unwrap();
    assert_eq!(deleting.state, TenantState::Deleting);
    let grace = deleting.purge_at.unwrap() - deleting.updated_at;
    assert!(grace <= TimeDelta::days(30) && grace > TimeDelta::days(29), "{grace}");
    wrong(suspend().await.unwrap_err());
    wrong(tenancy.resume_tenant(&operator, id, any).await.unwrap_err());
    wrong(tenancy.delete_tenant(&operator, id, any).await.unwrap_err());
    let restored = tenancy.restore_tenant(&operator, id, any).await.unwrap();
    assert_eq!((restored.state, restored.purge_at), (TenantState::Suspended, None), "it is what it was");
    let resumed = tenancy.resume_tenant(&operator, id, any).await.unwrap();
    assert_eq!((resumed.state, resumed.suspended_reason), (TenantState::Active, None));
}

async fn the_system_tenant_stays(engine: Engine) {
    let house = house(engine).await;
    let operator = house.operator().await;
    let any = Expected::Any;

    let suspended = house.tenancy.suspend_tenant(&operator, SYSTEM_TENANT, any, SuspendTenant::default()).await;
    assert!(matches!(suspended.unwrap_err(), Error::SystemTenant));
    let deleted = house.tenancy.delete_tenant(&operator, SYSTEM_TENANT, any).await;
    assert!(matches!(deleted.unwrap_err(), Error::SystemTenant));
    house.tenancy.ensure_system_tenant().await.unwrap();
    let system = house.tenancy.get_tenant(&operator, SYSTEM_TENANT).await.unwrap();
    assert_eq!(system.url, "https://localhost:8443");
}

on_both_engines!(
    a_new_tenant_has_its_address_its_roles_and_an_invited_owner,
    a_taken_slug_conflicts_and_leaves_nothing_behind,
    members_see_their_own_tenant_only_and_can_make_none,
    an_operator_who_only_looks_may_not_rename,
    a_rename_needs_the_current_version,
    only_the_steps_that_fit_a_state_are_taken,
    the_system_tenant_stays,
);
