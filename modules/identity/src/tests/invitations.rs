use kernel::{Caller, SYSTEM_TENANT, Tx};
use testkit::{Engine, on_both_engines};

use super::*;

async fn an_invitation_makes_an_account_and_a_member_at_once(engine: Engine) {
    let world = World::new(engine).await;
    let token = world.invite(SYSTEM_TENANT, "Ada@example.test", "editor").await;

    let account = world.accept(SYSTEM_TENANT, &token, "ada@EXAMPLE.test").await.unwrap();

    assert_eq!(account.email, "ada@EXAMPLE.test");
    let me = world.identity.me(&world.come("ada@example.test").await).await.unwrap();
    assert_eq!(me.roles, ["editor"]);
    assert!(world.trail(SYSTEM_TENANT).await.iter().any(|(action, _)| action == "identity.account_created"));
    let again = world.accept(SYSTEM_TENANT, &token, "ada@example.test").await;
    assert!([400, 403, 404, 409].contains(&code(again).0));
}

async fn an_invitation_holds_for_its_address_and_tenant_only(engine: Engine) {
    let world = World::new(engine).await;
    let (acme, _) = world.new_tenant("acme").await;
    let token = world.invite(SYSTEM_TENANT, "ada@example.test", "editor").await;

    let other_address = code(world.accept(SYSTEM_TENANT, &token, "eve@example.test").await);
    let other_tenant = code(world.accept(acme, &token, "ada@example.test").await);
    let no_token = code(world.accept(SYSTEM_TENANT, "", "ada@example.test").await);

    assert_eq!(other_address, other_tenant);
    assert_eq!(other_address, no_token);
    assert_eq!(world.count("identity_account", SYSTEM_TENANT).await, 1);
    assert!(world.accept(SYSTEM_TENANT, &token, "ada@example.test").await.is_ok());
}

async fn of_many_who_accept_at_once_one_does(engine: Engine) {
    let world = Arc::new(World::new(engine).await);
    let token: Arc<str> = world.invite(SYSTEM_TENANT, "ada@example.test", "viewer").await.into();

    let outcomes = at_once(|_| {
        let (world, token) = (Arc::clone(&world), Arc::clone(&token));
        async move { world.accept(SYSTEM_TENANT, &token, "ada@example.test").await.is_ok() }
    })
    .await;

    assert_eq!(outcomes.into_iter().filter(|accepted| *accepted).count(), 1);
    assert_eq!(world.count("identity_account", SYSTEM_TENANT).await, 2);
}

async fn whoever_has_an_account_is_not_made_twice_but_who_left_may_return(engine: Engine) {
    let world = World::new(engine).await;
    let ada = world.member("ada@example.test", "viewer").await;
    let token = world.invite(SYSTEM_TENANT, "eve@example.test", "viewer").await;
    world.accept(SYSTEM_TENANT, &token, "eve@example.test").await.unwrap();
    let system = Caller::system("test", SYSTEM_TENANT);
    let leave = async |tx: &Tx| world.tenancy.remove_account(tx, &system, ada.id).await;
    world.db.write(&system, leave).await.unwrap();

    let returned = world.member("ada@example.test", "editor").await;

    assert_ne!(returned.id, ada.id);
    assert_eq!(world.identity.me(&world.come("ada@example.test").await).await.unwrap().roles, ["editor"]);
}

on_both_engines!(
    an_invitation_makes_an_account_and_a_member_at_once,
    an_invitation_holds_for_its_address_and_tenant_only,
    of_many_who_accept_at_once_one_does,
    whoever_has_an_account_is_not_made_twice_but_who_left_may_return,
);
