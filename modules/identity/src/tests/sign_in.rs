use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::{Caller, Expected, Patch, Problem, SYSTEM_TENANT, Tx};
use testkit::{Engine, on_both_engines};

use super::*;
use crate::UpdateAccount;

async fn a_sign_in_brings_tokens_that_name_their_account(engine: Engine) {
    let world = World::new(engine).await;

    let signed_in = world.sign_in("  operator@EXAMPLE.test ").await;

    assert_eq!(signed_in.account.email, OPERATOR);
    assert_eq!((signed_in.token_type.as_str(), signed_in.session.current), ("Bearer", true));
    assert!(signed_in.refresh_token.unwrap().starts_with("hfr_"));
    let token = signed_in.access_token.unwrap();
    let caller = world.who(&token).await.unwrap();
    assert_eq!(caller.account().unwrap(), signed_in.account.id);
    assert_eq!(session_of(&caller), signed_in.session.id);
    assert!(caller.may(crate::ACCOUNTS_WRITE));
    let parts: Vec<serde_json::Value> = token
        .split('.')
        .take(2)
        .map(|part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap())
        .collect();
    assert_eq!((parts[0]["typ"].as_str(), parts[0]["alg"].as_str()), (Some("at+jwt"), Some("ES256")));
    assert_eq!(parts[1]["iss"], "https://localhost:8443");
    assert_eq!(parts[1]["aud"], parts[1]["iss"]);
    assert_eq!(parts[1]["exp"].as_i64().unwrap() - parts[1]["iat"].as_i64().unwrap(), 600);
    for claim in ["sub", "jti", "client_id", "sid"] {
        assert!(parts[1][claim].is_string(), "{claim}");
    }
    assert_eq!(world.trail(SYSTEM_TENANT).await.last().unwrap().0, "identity.session_created");
    assert_eq!(world.events(SYSTEM_TENANT).await.last().unwrap(), "identity.session_created");
}

async fn a_cookie_takes_the_place_of_the_tokens(engine: Engine) {
    let world = World::new(engine).await;

    let signed_in = world.identity.sign_in(&anonymous(SYSTEM_TENANT), cookie_credentials(OPERATOR)).await.unwrap();

    assert_eq!((&signed_in.sign_in.access_token, &signed_in.sign_in.refresh_token), (&None, &None));
    let field = world.identity.cookie_field(&signed_in).unwrap();
    assert!(field.starts_with("__Host-holdfast_session=") && field.contains("Max-Age=2592000"), "{field}");
    let value = signed_in.cookie.unwrap().0;
    let caller =
        world.identity.authenticate(&world.system().await, Credential::Cookie(&value), request()).await.unwrap();
    assert_eq!(session_of(&caller), signed_in.sign_in.session.id);
    let as_bearer = world.who(&value).await;
    assert_eq!(code(as_bearer), is(401, "identity.token_invalid"));
}

/// Four kinds of failure, each compared by answer and by the hashes that it costs.
async fn every_failed_sign_in_looks_alike_and_costs_one_hash(engine: Engine) {
    let world = World::new(engine).await;
    let operator = world.come(OPERATOR).await;
    let disabled = world.member("disabled@example.test", "viewer").await;
    let disable = UpdateAccount { disabled: Patch::Set(true), ..UpdateAccount::default() };
    world.identity.update_account(&operator, disabled.id, Expected::Unnamed, disable).await.unwrap();
    let gone = world.member("gone@example.test", "viewer").await;
    let leave = async |tx: &Tx| {
        let system = Caller::system("test", SYSTEM_TENANT);
        world.tenancy.remove_account(tx, &system, gone.id).await
    };
    world.db.write(&Caller::system("test", SYSTEM_TENANT), leave).await.unwrap();

    let mut answers = HashSet::new();
    for (email, password) in [
        (OPERATOR, "wrong harbour lantern 42"),
        ("nobody@example.test", PASSWORD),
        ("disabled@example.test", PASSWORD),
        ("gone@example.test", PASSWORD),
        ("no address\0 at all", PASSWORD),
        (OPERATOR, &"x".repeat(100_000)),
    ] {
        let before = world.identity.0.pool.done();
        let problem = Problem::from(world.sign_in_at(SYSTEM_TENANT, email, password).await.unwrap_err());
        assert_eq!(world.identity.0.pool.done() - before, 1, "{email}");
        assert_eq!(world.trail(SYSTEM_TENANT).await.last().unwrap(), &("identity.signin_failed".to_owned(), "denied"));
        answers.insert(format!("{problem:?} {:?} {:?}", problem.fields, problem.retry_after));
    }

    assert_eq!(answers.len(), 1, "{answers:?}");
    assert!(answers.iter().all(|answer| answer.contains("401 identity.credentials_wrong")));
}

async fn failed_sign_ins_are_slowed_and_a_success_clears_them(engine: Engine) {
    let world = World::new(engine).await;
    for _ in 0..5 {
        let failed = world.sign_in_at(SYSTEM_TENANT, OPERATOR, "wrong").await;
        assert_eq!(code(failed), is(401, "identity.credentials_wrong"));
    }

    let slowed = Problem::from(world.sign_in_at(SYSTEM_TENANT, OPERATOR, PASSWORD).await.unwrap_err());
    let unknown = world.sign_in_at(SYSTEM_TENANT, "unknown@example.test", PASSWORD).await;

    assert_eq!((slowed.kind.status(), slowed.code.as_ref()), (429, "identity.too_many_attempts"));
    assert!(slowed.retry_after.unwrap() <= Duration::from_secs(1));
    assert_eq!(code(unknown), is(401, "identity.credentials_wrong"));
    world.db.clock().shift(chrono::TimeDelta::seconds(2));
    world.sign_in(OPERATOR).await;
    let again = world.sign_in_at(SYSTEM_TENANT, OPERATOR, "wrong").await;
    assert_eq!(code(again), is(401, "identity.credentials_wrong"));
}

async fn guesses_at_once_get_no_further_than_five(engine: Engine) {
    let world = Arc::new(World::new(engine).await);
    let before = world.identity.0.pool.done();

    let answers = at_once(|number| {
        let world = Arc::clone(&world);
        async move { code(world.sign_in_at(SYSTEM_TENANT, OPERATOR, &format!("guess {number}")).await).0 }
    })
    .await;

    assert_eq!(answers.iter().filter(|status| **status == 401).count(), 5);
    assert_eq!(answers.iter().filter(|status| **status == 429).count(), 59);
    assert_eq!(world.identity.0.pool.done() - before, 5);
}

async fn a_repeated_sign_in_with_the_same_key_brings_the_same_session(engine: Engine) {
    let world = World::new(engine).await;
    let caller = || with_key(&anonymous(SYSTEM_TENANT), "k1");

    let first = world.identity.sign_in(&caller(), credentials(OPERATOR, PASSWORD)).await.unwrap();
    let second = world.identity.sign_in(&caller(), credentials(OPERATOR, PASSWORD)).await.unwrap();

    assert_eq!(first.sign_in, second.sign_in);
    assert_eq!(world.count("identity_session", SYSTEM_TENANT).await, 1);
    let other = world.identity.sign_in(&caller(), cookie_credentials(OPERATOR)).await;
    assert_eq!(code(other), is(422, "kernel.idempotency_mismatch"));
}

async fn a_hash_with_the_parameters_of_yesterday_is_replaced(engine: Engine) {
    let world = World::new(engine).await;
    let stronger = IdentityConfig { hash_memory: 128, ..IdentityConfig::quick() };
    let identity = world.another_process(stronger).await;

    identity.sign_in(&anonymous(SYSTEM_TENANT), credentials(OPERATOR, PASSWORD)).await.unwrap();

    let find = async |tx: &Tx| crate::store::accounts::by_email(tx, "operator@example.test").await;
    let stored = world.db.read(&Caller::system("test", SYSTEM_TENANT), find).await.unwrap().unwrap();
    assert!(stored.password_hash.contains("m=128"), "{}", stored.password_hash);
    world.sign_in(OPERATOR).await;
}

async fn a_full_pool_answers_503_and_leaves_no_mark_on_the_account(engine: Engine) {
    let config = IdentityConfig { hash_threads: 1, hash_queue: 0, ..IdentityConfig::quick() };
    let world = Arc::new(World::with(engine, config).await);

    let answers = at_once(|_| {
        let world = Arc::clone(&world);
        async move {
            world.sign_in_at(SYSTEM_TENANT, "nobody@example.test", PASSWORD).await.map_err(|e| code(Err::<(), _>(e)))
        }
    })
    .await;

    let statuses: HashSet<_> = answers.into_iter().map(|answer| answer.unwrap_err()).collect();
    assert!(statuses.iter().all(|(status, _)| [401, 429, 503].contains(status)), "{statuses:?}");
    world.sign_in(OPERATOR).await;
}

async fn an_account_belongs_to_one_tenant(engine: Engine) {
    let world = World::new(engine).await;
    let (acme, owner) = world.new_tenant("acme").await;

    let elsewhere = world.sign_in_at(SYSTEM_TENANT, &owner.email, PASSWORD).await;
    let there = world.sign_in_at(acme, OPERATOR, PASSWORD).await;

    assert_eq!(code(elsewhere), is(401, "identity.credentials_wrong"));
    assert_eq!(code(there), is(401, "identity.credentials_wrong"));
    let signed_in = world.sign_in_at(acme, &owner.email, PASSWORD).await.unwrap();
    let token = signed_in.access_token.unwrap();
    assert!(world.who_at(acme, &token).await.is_ok());
    assert_eq!(code(world.who(&token).await), is(401, "identity.token_invalid"));
}

on_both_engines!(
    a_sign_in_brings_tokens_that_name_their_account,
    a_cookie_takes_the_place_of_the_tokens,
    every_failed_sign_in_looks_alike_and_costs_one_hash,
    failed_sign_ins_are_slowed_and_a_success_clears_them,
    guesses_at_once_get_no_further_than_five,
    a_repeated_sign_in_with_the_same_key_brings_the_same_session,
    a_hash_with_the_parameters_of_yesterday_is_replaced,
    a_full_pool_answers_503_and_leaves_no_mark_on_the_account,
    an_account_belongs_to_one_tenant,
);
