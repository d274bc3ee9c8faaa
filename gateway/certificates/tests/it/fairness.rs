//! A thousand names of ten tenants, one of them with nine hundred: the others wait little.

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use edge_certificates::{
    AskFor, Authority, Authorization, CaLimits, CertificateStore, ChallengeKind, Facts, Name, OrderView, Refusal,
    RenewalAdvice, Status,
};
use fake_ca::{CaConfig, ManualClock, Script, WorldValidator};
use tokio_util::sync::CancellationToken;

use crate::world::{World, name, sim_keys};

/// A CA that takes its time.
struct Far(Arc<dyn Authority>);

impl Far {
    async fn travel() {
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

#[async_trait]
impl Authority for Far {
    async fn order(&self, ask: AskFor<'_>) -> Result<OrderView, Refusal> {
        Self::travel().await;
        self.0.order(ask).await
    }
    async fn look(&self, order: &str) -> Result<OrderView, Refusal> {
        Self::travel().await;
        self.0.look(order).await
    }
    async fn authorizations(&self, order: &str) -> Result<Vec<Authorization>, Refusal> {
        Self::travel().await;
        self.0.authorizations(order).await
    }
    async fn ready(&self, order: &str, kind: ChallengeKind) -> Result<(), Refusal> {
        Self::travel().await;
        self.0.ready(order, kind).await
    }
    async fn failed_validation(&self, order: &str) -> Result<Option<Refusal>, Refusal> {
        self.0.failed_validation(order).await
    }
    async fn finalize(&self, order: &str, csr_der: &[u8]) -> Result<OrderView, Refusal> {
        Self::travel().await;
        self.0.finalize(order, csr_der).await
    }
    async fn download(&self, order: &str) -> Result<String, Refusal> {
        Self::travel().await;
        self.0.download(order).await
    }
    fn read(&self, chain_pem: &str) -> Result<Facts, Refusal> {
        self.0.read(chain_pem)
    }
    async fn renewal_advice(&self, ari_id: &str) -> Result<RenewalAdvice, Refusal> {
        self.0.renewal_advice(ari_id).await
    }
}

/// How long each name waited until its order began.
async fn waits(world: &World, wanted: &HashMap<Name, DateTime<Utc>>) -> HashMap<Name, TimeDelta> {
    let mut waits = HashMap::new();
    for (name, at) in wanted {
        let entries = world.store.timeline(name, 100).await.unwrap();
        let began = entries.iter().rev().find(|entry| entry.status == Status::Ordering);
        if let Some(began) = began {
            waits.insert(name.clone(), began.at - *at);
        }
    }
    waits
}

#[tokio::test(start_paused = true)]
async fn of_a_thousand_names_in_a_minute_the_small_tenants_wait_at_most_three_seconds() {
    let limits = CaLimits { orders: 0, ..CaLimits::default() };
    let world = World::new(CaConfig { limits, ..CaConfig::default() });
    let far: Arc<dyn Authority> = Arc::new(Far(world.logical(Arc::new(WorldValidator::default()))));
    let manager = world.manager("one", world.dyn_store(), vec![("fake", far)], sim_keys(), None);
    let mut wanted = HashMap::new();
    let arriving = async {
        for n in 0..1000_u32 {
            let tenant = if n % 10 == 9 { format!("small{}", n / 10 % 9) } else { "large".into() };
            let name = world.want(&format!("www.d{n}.com"), &tenant).await;
            wanted.insert(name, world.clock.now());
            tokio::time::sleep(Duration::from_millis(60)).await;
        }
        tokio::time::sleep(Duration::from_mins(3)).await;
    };
    tokio::select! {
        () = arriving => {}
        () = manager.run(CancellationToken::new()) => {}
    }

    let waits = waits(&world, &wanted).await;

    assert_eq!(waits.len(), 1000, "every name had its turn");
    let small = (0..1000).filter(|n| n % 10 == 9).map(|n| waits[&name(&format!("www.d{n}.com"))]).max().unwrap();
    let large = waits.values().max().unwrap();
    assert!(small <= TimeDelta::seconds(3), "a small tenant waited {small}");
    assert!(*large > TimeDelta::seconds(5), "without a queue ({large}) this test says nothing");
}

#[tokio::test]
async fn under_the_cas_limit_tenants_take_turns() {
    let clock = Arc::new(ManualClock::default());
    let world =
        World::on(Arc::clone(&clock) as Arc<dyn edge_certificates::Clock>, CaConfig::default(), Script::default());
    for n in 0..900 {
        world.want(&format!("www.large{n}.com"), "large").await;
    }
    for n in 0..100 {
        world.want(&format!("www.small{n}.com"), &format!("small{}", n % 9)).await;
    }
    let manager = world.logical_manager("one", Arc::new(WorldValidator::default()));

    for _ in 0..30 {
        manager.tick().await;
        clock.advance(TimeDelta::seconds(1));
    }

    assert_eq!(world.ca.trace().orders, 300, "the limit is used up");
    assert!(world.ca.breaches().is_empty());
    for n in 0..100 {
        let name = name(&format!("www.small{n}.com"));
        assert!(world.record(&name).await.progress.held.is_some(), "{name} had to wait for the large tenant");
    }
}
