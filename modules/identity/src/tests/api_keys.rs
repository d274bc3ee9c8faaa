use chrono::TimeDelta;
use kernel::{Expected, ListParams, Patch, SYSTEM_TENANT};
use testkit::{Engine, on_both_engines};

use super::*;
use crate::{CreatedApiKey, NewApiKey, UpdateAccount};

fn unlimited(name: &str) -> NewApiKey {
    NewApiKey { name: name.to_owned(), scopes: None, expires_at: None }
}

fn scoped(name: &str, scopes: &[&str]) -> NewApiKey {
    let scopes = Some(scopes.iter().map(|scope| (*scope).to_owned()).collect());
    NewApiKey { scopes, ..unlimited(name) }
}

impl World {
    async fn key(&self, caller: &kernel::Caller, new: NewApiKey) -> CreatedApiKey {
        self.identity.create_api_key(caller, new).await.unwrap()
    }
}

async fn a_key_acts_for_its_maker_within_its_scopes(engine: Engine) {
    let world = World::new(engine).await;
    let operator = world.come(OPERATOR).await;

    let all = world.key(&operator, unlimited("all")).await;
    let few = world.key(&operator, scoped("few", &["jobs.read", "jobs.read", "identity.accounts.read"])).await;

    assert!(all.secret.starts_with(&format!("hf_{}", all.api_key.prefix)));
    assert_eq!(few.api_key.scopes.as_deref().unwrap(), ["identity.accounts.read", "jobs.read"]);
    let caller = world.who(&all.secret).await.unwrap();
    assert_eq!((caller.actor.kind(), caller.actor.name()), ("api_key", "all"));
    assert_eq!(caller.permissions, operator.permissions);
    let caller = world.who(&few.secret).await.unwrap();
    assert_eq!(caller.permissions.names().collect::<Vec<_>>(), ["identity.accounts.read", "jobs.read"]);
    let me = world.identity.me(&caller).await.unwrap();
    assert_eq!((me.api_key_id, me.session_id), (Some(few.api_key.id), None));
    assert_eq!(me.account.unwrap().email, OPERATOR);
}

async fn scopes_must_exist_and_be_held(engine: Engine) {
    let world = World::new(engine).await;
    world.member("ada@example.test", "viewer").await;
    let ada = world.come("ada@example.test").await;

    let unknown = world.identity.create_api_key(&ada, scoped("x", &["jobs.read", "no.such"])).await;
    let not_held = world.identity.create_api_key(&ada, scoped("x", &["identity.signing_keys.write"])).await;
    let unnamed = world.identity.create_api_key(&ada, unlimited(" ")).await;
    let past = NewApiKey { expires_at: Some(world.db.clock().now()), ..unlimited("x") };
    let past = world.identity.create_api_key(&ada, past).await;

    assert_eq!(code(unknown), is(400, "identity.scope_unknown"));
    assert_eq!(code(not_held), is(403, "identity.scope_not_held"));
    assert_eq!(code(unnamed), is(400, "identity.name_invalid"));
    assert_eq!(code(past), is(400, "identity.expiry_invalid"));
}

async fn a_key_makes_none_that_may_more_or_longer(engine: Engine) {
    let world = World::new(engine).await;
    let operator = world.come(OPERATOR).await;
    let end = world.db.clock().now() + TimeDelta::days(1);
    let limited = NewApiKey { expires_at: Some(end), ..scoped("limited", &["jobs.read"]) };
    let limited = world.who(&world.key(&operator, limited).await.secret).await.unwrap();
    let create = |new| world.identity.create_api_key(&limited, new);
    let until = |end, new| NewApiKey { expires_at: Some(end), ..new };

    assert_eq!(code(create(unlimited("x")).await), is(403, "identity.scopes_required"));
    assert_eq!(code(create(scoped("x", &["jobs.write"])).await), is(403, "identity.scope_not_held"));
    assert_eq!(code(create(scoped("x", &["jobs.read"])).await), is(400, "identity.expiry_invalid"));
    let later = until(end + TimeDelta::hours(1), scoped("x", &["jobs.read"]));
    assert_eq!(code(create(later).await), is(400, "identity.expiry_invalid"));
    assert!(create(until(end, scoped("x", &["jobs.read"]))).await.is_ok());
}

async fn limited_keys_touch_neither_sessions_nor_other_keys(engine: Engine) {
    let world = World::new(engine).await;
    let operator = world.come(OPERATOR).await;
    let other = world.key(&operator, unlimited("other")).await;
    let limited = world.key(&operator, scoped("limited", &["jobs.read"])).await;
    let caller = world.who(&limited.secret).await.unwrap();
    let params = ListParams::default();

    assert_eq!(code(world.identity.list_sessions(&caller, &params).await), is(403, "kernel.forbidden"));
    assert_eq!(code(world.identity.revoke_other_sessions(&caller).await), is(403, "identity.person_required"));
    assert_eq!(code(world.identity.list_api_keys(&caller, &params).await), is(403, "kernel.forbidden"));
    assert_eq!(code(world.identity.revoke_api_key(&caller, other.api_key.id).await), is(403, "kernel.forbidden"));
    let change = crate::ChangePassword { current_password: secret(PASSWORD), new_password: secret(PASSWORD) };
    assert_eq!(code(world.identity.change_password(&caller, change).await), is(403, "identity.person_required"));
    let unlimited = world.who(&other.secret).await.unwrap();
    assert!(world.identity.list_sessions(&unlimited, &params).await.is_ok());
    assert!(world.identity.revoke_api_key(&caller, limited.api_key.id).await.is_ok(), "itself");
    assert_eq!(code(world.who(&limited.secret).await), is(401, "identity.token_invalid"));
}

async fn deleted_expired_and_orphaned_keys_are_dead(engine: Engine) {
    let world = World::new(engine).await;
    let operator = world.come(OPERATOR).await;
    let ada = world.member("ada@example.test", "editor").await;
    let caller = world.come("ada@example.test").await;
    let (acme, _) = world.new_tenant("acme").await;
    let end = world.db.clock().now() + TimeDelta::minutes(5);
    let deleted = world.key(&caller, unlimited("deleted")).await;
    let expired = world.key(&caller, NewApiKey { expires_at: Some(end), ..unlimited("expired") }).await;
    let orphaned = world.key(&caller, unlimited("orphaned")).await;
    for key in [&deleted, &expired, &orphaned] {
        assert!(world.who(&key.secret).await.is_ok());
        assert_eq!(code(world.who_at(acme, &key.secret).await), is(401, "identity.token_invalid"));
    }

    world.identity.revoke_api_key(&caller, deleted.api_key.id).await.unwrap();
    assert_eq!(code(world.who(&deleted.secret).await), is(401, "identity.token_invalid"));
    world.db.clock().shift(TimeDelta::minutes(6));
    assert_eq!(code(world.who(&expired.secret).await), is(401, "identity.token_invalid"));
    let switch = async |disabled| {
        let change = UpdateAccount { disabled: Patch::Set(disabled), ..UpdateAccount::default() };
        let operator = afresh(&operator);
        world.identity.update_account(&operator, ada.id, Expected::Unnamed, change).await.unwrap();
    };
    switch(true).await;
    assert_eq!(code(world.who(&orphaned.secret).await), is(401, "identity.token_invalid"));
    switch(false).await;
    assert!(world.who(&orphaned.secret).await.is_ok());
}

async fn the_keys_of_others_are_hidden_without_the_permission(engine: Engine) {
    let world = World::new(engine).await;
    let operator = world.come(OPERATOR).await;
    world.member("ada@example.test", "viewer").await;
    let ada = world.come("ada@example.test").await;
    let (theirs, own) = (world.key(&operator, unlimited("theirs")).await, world.key(&ada, unlimited("own")).await);
    let names = async |caller: &kernel::Caller| {
        let params = ListParams { sort: Some("name".to_owned()), ..ListParams::default() };
        let page = world.identity.list_api_keys(caller, &params).await.unwrap().1;
        page.items.into_iter().map(|key| key.name).collect::<Vec<_>>()
    };

    assert_eq!(names(&ada).await, ["own"]);
    assert_eq!(names(&operator).await, ["own", "theirs"]);
    assert_eq!(code(world.identity.get_api_key(&ada, theirs.api_key.id).await).0, 404);
    assert_eq!(code(world.identity.revoke_api_key(&ada, theirs.api_key.id).await).0, 404);
    world.identity.revoke_api_key(&operator, own.api_key.id).await.unwrap();
    assert_eq!(names(&ada).await, Vec::<String>::new());
}

async fn a_secret_is_shown_once_and_its_use_is_noted(engine: Engine) {
    let world = World::new(engine).await;
    let operator = with_key(&world.come(OPERATOR).await, "same");

    let created = world.key(&operator, unlimited("backup")).await;
    let again = world.key(&with_key(&operator, "same"), unlimited("backup")).await;

    assert_eq!(created, again, "the same key comes back to whoever repeats the request");
    assert_eq!(world.count("identity_api_key", SYSTEM_TENANT).await, 1);
    assert_eq!(created.api_key.last_used_at, None);
    world.who(&created.secret).await.unwrap();
    world.identity.0.activity.flush(&world.db).await.unwrap();
    let seen = world.identity.get_api_key(&operator, created.api_key.id).await.unwrap();
    assert!(seen.last_used_at.is_some());
    let stored = world.trail(SYSTEM_TENANT).await;
    assert_eq!(stored.iter().filter(|(action, _)| action == "identity.api_key_created").count(), 1);
    assert!(!format!("{created:?}").contains(&created.secret));
}

on_both_engines!(
    a_key_acts_for_its_maker_within_its_scopes,
    scopes_must_exist_and_be_held,
    a_key_makes_none_that_may_more_or_longer,
    limited_keys_touch_neither_sessions_nor_other_keys,
    deleted_expired_and_orphaned_keys_are_dead,
    the_keys_of_others_are_hidden_without_the_permission,
    a_secret_is_shown_once_and_its_use_is_noted,
);
