use kernel::SYSTEM_TENANT;
use testkit::{Engine, on_both_engines};

use super::*;
use crate::CompleteSetup;

fn setup(token: &str, email: &str) -> CompleteSetup {
    CompleteSetup { token: secret(token), email: email.to_owned(), password: secret(PASSWORD), display_name: None }
}

async fn the_printed_token_makes_the_first_operator_once(engine: Engine) {
    let world = World::without_operator(engine, IdentityConfig::quick()).await;
    let nobody = anonymous(SYSTEM_TENANT);
    assert!(world.identity.get_setup(&nobody).await.unwrap().needed);
    let token = world.identity.setup_token().await.unwrap().unwrap();
    assert_eq!(world.identity.setup_token().await.unwrap().as_deref(), Some(token.as_str()));

    let wrong = world.identity.complete_setup(&nobody, setup("wrong", OPERATOR)).await;
    let weak = CompleteSetup { password: secret("short"), ..setup(&token, OPERATOR) };
    let weak = world.identity.complete_setup(&nobody, weak).await;
    let made = world.identity.complete_setup(&nobody, setup(&token, OPERATOR)).await.unwrap();

    assert_eq!(code(wrong), is(403, "identity.setup_token_wrong"));
    assert_eq!(code(weak), is(400, "identity.password_too_short"));
    assert_eq!((made.email.as_str(), made.display_name.as_str()), (OPERATOR, "Operator"));
    assert!(!world.identity.get_setup(&nobody).await.unwrap().needed);
    assert_eq!(world.identity.setup_token().await.unwrap(), None);
    let again = world.identity.complete_setup(&nobody, setup(&token, "second@example.test")).await;
    assert_eq!(code(again), is(409, "identity.setup_done"));
    let late = world.identity.complete_setup(&nobody, setup("wrong", "second@example.test")).await;
    assert_eq!(code(late), is(409, "identity.setup_done"));
    let me = world.identity.me(&world.come(OPERATOR).await).await.unwrap();
    assert_eq!((me.roles, me.tenant.slug.as_str()), (vec!["owner".to_owned()], "system"));
    assert!(world.trail(SYSTEM_TENANT).await.iter().any(|(action, _)| action == "identity.setup_completed"));
    assert!(world.events(SYSTEM_TENANT).await.contains(&"identity.setup_completed".to_owned()));
}

async fn of_many_who_complete_the_setup_at_once_one_does(engine: Engine) {
    // Slow hashes, so that the processes meet in the middle.
    let slow = IdentityConfig { hash_memory: 8192, hash_passes: 2, ..IdentityConfig::quick() };
    let config = IdentityConfig { hash_threads: 1, hash_queue: 1, ..slow };
    let world = World::without_operator(engine, config.clone()).await;
    let other = world.another_process(config).await;
    let processes = [(world.identity.clone(), 0), (other, 1)];
    let mut tokens = Vec::new();
    for (identity, _) in &processes {
        tokens.push(identity.setup_token().await.unwrap().unwrap());
    }

    let outcomes = at_once(|number| {
        let (identity, process) = processes[number % 2].clone();
        let new = setup(&tokens[process], &format!("operator{number}@example.test"));
        async move {
            identity.complete_setup(&anonymous(SYSTEM_TENANT), new).await.map_err(|error| code(Err::<(), _>(error)))
        }
    })
    .await;

    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let refused: Vec<_> = outcomes.into_iter().filter_map(Result::err).collect();
    assert!(refused.iter().all(|code| *code == is(409, "identity.setup_done")), "{refused:?}");
    assert_eq!(world.count("identity_account", SYSTEM_TENANT).await, 1);
    assert_eq!(world.count("tenancy_member", SYSTEM_TENANT).await, 1);
}

async fn the_unattended_setup_does_nothing_the_second_time(engine: Engine) {
    let world = World::new(engine).await;

    world.identity.setup_unattended("other@example.test", &secret(PASSWORD)).await.unwrap();

    assert_eq!(world.count("identity_account", SYSTEM_TENANT).await, 1);
    let fresh = World::without_operator(engine, IdentityConfig::quick()).await;
    let weak = fresh.identity.setup_unattended(OPERATOR, &secret("operatoroperator")).await;
    assert_eq!(code(weak), is(400, "identity.password_blocked"));
}

async fn the_setup_belongs_to_the_system_tenant(engine: Engine) {
    let world = World::new(engine).await;
    let (acme, _) = world.new_tenant("acme").await;

    assert!(!world.identity.get_setup(&anonymous(acme)).await.unwrap().needed);
    let there = world.identity.complete_setup(&anonymous(acme), setup("x", OPERATOR)).await;
    assert_eq!(code(there).0, 404);
}

on_both_engines!(
    the_printed_token_makes_the_first_operator_once,
    of_many_who_complete_the_setup_at_once_one_does,
    the_unattended_setup_does_nothing_the_second_time,
    the_setup_belongs_to_the_system_tenant,
);
