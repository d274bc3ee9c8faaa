use std::collections::HashSet;

use chrono::TimeDelta;
use kernel::{Problem, SYSTEM_TENANT};
use testkit::{Engine, on_both_engines};

use super::*;
use crate::RefreshToken;

impl World {
    async fn refresh(&self, token: &str) -> Result<SignIn, Error> {
        let given = RefreshToken { refresh_token: secret(token) };
        self.identity.refresh(&anonymous(SYSTEM_TENANT), given).await
    }
}

async fn each_refresh_token_brings_the_next_one(engine: Engine) {
    let world = World::new(engine).await;
    let first = world.sign_in(OPERATOR).await;

    let second = world.refresh(first.refresh_token.as_deref().unwrap()).await.unwrap();
    let third = world.refresh(second.refresh_token.as_deref().unwrap()).await.unwrap();

    assert_eq!(third.session.id, first.session.id);
    assert_eq!(third.refresh_expires_at, first.refresh_expires_at, "the session does not get longer");
    let tokens: HashSet<_> = [&first, &second, &third].map(|it| it.refresh_token.clone()).into_iter().collect();
    assert_eq!(tokens.len(), 3);
    assert!(world.who(&third.access_token.unwrap()).await.is_ok());
}

async fn a_repetition_within_30_seconds_brings_the_same_successor(engine: Engine) {
    let world = World::new(engine).await;
    let token = world.sign_in(OPERATOR).await.refresh_token.unwrap();
    let first = world.refresh(&token).await.unwrap();

    world.db.clock().shift(TimeDelta::seconds(29));
    let second = world.refresh(&token).await.unwrap();

    assert_eq!(first.refresh_token, second.refresh_token);
    assert!(world.who(&second.access_token.unwrap()).await.is_ok());
    assert!(world.refresh(&first.refresh_token.unwrap()).await.is_ok());
}

async fn a_later_repetition_ends_the_session(engine: Engine) {
    let world = World::new(engine).await;
    let stolen = world.sign_in(OPERATOR).await.refresh_token.unwrap();
    let next = world.refresh(&stolen).await.unwrap();
    let (access, refresh) = (next.access_token.unwrap(), next.refresh_token.unwrap());
    assert!(world.who(&access).await.is_ok());

    world.db.clock().shift(TimeDelta::seconds(31));
    let reused = world.refresh(&stolen).await;

    assert_eq!(code(reused), is(401, "identity.refresh_reused"));
    assert_eq!(code(world.who(&access).await), is(401, "identity.token_invalid"));
    assert_eq!(code(world.refresh(&refresh).await), is(401, "identity.refresh_invalid"));
    assert_eq!(code(world.refresh(&stolen).await), is(401, "identity.refresh_invalid"));
    assert_eq!(world.trail(SYSTEM_TENANT).await.last().unwrap(), &("identity.refresh_reused".to_owned(), "denied"));
    assert_eq!(world.events(SYSTEM_TENANT).await.last().unwrap(), "identity.refresh_reused");
    assert_eq!(world.count("identity_refresh", SYSTEM_TENANT).await, 0);
}

async fn twins_at_once_get_one_successor(engine: Engine) {
    let world = Arc::new(World::new(engine).await);
    let token: Arc<str> = world.sign_in(OPERATOR).await.refresh_token.unwrap().into();

    let successors: HashSet<_> = at_once(|_| {
        let (world, token) = (Arc::clone(&world), Arc::clone(&token));
        async move { world.refresh(&token).await.unwrap().refresh_token.unwrap() }
    })
    .await
    .into_iter()
    .collect();

    assert_eq!(successors.len(), 1);
    assert_eq!(world.count("identity_refresh", SYSTEM_TENANT).await, 2);
}

async fn ended_expired_foreign_and_unknown_tokens_are_refused_alike(engine: Engine) {
    let world = World::new(engine).await;
    let (acme, owner) = world.new_tenant("acme").await;
    let foreign = world.sign_in_at(acme, &owner.email, PASSWORD).await.unwrap().refresh_token.unwrap();
    let signed_in = world.sign_in(OPERATOR).await;
    let ended = signed_in.refresh_token.unwrap();
    world.identity.sign_out(&world.who(&signed_in.access_token.unwrap()).await.unwrap()).await.unwrap();
    let late = world.sign_in(OPERATOR).await.refresh_token.unwrap();
    world.db.clock().shift(TimeDelta::days(31));

    let unknown = format!("hfr_{}", "0".repeat(40));
    for token in [foreign.as_str(), &ended, &late, &unknown, "", "hfr_\0", &"x".repeat(100_000)] {
        let problem = Problem::from(world.refresh(token).await.unwrap_err());
        assert_eq!(problem.code, "identity.refresh_invalid");
    }
}

on_both_engines!(
    each_refresh_token_brings_the_next_one,
    a_repetition_within_30_seconds_brings_the_same_successor,
    a_later_repetition_ends_the_session,
    twins_at_once_get_one_successor,
    ended_expired_foreign_and_unknown_tokens_are_refused_alike,
);
