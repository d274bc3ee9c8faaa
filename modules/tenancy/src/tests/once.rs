//! One effect for each idempotency key, and none without its traces.

use kernel::{Caller, ListParams};
use testkit::{Engine, on_both_engines};
use tokio::task::JoinSet;

use super::{House, all, house, new_role, new_tenant, status, with_key};
use crate::NewTenant;

async fn custom_roles(house: &House, caller: &Caller) -> usize {
    let params = ListParams { filter: Some("built_in eq false".to_owned()), ..all() };
    house.tenancy.list_roles(caller, &params).await.unwrap().1.items.len()
}

async fn a_repeated_write_returns_the_first_result(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let owner = house.member(acme.id, "owner").await;
    let (first, second) = (with_key(&owner, "k1"), with_key(&owner, "k1"));

    let made = house.tenancy.create_role(&first, new_role("Clerk", &["vault.read"])).await.unwrap();
    let again = house.tenancy.create_role(&second, new_role("Clerk", &["vault.read"])).await.unwrap();

    assert_eq!(again, made);
    assert!(!first.request.replayed() && second.request.replayed());
    let other = house.tenancy.create_role(&with_key(&owner, "k1"), new_role("Clerk", &[])).await;
    assert_eq!(status(other.unwrap_err()), 422);
    assert_eq!(custom_roles(&house, &owner).await, 1);
    assert_eq!(house.events(acme.id).await.iter().filter(|it| *it == "tenancy.role_created").count(), 1);
    assert_eq!(house.audited(acme.id).await.iter().filter(|it| *it == "tenancy.role_created").count(), 1);
}

async fn of_64_twins_one_makes_the_role_and_all_get_it(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let owner = house.member(acme.id, "owner").await;
    let mut race = JoinSet::new();
    for _ in 0..64 {
        let (tenancy, caller) = (house.tenancy.clone(), with_key(&owner, "k1"));
        race.spawn(async move { tenancy.create_role(&caller, new_role("Clerk", &["vault.read"])).await });
    }

    let outcomes = race.join_all().await;

    let ids: Vec<_> = outcomes.into_iter().map(|outcome| outcome.unwrap().id).collect();
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert_eq!(custom_roles(&house, &owner).await, 1);
}

async fn of_64_with_one_name_and_no_key_one_succeeds(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let owner = house.member(acme.id, "owner").await;
    let mut race = JoinSet::new();
    for _ in 0..64 {
        let (tenancy, caller) = (house.tenancy.clone(), owner.clone());
        race.spawn(async move { tenancy.create_role(&caller, new_role("Clerk", &[])).await });
    }

    let outcomes = race.join_all().await;

    assert_eq!(outcomes.iter().filter(|it| it.is_ok()).count(), 1);
    assert_eq!(house.events(acme.id).await.iter().filter(|it| *it == "tenancy.role_created").count(), 1);
}

async fn a_repeated_creation_shows_the_same_token(engine: Engine) {
    let house = house(engine).await;
    let operator = with_key(&house.operator().await, "k1");
    let new = NewTenant { owner_email: Some("ada@example.com".to_owned()), ..new_tenant("acme") };

    let made = house.tenancy.create_tenant(&operator, new.clone()).await.unwrap();
    let again = house.tenancy.create_tenant(&operator, new).await.unwrap();

    assert_eq!(again, made);
    assert_eq!(house.tenancy.list_tenants(&operator, &all()).await.unwrap().1.items.len(), 2);
}

on_both_engines!(
    a_repeated_write_returns_the_first_result,
    of_64_twins_one_makes_the_role_and_all_get_it,
    of_64_with_one_name_and_no_key_one_succeeds,
    a_repeated_creation_shows_the_same_token,
);
