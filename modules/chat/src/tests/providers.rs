//! Providers and their keys.

use kernel::{Expected, Patch};
use testkit::{Engine, on_both_engines};

use super::*;
use crate::{Error, UpdateProvider};

fn nothing() -> UpdateProvider {
    UpdateProvider {
        name: Patch::Keep,
        base_url: Patch::Keep,
        api_key: Patch::Keep,
        models: Patch::Keep,
        position: Patch::Keep,
        first_token_timeout_ms: Patch::Keep,
        idle_timeout_ms: Patch::Keep,
        enabled: Patch::Keep,
    }
}

async fn a_new_address_takes_the_key_away(engine: Engine) {
    let world = world(engine).await;
    let made = world.provider("steady").await;
    assert!(made.has_api_key);
    assert!(!serde_json::to_string(&made).unwrap().contains("canary"));

    let renamed = UpdateProvider { name: Patch::Set("New name".to_owned()), ..nothing() };
    let renamed = world.chat.update_provider(&world.asker, made.id, Expected::Version(1), renamed).await.unwrap();
    let moved = UpdateProvider { base_url: Patch::Set(world.script.url("elsewhere")), ..nothing() };
    let moved = world.chat.update_provider(&world.asker, made.id, Expected::Version(2), moved).await.unwrap();

    assert!(renamed.has_api_key && !moved.has_api_key);
    assert_eq!(moved.version, 3);
}

async fn addresses_that_are_not_public_are_refused(engine: Engine) {
    let world = world(engine).await;
    for url in
        ["http://169.254.169.254/latest", "http://10.0.0.1/v1", "http://[::1]:11434/v1", "ftp://x/", "http://a:b@x/"]
    {
        let new = NewProvider {
            name: "x".to_owned(),
            kind: None,
            base_url: url.to_owned(),
            api_key: None,
            models: vec!["m".to_owned()],
            position: None,
            first_token_timeout_ms: None,
            idle_timeout_ms: None,
            enabled: None,
        };
        let error = world.chat.create_provider(&world.asker, new).await.unwrap_err();
        assert!(matches!(error, Error::AddressRefused(_)), "{url}: {error:?}");
    }
}

async fn a_trial_says_whether_a_provider_answers(engine: Engine) {
    let world = world(engine).await;
    let (good, bad) = (world.provider("steady").await, world.provider("refusing").await);

    let good = world.chat.test_provider(&world.asker, good.id).await.unwrap();
    let bad = world.chat.test_provider(&world.asker, bad.id).await.unwrap();

    assert!(good.ok && good.text.unwrap().starts_with("t0 t1"));
    assert!(!bad.ok && bad.reason.unwrap().contains("wrong key"));
}

on_both_engines!(
    a_new_address_takes_the_key_away,
    addresses_that_are_not_public_are_refused,
    a_trial_says_whether_a_provider_answers,
);
