//! No answer crosses from one scope to another.

use edge_cache::{PurgeMode, Scheme, Scope};
use proptest::prelude::*;
use uuid::Uuid;

use crate::support::{House, answer, get};

fn all_scopes() -> Vec<Scope> {
    let tenants = [Uuid::nil(), Uuid::from_u128(1), Uuid::from_u128(2), Uuid::max()];
    let hosts = ["a.test", "b.test", "a.test:8443", "a.tes", "ta.test"];
    let schemes = [Scheme::Http, Scheme::Https];
    let pairs = tenants.iter().flat_map(|tenant| hosts.iter().map(move |host| (tenant, host)));
    pairs.flat_map(|(tenant, host)| schemes.map(|scheme| Scope::new(*tenant, scheme, host))).collect()
}

#[tokio::test]
async fn every_scope_has_its_own_answer_to_the_same_request() {
    let house = House::new();
    let cacheable = [("cache-control", "public, max-age=60"), ("surrogate-key", "all")];
    for (number, scope) in all_scopes().iter().enumerate() {
        let text: &'static str = Box::leak(number.to_string().into_boxed_str());
        let read = house.send_in(scope, get("/"), answer(&cacheable, text)).await;
        assert!(!read.is_hit(), "{scope:?} got {:?}", read.body);
    }

    for (number, scope) in all_scopes().iter().enumerate() {
        let hit = house.send_in(scope, get("/"), answer(&[], "no")).await;
        assert_eq!(hit.body, number.to_string(), "{scope:?}");
    }
}

#[tokio::test]
async fn a_purge_stays_within_its_tenant() {
    for purge in 0..4 {
        let house = House::new();
        let cacheable = [("cache-control", "public, max-age=60"), ("surrogate-key", "all")];
        for scope in all_scopes() {
            house.send_in(&scope, get("/x"), answer(&cacheable, "one")).await;
        }
        let tenant = Uuid::from_u128(1);
        let whole_tenant = all_scopes().iter().filter(|scope| scope.tenant() == tenant).count();
        let count = match purge {
            0 => house.cache.purge_tags(tenant, &["all".to_owned()], PurgeMode::Hard).await,
            1 => house.cache.purge_prefix(tenant, None, "/", PurgeMode::Hard).await,
            2 => house.cache.purge_tenant(tenant, PurgeMode::Hard).await,
            _ => {
                let scopes = all_scopes();
                let own = scopes.iter().filter(|scope| scope.tenant() == tenant);
                let mut count = 0;
                for scope in own {
                    let target = "/x".parse().unwrap();
                    count += house.cache.purge_target(scope, &house.policy, &target, PurgeMode::Hard).await;
                }
                count
            }
        };

        assert_eq!(count, whole_tenant);
        for scope in all_scopes() {
            let read = house.send_in(&scope, get("/x"), answer(&[("cache-control", "no-store")], "two")).await;
            assert_eq!(read.is_hit(), scope.tenant() != tenant, "{purge} {scope:?}");
        }
    }
}

proptest! {
    /// Requests of two tenants in any order: each only ever sees its own text.
    #[test]
    fn no_order_of_requests_mixes_two_tenants(steps in prop::collection::vec((0_u8..2, 0_u8..3, 0_u64..20), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let house = House::new();
            for (tenant, path, wait) in steps {
                let scope = Scope::new(Uuid::from_u128(tenant.into()), Scheme::Https, "a.test");
                let text = if tenant == 0 { "zero" } else { "one" };
                let control = [("cache-control", "max-age=10, stale-while-revalidate=5"), ("etag", "\"same\"")];
                let read = house.send_in(&scope, get(&format!("/{path}")), answer(&control, text)).await;
                prop_assert_eq!(&read.body, text);
                house.pass(wait);
            }
            Ok(())
        })?;
    }
}
