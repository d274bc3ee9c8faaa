//! What began at a tenant's own domain ends with it, and nothing else does.

use kernel::{Caller, Problem, SYSTEM_TENANT, Tx};
use testkit::{Engine, on_both_engines};

use super::*;

impl World {
    /// A domain that the system tenant holds, as if its proof had been seen.
    async fn hold(&self, name: &str) -> tenancy::Domain {
        let caller = Caller::system("test", SYSTEM_TENANT);
        let new = tenancy::NewDomain { name: name.to_owned() };
        let domain = self.tenancy.claim_domain(&caller, new).await.unwrap();
        let prove = async |tx: &Tx| {
            let sql = "UPDATE tenancy_domain SET status = 'verified' WHERE id = $1";
            Ok::<_, Problem>(tx.execute(sql, [domain.id.into()]).await?)
        };
        self.db.write(&caller, prove).await.unwrap();
        domain
    }

    fn at(host: &str) -> Caller {
        let mut caller = anonymous(SYSTEM_TENANT);
        caller.request.host = Some(host.into());
        caller
    }

    async fn sign_in_by(&self, host: &str) -> Result<SignIn, Error> {
        let signed_in = self.identity.sign_in(&Self::at(host), credentials(OPERATOR, PASSWORD)).await;
        signed_in.map(|signed_in| signed_in.sign_in)
    }
}

async fn sessions_and_keys_end_with_the_domain_at_which_they_began(engine: Engine) {
    let world = World::new(engine).await;
    let (app, wild) = (world.hold("app.customer.com").await, world.hold("*.customer.com").await);
    let there = world.sign_in_by("app.customer.com").await.unwrap();
    let below = world.sign_in_by("shop.customer.com").await.unwrap();
    let here = world.sign_in_by("localhost").await.unwrap();
    assert_eq!(there.session.domain.as_deref(), Some("app.customer.com"));
    assert_eq!((below.session.domain.as_deref(), here.session.domain), (Some("shop.customer.com"), None));
    let token = |it: &SignIn| it.access_token.clone().unwrap();
    let mut caller = world.who(&token(&there)).await.unwrap();
    caller.request.host = Some("app.customer.com".into());
    let key = crate::NewApiKey { name: "x".to_owned(), scopes: None, expires_at: None };
    let key = world.identity.create_api_key(&caller, key).await.unwrap();
    assert_eq!(key.api_key.domain.as_deref(), Some("app.customer.com"));

    let operator = Caller::system("test", SYSTEM_TENANT);
    world.tenancy.release_domain(&operator, app.id, kernel::Expected::Any).await.unwrap();
    world.deliver_until(async || world.who(&token(&there)).await.is_err()).await;
    assert_eq!(code(world.who(&token(&there)).await), is(401, "identity.token_invalid"));
    assert_eq!(code(world.who(&key.secret).await), is(401, "identity.token_invalid"));
    assert!(world.who(&token(&below)).await.is_ok() && world.who(&here.access_token.clone().unwrap()).await.is_ok());

    world.tenancy.release_domain(&operator, wild.id, kernel::Expected::Any).await.unwrap();
    world.deliver_until(async || world.who(&token(&below)).await.is_err()).await;
    assert_eq!(code(world.who(&token(&below)).await), is(401, "identity.token_invalid"));
    assert!(world.who(&here.access_token.unwrap()).await.is_ok(), "the installation's own address is no domain");
    assert!(world.trail(SYSTEM_TENANT).await.iter().any(|(action, _)| action == "identity.domain_left"));
}

async fn a_name_of_its_own_keeps_what_a_wildcard_gives_up(engine: Engine) {
    let world = World::new(engine).await;
    let (wild, _app) = (world.hold("*.customer.com").await, world.hold("app.customer.com").await);
    let kept = world.sign_in_by("app.customer.com").await.unwrap().access_token.unwrap();
    let gone = world.sign_in_by("shop.customer.com").await.unwrap().access_token.unwrap();

    let operator = Caller::system("test", SYSTEM_TENANT);
    world.tenancy.release_domain(&operator, wild.id, kernel::Expected::Any).await.unwrap();
    world.deliver_until(async || world.who(&gone).await.is_err()).await;

    assert!(world.who(&gone).await.is_err() && world.who(&kept).await.is_ok());
    assert_eq!(code(world.sign_in_by("shop.customer.com").await), is(404, "kernel.not_found"), "nobody's by now");
}

on_both_engines!(
    sessions_and_keys_end_with_the_domain_at_which_they_began,
    a_name_of_its_own_keeps_what_a_wildcard_gives_up,
);
