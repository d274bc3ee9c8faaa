//! What other services are told is signed by the installation, and passes for nothing else.

use std::collections::HashMap;

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use kernel::SYSTEM_TENANT;
use serde_json::Value;
use testkit::{Engine, on_both_engines};

use super::*;
use crate::Voucher;

async fn voucher(caller: &Caller) -> Voucher {
    Voucher {
        sub: caller.account().unwrap(),
        kind: caller.actor.kind(),
        tenant: caller.tenant,
        scope: caller.permissions.names().collect::<Vec<_>>().join(" "),
        roles: caller.standing().unwrap().roles().await.unwrap(),
        sid: Some(session_of(caller)),
        key: None,
        aud: "shop".into(),
        request_id: "req_1".into(),
    }
}

/// Reads a voucher as a service would, by what is published.
async fn read(world: &World, token: &str, audience: &str) -> Result<HashMap<String, Value>, String> {
    let kid = jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
    let keys = world.identity.jwks(&anonymous(SYSTEM_TENANT)).await.unwrap().keys;
    let key = keys.into_iter().find(|key| key.kid == kid).unwrap();
    let key = DecodingKey::from_ec_components(&key.x, &key.y).unwrap();
    let mut rules = Validation::new(Algorithm::ES256);
    rules.set_issuer(&[world.system().await.issuer]);
    rules.set_audience(&[audience]);
    rules.validate_exp = false;
    jsonwebtoken::decode(token, &key, &rules).map(|read| read.claims).map_err(|error| error.to_string())
}

async fn a_voucher_of_any_tenant_is_read_by_the_installation_s_keys(engine: Engine) {
    let world = World::new(engine).await;
    let (acme, owner) = world.new_tenant("acme").await;
    let token = world.sign_in_at(acme, &owner.email, PASSWORD).await.unwrap().access_token.unwrap();
    let caller = world.who_at(acme, &token).await.unwrap();

    let signed = world.identity.vouch(&voucher(&caller).await, Duration::from_secs(60)).await.unwrap();

    let claims = read(&world, &signed, "shop").await.unwrap();
    assert_eq!(claims["sub"], caller.account().unwrap().to_string());
    assert_eq!(claims["tenant"], acme.to_string());
    assert_eq!(claims["roles"], serde_json::json!(["owner"]));
    assert!(claims["scope"].as_str().unwrap().split(' ').any(|scope| scope == "identity.accounts.read"));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 60);
    assert!(read(&world, &signed, "till").await.is_err(), "it is for one service");
}

async fn a_voucher_is_no_access_token(engine: Engine) {
    let world = World::new(engine).await;
    let caller = world.come(OPERATOR).await;
    let mut voucher = voucher(&caller).await;
    voucher.aud = world.system().await.issuer;

    let token = world.identity.vouch(&voucher, Duration::from_secs(60)).await.unwrap();

    assert_eq!(code(world.who(&token).await), is(401, "identity.token_invalid"));
}

async fn a_limited_key_stands_on_no_role(engine: Engine) {
    let world = World::new(engine).await;
    let caller = world.come(OPERATOR).await;
    let roles = async |scopes: Option<&[&str]>| {
        let scopes = scopes.map(|scopes| scopes.iter().map(|scope| (*scope).to_owned()).collect());
        let new = crate::NewApiKey { name: "bot".to_owned(), scopes, expires_at: None };
        let key = world.identity.create_api_key(&afresh(&caller), new).await.unwrap();
        let bot = world.who(&key.secret).await.unwrap();
        bot.standing().unwrap().roles().await.unwrap()
    };

    assert_eq!(*roles(None).await, ["owner".to_owned()]);
    assert!(roles(Some(&["identity.accounts.read"])).await.is_empty());
}

on_both_engines!(
    a_voucher_of_any_tenant_is_read_by_the_installation_s_keys,
    a_voucher_is_no_access_token,
    a_limited_key_stands_on_no_role,
);
