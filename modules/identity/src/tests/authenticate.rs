use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use kernel::{Caller, Expected, Patch, SYSTEM_TENANT, Tx};
use serde_json::json;
use testkit::{Engine, on_both_engines};

use super::*;
use crate::UpdateAccount;

async fn an_ended_session_is_refused_at_its_next_request(engine: Engine) {
    let world = World::new(engine).await;
    let signed_in = world.sign_in(OPERATOR).await;
    let token = signed_in.access_token.unwrap();
    let caller = world.who(&token).await.unwrap();
    let other = world.come(OPERATOR).await;

    world.identity.revoke_session(&other, session_of(&caller)).await.unwrap();

    assert_eq!(code(world.who(&token).await), is(401, "identity.token_invalid"));
    assert!(world.identity.get_session(&other, session_of(&other)).await.is_ok());
    assert_eq!(code(world.identity.get_session(&other, session_of(&caller)).await).0, 404);
}

async fn signing_out_ends_the_own_session_only(engine: Engine) {
    let world = World::new(engine).await;
    let (one, other) = (world.sign_in(OPERATOR).await, world.sign_in(OPERATOR).await);
    let (one, other) = (one.access_token.unwrap(), other.access_token.unwrap());

    world.identity.sign_out(&world.who(&one).await.unwrap()).await.unwrap();

    assert_eq!(code(world.who(&one).await), is(401, "identity.token_invalid"));
    assert!(world.who(&other).await.is_ok());
}

async fn a_disabled_account_and_a_changed_role_count_at_once(engine: Engine) {
    let world = World::new(engine).await;
    let operator = world.come(OPERATOR).await;
    let ada = world.member("ada@example.test", "admin").await;
    let token = world.sign_in("ada@example.test").await.access_token.unwrap();
    assert!(world.who(&token).await.unwrap().may(crate::ACCOUNTS_READ));

    let members = world.tenancy.list_members(&operator, &kernel::ListParams::default()).await.unwrap().1;
    let member = members.items.into_iter().find(|member| member.account_id == ada.id).unwrap();
    let viewer = tenancy::UpdateMember { role_id: Patch::Set(world.role(SYSTEM_TENANT, "viewer").await) };
    world.tenancy.update_member(&operator, member.id, Expected::Unnamed, viewer).await.unwrap();
    assert!(!world.who(&token).await.unwrap().may(crate::ACCOUNTS_READ));

    let disable = UpdateAccount { disabled: Patch::Set(true), ..UpdateAccount::default() };
    world.identity.update_account(&operator, ada.id, Expected::Unnamed, disable).await.unwrap();
    assert_eq!(code(world.who(&token).await), is(401, "identity.token_invalid"));
}

async fn a_removed_member_and_a_suspended_tenant_are_refused_at_once(engine: Engine) {
    let world = World::new(engine).await;
    let (acme, owner) = world.new_tenant("acme").await;
    let operator = world.come(OPERATOR).await;
    let token = world.sign_in_at(acme, &owner.email, PASSWORD).await.unwrap().access_token.unwrap();
    assert!(world.who_at(acme, &token).await.is_ok());

    world.tenancy.suspend_tenant(&operator, acme, Expected::Any, tenancy::SuspendTenant::default()).await.unwrap();
    assert_eq!(code(world.who_at(acme, &token).await), is(403, "tenancy.suspended"));
    let sign_in = world.sign_in_at(acme, &owner.email, PASSWORD).await;
    assert_eq!(code(sign_in), is(403, "tenancy.suspended"));
    world.tenancy.resume_tenant(&operator, acme, Expected::Any).await.unwrap();
    assert!(world.who_at(acme, &token).await.is_ok());

    let ada = world.member("ada@example.test", "viewer").await;
    let token = world.sign_in("ada@example.test").await.access_token.unwrap();
    assert!(world.who(&token).await.is_ok());
    let system = Caller::system("test", SYSTEM_TENANT);
    let leave = async |tx: &Tx| world.tenancy.remove_account(tx, &system, ada.id).await;
    world.db.write(&system, leave).await.unwrap();
    assert_eq!(code(world.who(&token).await), is(401, "identity.token_invalid"));
}

/// 64 tasks come by tokens that nobody has seen yet while their session ends: nobody passes after the ending was
/// answered, also not by what was read before it and remembered after it.
async fn nobody_slips_through_while_a_session_ends(engine: Engine) {
    let config = IdentityConfig { auth_cache_ttl: Duration::from_secs(60), ..IdentityConfig::quick() };
    let world = Arc::new(World::with(engine, config).await);
    let (tenant, ring) = (world.system().await, world.identity.ring(SYSTEM_TENANT).await.unwrap());
    for _ in 0..4 {
        let signed_in = world.sign_in(OPERATOR).await;
        let caller = world.who(&signed_in.access_token.unwrap()).await.unwrap();
        let (session, account, limit) = (session_of(&caller), signed_in.account.id, signed_in.session.expires_at);
        let issue = |_| world.identity.issue_access_token(&ring, &tenant, account, session, limit).unwrap().text;
        let tokens: Arc<[String]> = (0..64 * 6).map(issue).collect();

        at_once(|number| {
            let (world, tokens, caller) = (Arc::clone(&world), Arc::clone(&tokens), afresh(&caller));
            async move {
                if number == 0 {
                    return world.identity.revoke_session(&caller, session_of(&caller)).await.unwrap();
                }
                for token in &tokens[number * 6..number * 6 + 6] {
                    drop(world.who(token).await);
                }
            }
        })
        .await;

        for token in tokens.iter() {
            assert_eq!(code(world.who(token).await), is(401, "identity.token_invalid"));
        }
    }
}

async fn what_is_remembered_needs_no_query_and_ages(engine: Engine) {
    let config = |ttl| IdentityConfig { auth_cache_ttl: ttl, ..IdentityConfig::quick() };
    let world = World::with(engine, config(Duration::from_secs(60))).await;
    let forgetful = world.another_process(config(Duration::ZERO)).await;
    let signed_in = world.sign_in(OPERATOR).await;
    let token = signed_in.access_token.unwrap();
    world.who(&token).await.unwrap();
    let tenant = world.system().await;
    forgetful.authenticate(&tenant, Credential::Bearer(&token), request()).await.unwrap();

    let ended = world.behind_the_back("DELETE FROM identity_session WHERE account_id = $1", signed_in.account.id).await;

    assert_eq!(ended, 1);
    assert!(world.who(&token).await.is_ok(), "answered from memory");
    let other_process = forgetful.authenticate(&tenant, Credential::Bearer(&token), request()).await;
    assert_eq!(code(other_process), is(401, "identity.token_invalid"));
}

async fn tokens_end_with_their_time(engine: Engine) {
    let world = World::new(engine).await;
    let token = world.sign_in(OPERATOR).await.access_token.unwrap();
    let signed_in = world.identity.sign_in(&anonymous(SYSTEM_TENANT), cookie_credentials(OPERATOR)).await.unwrap();
    let cookie = signed_in.cookie.unwrap().0;
    assert!(world.who(&token).await.is_ok());

    world.db.clock().shift(TimeDelta::seconds(601));
    assert_eq!(code(world.who(&token).await), is(401, "identity.token_invalid"));
    let tenant = world.system().await;
    let by_cookie = || world.identity.authenticate(&tenant, Credential::Cookie(&cookie), request());
    assert_eq!(by_cookie().await.unwrap().actor.kind(), "account");

    world.db.clock().shift(TimeDelta::days(15));
    assert_eq!(by_cookie().await.unwrap().actor.kind(), "anonymous", "unused for too long");
}

async fn use_keeps_a_session_alive_until_its_end(engine: Engine) {
    let world = World::new(engine).await;
    let signed_in = world.identity.sign_in(&anonymous(SYSTEM_TENANT), cookie_credentials(OPERATOR)).await.unwrap();
    let cookie = signed_in.cookie.unwrap().0;
    let tenant = world.system().await;
    for _ in 0..2 {
        world.db.clock().shift(TimeDelta::days(13));
        let caller = world.identity.authenticate(&tenant, Credential::Cookie(&cookie), request()).await.unwrap();
        assert_eq!(caller.actor.kind(), "account");
        world.identity.0.activity.flush(&world.db).await.unwrap();
    }

    world.db.clock().shift(TimeDelta::days(5));
    let after_30_days = world.identity.authenticate(&tenant, Credential::Cookie(&cookie), request()).await;

    assert_eq!(after_30_days.unwrap().actor.kind(), "anonymous");
}

async fn forged_and_malformed_credentials_are_refused(engine: Engine) {
    let world = World::new(engine).await;
    let signed_in = world.sign_in(OPERATOR).await;
    let token = signed_in.access_token.clone().unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let own = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
    let kid = jsonwebtoken::decode_header(&token).unwrap().kid;
    let issuer = "https://localhost:8443";
    let claims = json!({
        "iss": issuer, "aud": issuer, "sub": signed_in.account.id, "sid": signed_in.session.id, "iat": 0,
        "exp": 99_999_999_999_i64, "jti": "x", "client_id": "holdfast",
    });
    let header = Header { typ: Some("at+jwt".to_owned()), kid, ..Header::new(Algorithm::ES256) };
    let forged = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_ec_der(own.as_ref())).unwrap();
    let ring = world.identity.ring(SYSTEM_TENANT).await.unwrap();
    let sign =
        |header: &Header, claims: &serde_json::Value| jsonwebtoken::encode(header, claims, ring.signer().1).unwrap();
    let mut other_issuer = claims.clone();
    other_issuer["iss"] = json!("https://acme.localhost:8443");
    let mut other_audience = claims.clone();
    other_audience["aud"] = json!("https://acme.localhost:8443");
    let plain_type = Header { typ: Some("JWT".to_owned()), ..header.clone() };
    let symmetric = Header { alg: Algorithm::HS256, ..header.clone() };
    let public = ring.published()[0].public.clone();
    let confused = jsonwebtoken::encode(&symmetric, &claims, &EncodingKey::from_secret(&public)).unwrap();

    assert!(world.who(&sign(&header, &claims)).await.is_ok(), "the control");
    let bad = [
        String::new(),
        "x".to_owned(),
        "a.b.c".to_owned(),
        "..".to_owned(),
        "\u{0}".to_owned(),
        forged,
        confused,
        sign(&plain_type, &claims),
        sign(&header, &other_issuer),
        sign(&header, &other_audience),
        sign(&Header { kid: None, ..header.clone() }, &claims),
        sign(&Header { kid: Some("skey_x".to_owned()), ..header.clone() }, &claims),
        format!("{}.{}.", parts[0], parts[1]),
        format!("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{}.", parts[1]),
        signed_in.refresh_token.clone().unwrap(),
        format!("hf_{}", "0".repeat(46)),
        "x".repeat(1_000_000),
    ];
    for token in bad {
        let shown: String = token.chars().take(60).collect();
        assert_eq!(code(world.who(&token).await), is(401, "identity.token_invalid"), "{shown}");
        let cookie = world.identity.authenticate(&world.system().await, Credential::Cookie(&token), request()).await;
        assert_eq!(cookie.unwrap().actor.kind(), "anonymous", "{shown}");
    }
}

on_both_engines!(
    an_ended_session_is_refused_at_its_next_request,
    signing_out_ends_the_own_session_only,
    a_disabled_account_and_a_changed_role_count_at_once,
    a_removed_member_and_a_suspended_tenant_are_refused_at_once,
    nobody_slips_through_while_a_session_ends,
    what_is_remembered_needs_no_query_and_ages,
    tokens_end_with_their_time,
    use_keeps_a_session_alive_until_its_end,
    forged_and_malformed_credentials_are_refused,
);
