//! Replicas share one budget, in every store.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use gateway::{Allowances, Claim, Grant};
use kernel::{Db, Problem};
use testkit::{Broker, Engine, TestDb};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::{LimitStore, SharedBudgets, SharedLimitsConfig};

/// How long the slowest limit here takes to be whole again.
const LONGEST: Duration = Duration::from_mins(40);
const KEY: [u8; 16] = [7; 16];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Sqlite,
    Postgres,
    Redis,
    Nats,
}

/// A store, and what its replicas stand on.
struct Floor {
    kind: Kind,
    db: TestDb,
    broker: Option<Broker>,
}

impl Floor {
    async fn new(kind: Kind) -> Self {
        let engine = if kind == Kind::Postgres { Engine::Postgres } else { Engine::Sqlite };
        let broker = match kind {
            Kind::Sqlite | Kind::Postgres => None,
            Kind::Redis => Some(Broker::redis()),
            Kind::Nats => Some(Broker::nats()),
        };
        Self { kind, db: testkit::db(engine).await, broker }
    }

    fn config(&self) -> SharedLimitsConfig {
        let store = match self.kind {
            Kind::Sqlite | Kind::Postgres => LimitStore::Database,
            Kind::Redis => LimitStore::Redis,
            Kind::Nats => LimitStore::Nats,
        };
        config(store, &self.broker.as_ref().map(Broker::url).unwrap_or_default())
    }

    /// As in another process.
    async fn replica(&self) -> Arc<SharedBudgets> {
        self.replica_on(self.db.again().await)
    }

    fn replica_on(&self, db: Db) -> Arc<SharedBudgets> {
        Arc::new(SharedBudgets::open(&self.config(), LONGEST, db).unwrap())
    }

    /// How far apart clocks may be that share it.
    fn skew(&self) -> TimeDelta {
        if self.broker.is_some() { TimeDelta::hours(30) } else { TimeDelta::seconds(1) }
    }

    /// Replaces what is kept of the key, and of no other.
    async fn spoil(&self, with: &str) {
        match self.kind {
            Kind::Sqlite | Kind::Postgres => self.spoil_row(with).await,
            Kind::Redis => self.spoil_redis(with).await,
            Kind::Nats => self.spoil_nats(with).await,
        }
    }

    async fn spoil_row(&self, with: &str) {
        let whole_at: i64 = with.parse().unwrap_or(i64::MIN);
        let caller = kernel::Caller::platform("test");
        let spoilt = self.db.write(&caller, async |tx| {
            Ok::<_, Problem>(tx.execute("UPDATE edge_allowance SET whole_at = $1", [whole_at.into()]).await?)
        });
        spoilt.await.unwrap();
    }

    async fn spoil_redis(&self, with: &str) {
        let client = redis::Client::open(self.config_url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let keys: Vec<String> =
            redis::cmd("KEYS").arg("holdfast:*:search:*").query_async(&mut connection).await.unwrap();
        assert_eq!(keys.len(), 1, "{keys:?}");
        let mut pipe = redis::pipe();
        pipe.del(&keys[0]).ignore();
        if with == "a list" {
            pipe.rpush(&keys[0], with).ignore();
        } else {
            pipe.set(&keys[0], with).ignore();
        }
        pipe.exec_async(&mut connection).await.unwrap();
    }

    async fn spoil_nats(&self, with: &str) {
        use futures_util::TryStreamExt;

        let context = async_nats::jetstream::new(self.nats().await);
        let names: Vec<String> = context.stream_names().try_collect().await.unwrap();
        let name = names.iter().find_map(|name| name.strip_prefix("KV_").filter(|name| name.contains("limits")));
        let bucket = context.get_key_value(name.unwrap()).await.unwrap();
        let keys: Vec<String> = bucket.keys().await.unwrap().try_collect().await.unwrap();
        assert_eq!(keys.len(), 1, "{keys:?}");
        bucket.put(&keys[0], with.to_owned().into()).await.unwrap();
    }

    async fn nats(&self) -> async_nats::Client {
        let broker = self.broker.as_ref().unwrap();
        let address = broker.url().split_once('@').unwrap().1.to_owned();
        let options =
            async_nats::ConnectOptions::new().user_and_password("holdfast".to_owned(), broker.password().to_owned());
        options.connect(address).await.unwrap()
    }

    fn config_url(&self) -> String {
        self.broker.as_ref().unwrap().url()
    }
}

fn config(store: LimitStore, url: &str) -> SharedLimitsConfig {
    SharedLimitsConfig { store, url: url.into(), ca_file: String::new() }
}

/// A token a minute, so that none comes back during a test.
fn claim(burst: u32, spent: i64, want: u32) -> Claim {
    let (per_minute, burst) = (NonZeroU32::MIN, NonZeroU32::new(burst).unwrap());
    Claim { limit: "search".into(), key: KEY, per_minute, burst, spent, want }
}

async fn settle(budgets: &SharedBudgets, claim: Claim) -> Grant {
    budgets.settle(&[claim]).await.expect("the store is there").grants[0].expect("nobody else settles")
}

async fn grant(budgets: &SharedBudgets, spent: i64, want: u32) -> Grant {
    settle(budgets, claim(10, spent, want)).await
}

/// Waits until the store is there, or away.
async fn until(budgets: &SharedBudgets, there: bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while budgets.settle(&[claim(10, 0, 1)]).await.is_some() != there {
        assert!(Instant::now() < deadline, "the store does not become {}", if there { "present" } else { "absent" });
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn what_replicas_lease_together_is_the_budget(kind: Kind) {
    let floor = Floor::new(kind).await;
    let mut replicas = Vec::new();
    for _ in 0..8 {
        // As in a process, which settles once at a time.
        replicas.push(Arc::new(Mutex::new(floor.replica().await)));
    }
    let mut tasks = JoinSet::new();
    for task in 0..64 {
        let budgets = Arc::clone(&replicas[task % 8]);
        tasks.spawn(async move {
            let (mut leased, mut unheard) = (0, 0);
            loop {
                // On a busy machine a round may take longer than anybody waits for it; what it leased is nobody's then.
                let Some(settled) = budgets.lock().await.settle(&[claim(200, 0, 1)]).await else {
                    unheard += 1;
                    continue;
                };
                match settled.grants[0] {
                    None => {} // others were faster
                    Some(Grant { tokens: 0, .. }) => return (leased, unheard),
                    Some(grant) => leased += grant.tokens,
                }
            }
        });
    }

    let outcomes = tasks.join_all().await;

    let leased: u32 = outcomes.iter().map(|(leased, _)| leased).sum();
    let unheard: u32 = outcomes.iter().map(|(_, unheard)| unheard).sum();
    // A token comes back each minute.
    assert!(leased <= 202 && leased + unheard >= 200, "{leased} and {unheard}");
    let mut names = Vec::new();
    for budgets in &replicas {
        names.push(budgets.lock().await.name("search", b"ali"));
    }
    assert!(names.iter().all(|name| *name == names[0]), "a key has one name at all replicas");
}

async fn replicas_know_how_many_they_are(kind: Kind) {
    let floor = Floor::new(kind).await;
    let mut told = Vec::new();
    let mut all = Vec::new();
    for _ in 0..3 {
        all.push(floor.replica().await);
        told.push(all.last().unwrap().settle(&[]).await.unwrap().replicas);
    }

    assert_eq!(told, [1, 2, 3]);
}

async fn what_is_spent_lessens_the_budget_and_what_goes_back_restores_it(kind: Kind) {
    let floor = Floor::new(kind).await;
    let (one, other) = (floor.replica().await, floor.replica().await);

    assert_eq!(grant(&one, 0, 4).await.tokens, 4);
    assert_eq!(grant(&other, 4, 9).await.tokens, 2);
    let empty = grant(&one, 0, 1).await;
    assert_eq!(empty.tokens, 0);
    assert!(empty.wait > Duration::ZERO && empty.wait <= Duration::from_mins(1), "{empty:?}");
    assert_eq!(grant(&one, -3, 9).await.tokens, 3);
    // Nobody gets more than the burst, whatever goes back.
    assert_eq!(grant(&other, -50, 50).await.tokens, 10);
}

async fn each_account_of_a_round_has_its_own_budget(kind: Kind) {
    let floor = Floor::new(kind).await;
    let budgets = floor.replica().await;
    let claims: Vec<_> = (0..=255).map(|key| Claim { key: [key; 16], ..claim(10, 0, u32::from(key)) }).collect();

    for taken in [0, 1] {
        let settled = budgets.settle(&claims).await.unwrap();

        let granted: Vec<_> = settled.grants.iter().map(|grant| grant.unwrap().tokens).collect();
        let left = |want: u32| want.min(10_u32.saturating_sub(want * taken));
        assert_eq!(granted, (0..=255).map(left).collect::<Vec<_>>());
    }
}

async fn a_budget_becomes_whole_again(kind: Kind) {
    let floor = Floor::new(kind).await;
    let budgets = floor.replica().await;
    let quick = |want| Claim { per_minute: NonZeroU32::new(60_000).unwrap(), ..claim(10, 0, want) };
    assert_eq!(settle(&budgets, quick(10)).await.tokens, 10);

    let mut again = 0;
    while again < 10 {
        again += settle(&budgets, quick(10)).await.tokens;
    }

    assert!(settle(&budgets, quick(50)).await.tokens <= 10);
}

async fn replicas_with_other_clocks_share_the_budget(kind: Kind) {
    let floor = Floor::new(kind).await;
    let (behind, ahead) = (floor.db.again().await, floor.db.again().await);
    ahead.clock().shift(floor.skew());
    let (behind, ahead) = (floor.replica_on(behind), floor.replica_on(ahead));

    assert_eq!(grant(&ahead, 0, 4).await.tokens, 4);
    assert_eq!(grant(&behind, 0, 4).await.tokens, 4);
    assert_eq!(grant(&ahead, 0, 4).await.tokens, 2);
    assert_eq!(grant(&behind, 0, 4).await.tokens, 0);
}

async fn what_is_no_budget_counts_as_a_whole_one(kind: Kind) {
    let floor = Floor::new(kind).await;
    let budgets = floor.replica().await;
    for with in ["soup", "", "-1", "nan", "inf", "1e99", "9000000000000000000", "a list"] {
        assert!(grant(&budgets, 0, 1).await.tokens > 0);

        floor.spoil(with).await;

        assert_eq!(grant(&budgets, 0, 10).await.tokens, 10, "{with}");
        assert_eq!(grant(&budgets, 0, 10).await.tokens, 0, "{with}");
        assert_eq!(grant(&budgets, -10, 0).await.tokens, 0);
    }
}

async fn a_database_that_is_away_waits_for_nobody(kind: Kind) {
    let floor = Floor::new(kind).await;
    let closed = floor.db.again().await;
    let budgets = floor.replica_on(closed.clone());
    assert!(budgets.settle(&[]).await.is_some());

    closed.close().await;

    assert!(budgets.settle(&[claim(10, 1, 1)]).await.is_none());
}

async fn a_broker_may_be_killed_and_come_back(kind: Kind) {
    let mut floor = Floor::new(kind).await;
    let budgets = floor.replica().await;
    assert_eq!(grant(&budgets, 0, 4).await.tokens, 4);

    floor.broker.as_mut().unwrap().kill9();
    assert!(budgets.settle(&[claim(10, 0, 1)]).await.is_none());
    let born_without = floor.replica().await;
    assert!(born_without.settle(&[claim(10, 0, 1)]).await.is_none());

    floor.broker.as_mut().unwrap().resume();
    until(&budgets, true).await;
    until(&born_without, true).await;
    // What it had in memory is gone; a new budget is one for both.
    let leased = grant(&budgets, 0, 10).await.tokens + grant(&born_without, 0, 10).await.tokens;
    assert!((1..=10).contains(&leased), "{leased}");
}

async fn a_broker_may_stop_to_answer_and_go_on(kind: Kind) {
    let floor = Floor::new(kind).await;
    let budgets = floor.replica().await;
    until(&budgets, true).await;

    floor.broker.as_ref().unwrap().freeze(true);
    assert!(budgets.settle(&[claim(10, 0, 1)]).await.is_none());

    floor.broker.as_ref().unwrap().freeze(false);
    until(&budgets, true).await;
}

async fn a_server_that_never_answers_counts_as_away(kind: Kind) {
    let floor = Floor::new(kind).await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = silent.accept().await {
            held.push(stream);
        }
    });
    let (store, scheme) = if kind == Kind::Redis { (LimitStore::Redis, "redis") } else { (LimitStore::Nats, "nats") };
    let config = config(store, &format!("{scheme}://{address}"));

    let budgets = SharedBudgets::open(&config, LONGEST, (*floor.db).clone()).unwrap();

    assert!(budgets.settle(&[claim(10, 0, 1)]).await.is_none());
    let why = config.check().await.unwrap_err().to_string();
    assert!(why.contains("no answer") || why.contains("timed out"), "{why}");
}

async fn a_broker_is_reached_by_tls(kind: Kind) {
    let (store, broker) = match kind {
        Kind::Redis => (LimitStore::Redis, Broker::redis_over_tls()),
        _ => (LimitStore::Nats, Broker::nats_over_tls()),
    };
    let ca_file = broker.authority().display().to_string();
    let trusting = SharedLimitsConfig { ca_file, ..config(store, &broker.url()) };
    let plain = broker.url().replace("rediss://", "redis://").replace("tls://", "nats://");

    assert!(trusting.check().await.unwrap().contains("serves"));
    let stranger = config(store, &broker.url()).check().await.unwrap_err().to_string();
    assert!(stranger.contains("certificate"), "{stranger}");
    assert!(config(store, &plain).check().await.is_err());
}

async fn a_check_tells_what_is_wrong(kind: Kind) {
    let mut floor = Floor::new(kind).await;
    let whole = floor.config();
    let password = floor.broker.as_ref().unwrap().password().to_owned();
    let wrong = config(whole.store, &floor.config_url().replace(&password, "wrong"));

    assert!(whole.check().await.unwrap().contains("serves"));
    let refused = wrong.check().await.unwrap_err().to_string();
    assert!(refused.contains("does not serve") && !refused.contains("wrong@"), "{refused}");
    floor.broker.as_mut().unwrap().kill9();
    let gone = whole.check().await.unwrap_err().to_string();
    assert!(gone.contains("refused") && !gone.contains(&password), "{gone}");
}

/// Makes a test of each body and each of the kinds.
macro_rules! in_each {
    ($($place:ident: $kind:ident),+ => $bodies:tt) => {
        $(mod $place {
            in_each!(@ $kind $bodies);
        })+
    };
    (@ $kind:ident [$($test:ident),+ $(,)?]) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            super::super::$test(super::super::Kind::$kind).await;
        })+
    };
}

mod all {
    in_each!(sqlite: Sqlite, postgres: Postgres, redis: Redis, nats: Nats => [
        what_replicas_lease_together_is_the_budget,
        replicas_know_how_many_they_are,
        what_is_spent_lessens_the_budget_and_what_goes_back_restores_it,
        each_account_of_a_round_has_its_own_budget,
        a_budget_becomes_whole_again,
        replicas_with_other_clocks_share_the_budget,
        what_is_no_budget_counts_as_a_whole_one,
    ]);
}

mod databases {
    in_each!(sqlite: Sqlite, postgres: Postgres => [a_database_that_is_away_waits_for_nobody]);
}

mod brokers {
    in_each!(redis: Redis, nats: Nats => [
        a_broker_may_be_killed_and_come_back,
        a_broker_may_stop_to_answer_and_go_on,
        a_server_that_never_answers_counts_as_away,
        a_broker_is_reached_by_tls,
        a_check_tells_what_is_wrong,
    ]);
}
