//! Who still stands while an answer to them goes on.

use chrono::TimeDelta;
use kernel::{Expected, Patch, SYSTEM_TENANT, Standing, Vigil};
use testkit::{Engine, on_both_engines};

use super::*;
use crate::{NewApiKey, UpdateAccount};

/// What every wait ends after, in vain.
const PATIENCE: Duration = Duration::from_secs(30);

fn standing(caller: &Caller) -> Arc<dyn Standing> {
    Arc::clone(caller.standing().unwrap())
}

/// The vigil is told without waiting, and then knows why.
async fn lost_at_once(mut vigil: Vigil) -> (u16, String) {
    assert!(vigil.is_due(), "nobody rang");
    code(vigil.look().await.map(drop))
}

async fn an_ended_session_and_a_revoked_key_lose_their_answers_at_once_and_no_others(engine: Engine) {
    let world = World::new(engine).await;
    let (one, other) = (world.come(OPERATOR).await, world.come(OPERATOR).await);
    let new = NewApiKey { name: "bot".to_owned(), scopes: None, expires_at: None };
    let key = world.identity.create_api_key(&one, new).await.unwrap();
    let bot = world.who(&key.secret).await.unwrap();
    let (of_one, mut of_other, of_bot) = (Vigil::over(&one), Vigil::over(&other), Vigil::over(&bot));

    world.identity.sign_out(&one).await.unwrap();
    assert_eq!(lost_at_once(of_one).await, is(401, "identity.token_invalid"));

    world.identity.revoke_api_key(&other, key.api_key.id).await.unwrap();
    assert_eq!(lost_at_once(of_bot).await, is(401, "identity.token_invalid"));
    assert_eq!(of_other.look().await.unwrap().permissions, other.permissions);
}

async fn a_disabled_account_a_narrower_role_and_a_suspended_tenant_count_at_once(engine: Engine) {
    let world = World::new(engine).await;
    let operator = world.come(OPERATOR).await;
    let ada = world.member("ada@example.test", "admin").await;
    let caller = world.come("ada@example.test").await;
    let mut vigil = Vigil::over(&caller);

    let members = world.tenancy.list_members(&operator, &kernel::ListParams::default()).await.unwrap().1;
    let member = members.items.into_iter().find(|member| member.account_id == ada.id).unwrap();
    let viewer = tenancy::UpdateMember { role_id: Patch::Set(world.role(SYSTEM_TENANT, "viewer").await) };
    world.tenancy.update_member(&operator, member.id, Expected::Unnamed, viewer).await.unwrap();
    assert!(vigil.is_due());
    assert!(caller.may(crate::ACCOUNTS_READ) && !vigil.look().await.unwrap().may(crate::ACCOUNTS_READ));

    let disable = UpdateAccount { disabled: Patch::Set(true), ..UpdateAccount::default() };
    world.identity.update_account(&operator, ada.id, Expected::Unnamed, disable).await.unwrap();
    assert_eq!(lost_at_once(vigil).await, is(401, "identity.token_invalid"));

    let (acme, owner) = world.new_tenant("acme").await;
    let token = world.sign_in_at(acme, &owner.email, PASSWORD).await.unwrap().access_token.unwrap();
    let vigil = Vigil::over(&world.who_at(acme, &token).await.unwrap());
    world.tenancy.suspend_tenant(&operator, acme, Expected::Any, tenancy::SuspendTenant::default()).await.unwrap();
    assert_eq!(lost_at_once(vigil).await, is(403, "tenancy.suspended"));
}

async fn a_removed_member_is_lost_at_once(engine: Engine) {
    let world = World::new(engine).await;
    let ada = world.member("ada@example.test", "viewer").await;
    let vigil = Vigil::over(&world.come("ada@example.test").await);

    let system = Caller::system("test", SYSTEM_TENANT);
    let leave = async |tx: &Tx| world.tenancy.remove_account(tx, &system, ada.id).await;
    world.db.write(&system, leave).await.unwrap();

    assert_eq!(lost_at_once(vigil).await, is(401, "identity.token_invalid"));
}

/// A change behind this process's back is found by the look that comes each second.
async fn what_another_process_ends_is_lost_without_a_word(engine: Engine) {
    let world = World::new(engine).await;
    let caller = world.come(OPERATOR).await;
    let (tenancy, elsewhere) = modules(world.db.again().await, IdentityConfig::quick());
    let lost = Vigil::over(&caller).lost();
    let (acme, owner) = world.new_tenant("acme").await;
    let token = world.sign_in_at(acme, &owner.email, PASSWORD).await.unwrap().access_token.unwrap();
    let suspended = Vigil::over(&world.who_at(acme, &token).await.unwrap()).lost();

    elsewhere.sign_out(&caller).await.unwrap();
    let operator = Caller::system("test", SYSTEM_TENANT);
    tenancy.suspend_tenant(&operator, acme, Expected::Any, tenancy::SuspendTenant::default()).await.unwrap();

    let lost = tokio::time::timeout(PATIENCE, lost).await.expect("it is noticed");
    assert_eq!(lost.code, "identity.token_invalid");
    let suspended = tokio::time::timeout(PATIENCE, suspended).await.expect("it is noticed");
    assert_eq!(suspended.code, "tenancy.suspended");
}

async fn what_was_begun_with_a_token_outlives_it_and_not_its_session(engine: Engine) {
    let world = World::new(engine).await;
    let signed_in = world.sign_in(OPERATOR).await;
    let token = signed_in.access_token.unwrap();
    let caller = world.who(&token).await.unwrap();

    world.db.clock().shift(TimeDelta::hours(1));
    assert_eq!(code(world.who(&token).await), is(401, "identity.token_invalid"), "the token itself has run out");
    assert_eq!(standing(&caller).permissions().await.unwrap(), caller.permissions);

    world.db.clock().shift(TimeDelta::days(400));
    assert_eq!(code(standing(&caller).permissions().await), is(401, "identity.token_invalid"));
}

on_both_engines!(
    an_ended_session_and_a_revoked_key_lose_their_answers_at_once_and_no_others,
    a_disabled_account_a_narrower_role_and_a_suspended_tenant_count_at_once,
    a_removed_member_is_lost_at_once,
    what_another_process_ends_is_lost_without_a_word,
    what_was_begun_with_a_token_outlives_it_and_not_its_session,
);
