use kernel::{Caller, Expected, ListParams, Patch, SYSTEM_TENANT};
use testkit::{Engine, on_both_engines};

use super::*;
use crate::{ChangePassword, UpdateAccount, UpdateMe};

const NEW_PASSWORD: &str = "seven quiet bridges at dawn";

fn disabled(disabled: bool) -> UpdateAccount {
    UpdateAccount { disabled: Patch::Set(disabled), ..UpdateAccount::default() }
}

fn change(current: &str, new: &str) -> ChangePassword {
    ChangePassword { current_password: secret(current), new_password: secret(new) }
}

async fn a_new_password_ends_the_other_sessions(engine: Engine) {
    let world = World::new(engine).await;
    let other = world.sign_in(OPERATOR).await.access_token.unwrap();
    let own = world.sign_in(OPERATOR).await.access_token.unwrap();
    let caller = world.who(&own).await.unwrap();
    world.who(&other).await.unwrap();

    world.identity.change_password(&caller, change(PASSWORD, NEW_PASSWORD)).await.unwrap();

    assert!(world.who(&own).await.is_ok());
    assert_eq!(code(world.who(&other).await), is(401, "identity.token_invalid"));
    assert_eq!(code(world.sign_in_at(SYSTEM_TENANT, OPERATOR, PASSWORD).await).0, 401);
    assert!(world.sign_in_at(SYSTEM_TENANT, OPERATOR, NEW_PASSWORD).await.is_ok());
}

async fn a_new_password_needs_the_current_one_and_a_good_one(engine: Engine) {
    let world = World::new(engine).await;
    let caller = world.come(OPERATOR).await;
    let attempt =
        async |current: &str, new: &str| code(world.identity.change_password(&caller, change(current, new)).await);

    assert_eq!(attempt(PASSWORD, "short").await, is(400, "identity.password_too_short"));
    assert_eq!(attempt(PASSWORD, "Operator@Example.test").await, is(400, "identity.password_blocked"));
    for _ in 0..5 {
        assert_eq!(attempt("wrong", NEW_PASSWORD).await, is(400, "identity.password_wrong"));
    }
    assert_eq!(attempt(PASSWORD, NEW_PASSWORD).await, is(429, "identity.too_many_attempts"));
}

async fn people_rename_themselves_and_their_membership_follows(engine: Engine) {
    let world = World::new(engine).await;
    let caller = world.come(OPERATOR).await;
    let rename = |name: &str| UpdateMe { display_name: Patch::Set(name.to_owned()) };

    let renamed = world.identity.update_me(&caller, Expected::Version(1), rename(" Ada ")).await.unwrap();
    let stale = world.identity.update_me(&caller, Expected::Version(1), rename("Grace")).await;
    let removed = world.identity.update_me(&caller, Expected::Unnamed, UpdateMe { display_name: Patch::Remove }).await;
    let empty = world.identity.update_me(&caller, Expected::Unnamed, rename("\n")).await;

    assert_eq!((renamed.display_name.as_str(), renamed.version), ("Ada", 2));
    assert_eq!(code(stale), is(412, "kernel.stale"));
    assert_eq!(code(removed), is(400, "kernel.required"));
    assert_eq!(code(empty), is(400, "identity.name_invalid"));
    let members = world.tenancy.list_members(&caller, &ListParams::default()).await.unwrap().1;
    assert_eq!(members.items[0].display_name, "Ada");
    assert_eq!(world.identity.me(&caller).await.unwrap().account.unwrap().display_name, "Ada");
}

async fn nobody_disables_himself_the_last_owner_or_who_may_more(engine: Engine) {
    let world = World::new(engine).await;
    let operator = world.come(OPERATOR).await;
    let me = operator.account().unwrap();
    world.member("admin@example.test", "admin").await;
    let admin = world.come("admin@example.test").await;
    let second = world.member("second@example.test", "owner").await;
    let second_owner = world.come("second@example.test").await;
    let system = Caller::system("test", SYSTEM_TENANT);
    let update = |caller: &Caller, id, change| {
        let caller = afresh(caller);
        let identity = world.identity.clone();
        async move { identity.update_account(&caller, id, Expected::Unnamed, change).await }
    };

    assert_eq!(code(update(&operator, me, disabled(true)).await), is(409, "identity.self_disable"));
    assert_eq!(code(update(&admin, me, disabled(true)).await), is(403, "identity.outranked"));
    assert!(update(&second_owner, me, disabled(true)).await.is_ok());
    assert_eq!(code(update(&system, second.id, disabled(true)).await), is(409, "identity.last_owner"));
    assert!(update(&second_owner, me, disabled(false)).await.is_ok());
    assert!(update(&system, second.id, disabled(true)).await.is_ok());
}

async fn two_owners_who_disable_each_other_at_once_leave_one(engine: Engine) {
    let world = World::new(engine).await;
    for round in 0..5 {
        let emails = [format!("a{round}@example.test"), format!("b{round}@example.test")];
        let (tenant, _) = world.new_tenant(&format!("round{round}")).await;
        let owner = world.sign_in_at(tenant, &format!("owner@round{round}.test"), PASSWORD).await.unwrap().account;
        let mut ids = Vec::new();
        for email in &emails {
            let token = world.invite(tenant, email, "owner").await;
            ids.push(world.accept(tenant, &token, email).await.unwrap().id);
        }
        let system = Caller::system("test", tenant);
        let disable = |id| world.identity.update_account(&system, id, Expected::Unnamed, disabled(true));
        disable(owner.id).await.unwrap();

        let (one, other) = tokio::join!(disable(ids[0]), disable(ids[1]));

        assert_eq!([one.is_ok(), other.is_ok()].iter().filter(|ok| **ok).count(), 1);
    }
}

async fn accounts_are_for_those_who_may_see_them(engine: Engine) {
    let world = World::new(engine).await;
    let operator = world.come(OPERATOR).await;
    let ada = world.member("ada@example.test", "viewer").await;
    let caller = world.come("ada@example.test").await;
    let (acme, owner) = world.new_tenant("acme").await;

    let listed = world.identity.list_accounts(&operator, &ListParams::default()).await.unwrap().1;
    assert_eq!(listed.items.len(), 2);
    let filter = ListParams { filter: Some("email eq \"ada@example.test\"".to_owned()), ..ListParams::default() };
    assert_eq!(world.identity.list_accounts(&operator, &filter).await.unwrap().1.items, std::slice::from_ref(&ada));
    assert_eq!(code(world.identity.list_accounts(&caller, &ListParams::default()).await).0, 403);
    assert_eq!(world.identity.get_account(&caller, ada.id).await.unwrap(), ada);
    assert_eq!(code(world.identity.get_account(&caller, operator.account().unwrap()).await).0, 403);
    assert_eq!(code(world.identity.get_account(&operator, owner.id).await).0, 404, "of another tenant");
    let there = Caller::system("test", acme);
    assert_eq!(code(world.identity.update_account(&there, ada.id, Expected::Any, disabled(true)).await).0, 404);
    assert_eq!(code(world.identity.update_account(&caller, ada.id, Expected::Any, disabled(true)).await).0, 403);
}

async fn sessions_are_listed_with_their_device_and_ended_together(engine: Engine) {
    let world = World::new(engine).await;
    world.member("ada@example.test", "viewer").await;
    let mut nobody = anonymous(SYSTEM_TENANT);
    nobody.request.user_agent = Some("Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/130.0".into());
    nobody.request.address = Some("192.0.2.7".parse().unwrap());
    let laptop = world.identity.sign_in(&nobody, credentials("ada@example.test", PASSWORD)).await.unwrap().sign_in;
    let phone = world.sign_in("ada@example.test").await;
    let caller = world.who(&phone.access_token.unwrap()).await.unwrap();
    let operator = world.come(OPERATOR).await;
    let params = ListParams::default();

    let own = world.identity.list_sessions(&caller, &params).await.unwrap().1.items;
    let all = world.identity.list_sessions(&operator, &params).await.unwrap().1.items;
    let filter = ListParams { filter: Some(format!("account_id eq {}", caller.account().unwrap())), ..params };
    let of_ada = world.identity.list_sessions(&operator, &filter).await.unwrap().1.items;

    assert_eq!((own.len(), all.len(), of_ada.len()), (2, 3, 2));
    assert_eq!(own.iter().filter(|session| session.current).count(), 1);
    let seen = own.iter().find(|session| session.id == laptop.session.id).unwrap();
    assert_eq!((seen.device.as_str(), seen.address.as_deref()), ("Firefox on Linux", Some("192.0.2.7")));
    let operators = session_of(&operator);
    assert_eq!(code(world.identity.get_session(&caller, operators).await).0, 404);
    assert_eq!(code(world.identity.revoke_session(&caller, operators).await).0, 404);
    assert_eq!(world.identity.revoke_other_sessions(&caller).await.unwrap().revoked, 1);
    assert_eq!(code(world.who(&laptop.access_token.unwrap()).await), is(401, "identity.token_invalid"));
    world.identity.revoke_session(&operator, session_of(&caller)).await.unwrap();
    assert_eq!(code(world.identity.revoke_session(&operator, session_of(&caller)).await).0, 404);
}

on_both_engines!(
    a_new_password_ends_the_other_sessions,
    a_new_password_needs_the_current_one_and_a_good_one,
    people_rename_themselves_and_their_membership_follows,
    nobody_disables_himself_the_last_owner_or_who_may_more,
    two_owners_who_disable_each_other_at_once_leave_one,
    accounts_are_for_those_who_may_see_them,
    sessions_are_listed_with_their_device_and_ended_together,
);
