use chrono::TimeDelta;
use events::Events;
use kernel::{Caller, Problem, SYSTEM_TENANT, Tasks, Tx};
use testkit::{Engine, on_both_engines};

use super::*;

impl World {
    /// Delivers events until `done` says so, or for ten seconds.
    pub(super) async fn deliver_until(&self, done: impl AsyncFn() -> bool) {
        let (tasks, mut events) = (Tasks::default(), Events::new(self.db.clone()));
        for subscriber in self.identity.subscribers() {
            events.subscribe(subscriber);
        }
        events.start(&tasks);
        for _ in 0..200 {
            if done().await {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        tasks.stop(Duration::from_secs(5)).await;
    }
}

async fn an_account_goes_with_its_membership(engine: Engine) {
    let world = World::new(engine).await;
    let ada = world.member("ada@example.test", "viewer").await;
    world.sign_in("ada@example.test").await;
    let system = Caller::system("test", SYSTEM_TENANT);
    let leave = async |tx: &Tx| world.tenancy.remove_account(tx, &system, ada.id).await;
    world.db.write(&system, leave).await.unwrap();

    world.deliver_until(async || world.count("identity_account", SYSTEM_TENANT).await == 1).await;

    assert_eq!(world.count("identity_account", SYSTEM_TENANT).await, 1);
    assert_eq!(world.count("identity_session", SYSTEM_TENANT).await, 0);
    assert!(world.trail(SYSTEM_TENANT).await.iter().any(|(action, _)| action == "identity.account_deleted"));
}

async fn nothing_stays_of_a_purged_tenant(engine: Engine) {
    let world = World::new(engine).await;
    let (acme, owner) = world.new_tenant("acme").await;
    let token = world.sign_in_at(acme, &owner.email, PASSWORD).await.unwrap().access_token.unwrap();
    let caller = world.who_at(acme, &token).await.unwrap();
    let key = crate::NewApiKey { name: "x".to_owned(), scopes: None, expires_at: None };
    world.identity.create_api_key(&caller, key).await.unwrap();
    let purged =
        async |tx: &Tx| events::publish(tx, "tenancy.tenant_purged", &acme.to_string(), serde_json::json!({})).await;
    world.db.write(&Caller::system("test", acme), purged).await.unwrap();

    world.deliver_until(async || world.count("identity_signing_key", acme).await == 0).await;

    for table in ["account", "session", "refresh", "api_key", "signing_key"] {
        assert_eq!(world.count(&format!("identity_{table}"), acme).await, 0, "{table}");
    }
    assert_eq!(world.count("identity_account", SYSTEM_TENANT).await, 1);
}

async fn the_clean_up_removes_what_has_ended_and_nothing_else(engine: Engine) {
    let world = World::new(engine).await;
    world.sign_in(OPERATOR).await;
    for _ in 0..18 {
        let db = world.db.clone();
        at_once(|number| {
            let (db, caller) = (
                db.clone(),
                with_key(&Caller::system("test", SYSTEM_TENANT), &format!("key {number} {}", request().id)),
            );
            async move { db.write_once(&caller, "test", &(), async |_| Ok::<_, Problem>(())).await.unwrap() }
        })
        .await;
    }
    world.db.clock().shift(TimeDelta::days(31));
    let fresh = world.sign_in(OPERATOR).await.refresh_token.unwrap();

    world.identity.clean_up().await.unwrap();

    assert_eq!(world.count("identity_session", SYSTEM_TENANT).await, 1);
    assert_eq!(world.count("identity_refresh", SYSTEM_TENANT).await, 1);
    assert_eq!(world.count("kernel_idempotency", SYSTEM_TENANT).await, 0);
    let given = crate::RefreshToken { refresh_token: secret(&fresh) };
    assert!(world.identity.refresh(&anonymous(SYSTEM_TENANT), given).await.is_ok());
}

async fn use_is_noted_once_a_minute_and_written_by_the_loop(engine: Engine) {
    let world = World::new(engine).await;
    let signed_in = world.sign_in(OPERATOR).await;
    let token = signed_in.access_token.unwrap();
    let seen = async || {
        let caller = world.who(&token).await.unwrap();
        world.identity.0.activity.flush(&world.db).await.unwrap();
        world.identity.get_session(&caller, signed_in.session.id).await.unwrap().last_seen_at
    };

    let at_once = seen().await;
    world.db.clock().shift(TimeDelta::seconds(70));
    let later = seen().await;
    world.db.clock().shift(TimeDelta::seconds(30));
    let too_soon = seen().await;

    assert_eq!(at_once, signed_in.session.created_at);
    assert!(later - at_once >= TimeDelta::seconds(60));
    assert_eq!(too_soon, later);

    world.db.clock().shift(TimeDelta::seconds(60));
    world.who(&token).await.unwrap();
    let tasks = Tasks::default();
    world.identity.start(&tasks);
    assert!(tasks.stop(Duration::from_secs(5)).await);
    let caller = world.who(&token).await.unwrap();
    let last = world.identity.get_session(&caller, signed_in.session.id).await.unwrap().last_seen_at;
    assert!(last > too_soon, "what waits is written at shutdown");
}

on_both_engines!(
    an_account_goes_with_its_membership,
    nothing_stays_of_a_purged_tenant,
    the_clean_up_removes_what_has_ended_and_nothing_else,
    use_is_noted_once_a_minute_and_written_by_the_loop,
);
