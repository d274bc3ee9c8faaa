use std::sync::atomic::AtomicBool;

use chrono::TimeDelta;
use kernel::{Caller, ListParams, SYSTEM_TENANT, Tx};
use testkit::{Engine, on_both_engines};

use super::*;
use crate::SigningKeyState::{Active, Next, Retired};

impl World {
    async fn keys(&self) -> Vec<crate::SigningKey> {
        let caller = Caller::system("test", SYSTEM_TENANT);
        let params = ListParams { limit: Some(200), sort: Some("created_at".to_owned()), ..ListParams::default() };
        self.identity.list_signing_keys(&caller, &params).await.unwrap().1.items
    }
}

async fn a_rotation_promotes_the_next_key_and_keeps_the_last_one_published(engine: Engine) {
    let world = World::new(engine).await;
    let token = world.sign_in(OPERATOR).await.access_token.unwrap();
    let caller = world.who(&token).await.unwrap();
    let before = world.keys().await;
    assert_eq!(before.iter().map(|key| key.state).collect::<Vec<_>>(), [Active, Next]);

    let active = world.identity.rotate_signing_keys(&caller).await.unwrap();

    assert_eq!(active.id, before[1].id);
    let after = world.keys().await;
    assert_eq!(after.iter().map(|key| key.state).collect::<Vec<_>>(), [Retired, Active, Next]);
    let published = world.identity.jwks(&anonymous(SYSTEM_TENANT)).await.unwrap().keys;
    let kids: Vec<_> = published.iter().map(|key| key.kid.clone()).collect();
    assert_eq!(kids, after.iter().map(|key| key.id.to_string()).collect::<Vec<_>>());
    assert!(world.who(&token).await.is_ok());
    let fresh = world.sign_in(OPERATOR).await.access_token.unwrap();
    assert_eq!(jsonwebtoken::decode_header(&fresh).unwrap().kid, Some(active.id.to_string()));

    world.db.clock().shift(TimeDelta::minutes(16));
    world.identity.clean_up().await.unwrap();
    assert_eq!(world.keys().await.iter().map(|key| key.state).collect::<Vec<_>>(), [Active, Next]);
}

/// Two processes, one of which rotates again and again, while 64 tasks sign in and ask at both.
async fn no_request_fails_while_keys_rotate(engine: Engine) {
    let config = IdentityConfig { signin_limits: false, ..IdentityConfig::quick() };
    let world = Arc::new(World::with(engine, config.clone()).await);
    let other = world.another_process(config).await;
    let tenant = world.system().await;
    let caller = world.come(OPERATOR).await;
    let done = Arc::new(AtomicBool::new(false));

    let asked = at_once(|number| {
        let (world, other, tenant, done, caller) =
            (Arc::clone(&world), other.clone(), tenant.clone(), Arc::clone(&done), caller.clone());
        async move {
            if number == 0 {
                for _ in 0..4 {
                    let caller = afresh(&caller);
                    world.identity.rotate_signing_keys(&caller).await.unwrap();
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                done.store(true, Ordering::SeqCst);
            }
            let mut asked = 0;
            while !done.load(Ordering::SeqCst) || asked == 0 {
                let token = world.sign_in(OPERATOR).await.access_token.unwrap();
                world.who(&token).await.unwrap();
                other.authenticate(&tenant, Credential::Bearer(&token), request()).await.unwrap();
                asked += 1;
            }
            asked
        }
    })
    .await;

    assert!(asked.iter().sum::<u32>() >= 64);
    assert_eq!(world.keys().await.iter().filter(|key| key.state == Retired).count(), 4);
}

async fn the_first_keys_are_made_once(engine: Engine) {
    let world = World::new(engine).await;
    let mut processes = Vec::new();
    for _ in 0..4 {
        processes.push(world.another_process(IdentityConfig::quick()).await);
    }

    let signers = at_once(|number| {
        let identity = processes[number % 4].clone();
        async move { identity.ring(SYSTEM_TENANT).await.unwrap().signer().0.to_owned() }
    })
    .await;

    assert!(signers.iter().all(|signer| *signer == signers[0]));
    assert_eq!(world.keys().await.len(), 2);
}

async fn rotations_at_once_leave_one_active_and_one_next_key(engine: Engine) {
    let world = Arc::new(World::new(engine).await);
    let caller = world.come(OPERATOR).await;

    at_once(|_| {
        let (world, caller) = (Arc::clone(&world), afresh(&caller));
        async move { world.identity.rotate_signing_keys(&caller).await.unwrap() }
    })
    .await;

    let keys = world.keys().await;
    let count = |state| keys.iter().filter(|key| key.state == state).count();
    assert_eq!((count(Retired), count(Active), count(Next)), (64, 1, 1));
}

async fn old_keys_are_replaced_by_the_job(engine: Engine) {
    let world = World::new(engine).await;
    let before = {
        world.come(OPERATOR).await;
        world.keys().await
    };
    world.identity.rotate_old_keys().await.unwrap();
    assert_eq!(world.keys().await, before, "young keys stay");

    world.db.clock().shift(TimeDelta::days(91));
    world.identity.rotate_old_keys().await.unwrap();
    world.identity.rotate_old_keys().await.unwrap();

    let states: Vec<_> = world.keys().await.iter().map(|key| key.state).collect();
    assert_eq!(states, [Retired, Active, Next]);
}

async fn the_private_half_rests_sealed_and_bound_to_its_row(engine: Engine) {
    let world = World::new(engine).await;
    world.come(OPERATOR).await;

    let mix_up = async |tx: &Tx| {
        let pairs = crate::store::signing_keys::published(tx).await?;
        for pair in &pairs {
            // PKCS #8 of an EC key begins with a sequence and names the curve.
            assert!(!pair.sealed_private.windows(8).any(|bytes| bytes == [0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]));
        }
        let sql = "UPDATE identity_signing_key SET private_key = $1 WHERE id = $2";
        let values = [pairs[1].sealed_private.clone().into(), pairs[0].key.id.into()];
        Ok::<_, kernel::Problem>(tx.execute(sql, values).await?)
    };
    world.db.write(&Caller::system("test", SYSTEM_TENANT), mix_up).await.unwrap();

    let other = world.another_process(IdentityConfig::quick()).await;
    assert!(other.ring(SYSTEM_TENANT).await.is_err(), "a swapped key does not open");
}

on_both_engines!(
    a_rotation_promotes_the_next_key_and_keeps_the_last_one_published,
    no_request_fails_while_keys_rotate,
    the_first_keys_are_made_once,
    rotations_at_once_leave_one_active_and_one_next_key,
    old_keys_are_replaced_by_the_job,
    the_private_half_rests_sealed_and_bound_to_its_row,
);
