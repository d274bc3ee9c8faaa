//! Budgets in Redis or Valkey: one script settles a round in one round trip, by the server's clock.
//!
//! All keys have one hash tag, so that a proxy before a cluster finds them in one place. Deliberately absent: the
//! protocols of Redis Cluster and Sentinel; the address is that of one server, or of what stands before several.

use std::time::Duration;

use gateway::{Claim, Grant, Settled};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Script};
use tokio::sync::Mutex;

use super::{Away, Names, SILENCE, budget};

const SETTLE: &str = include_str!("settle.lua");

/// Budgets in Redis.
pub(super) struct Redis {
    client: Client,
    names: Names,
    script: Script,
    /// Not there while a round is under way: one that fails or is given up leaves none behind, for nobody knows what
    /// state a connection is in that did not answer.
    connection: Mutex<Option<MultiplexedConnection>>,
}

impl Redis {
    pub(super) fn new(client: Client, names: Names) -> Self {
        Self { client, names, script: Script::new(SETTLE), connection: Mutex::default() }
    }

    pub(super) async fn settle(&self, claims: &[Claim]) -> Result<Settled, Away> {
        let mut place = self.connection.lock().await;
        let mut connection = match place.take() {
            Some(connection) => connection,
            None => connect(&self.client).await?,
        };
        let settled = self.ask(&mut connection, claims).await?;
        *place = Some(connection);
        Ok(settled)
    }

    async fn ask(&self, connection: &mut MultiplexedConnection, claims: &[Claim]) -> Result<Settled, Away> {
        let prefix = format!("holdfast:{{{}}}", self.names.installation);
        let mut script = self.script.prepare_invoke();
        script.key(format!("{prefix}:replicas")).arg(&self.names.replica).arg(micros(SILENCE));
        for claim in claims {
            script.key(format!("{prefix}:{}:{}", claim.limit, hex::encode(claim.key)));
            script.arg(budget::interval(claim)).arg(claim.burst.get()).arg(claim.spent).arg(claim.want);
        }
        let answer: Vec<i64> = script.invoke_async(connection).await?;
        settled(&answer, claims.len()).ok_or_else(|| Away("an answer of the wrong form".to_owned()))
    }
}

/// Whether it runs the script, changing nothing.
pub(super) async fn ask(client: &Client) -> Result<(), Away> {
    let mut connection = connect(client).await?;
    let script = Script::new(SETTLE);
    let answer: Vec<i64> = script.key("holdfast:{}:replicas").arg("").arg(0).invoke_async(&mut connection).await?;
    settled(&answer, 0).map(drop).ok_or_else(|| Away("an answer of the wrong form".to_owned()))
}

async fn connect(client: &Client) -> Result<MultiplexedConnection, Away> {
    // All of a round has one time, which those who call keep.
    let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
    Ok(client.get_multiplexed_async_connection_with_config(&config).await?)
}

fn settled(answer: &[i64], claims: usize) -> Option<Settled> {
    let (replicas, grants) = answer.split_first()?;
    let (grants, rest) = grants.as_chunks::<2>();
    if grants.len() != claims || !rest.is_empty() {
        return None;
    }
    let grant = |&[tokens, wait]: &[i64; 2]| {
        let wait = Duration::from_micros(u64::try_from(wait).unwrap_or_default());
        Some(Grant { tokens: u32::try_from(tokens).unwrap_or_default(), wait })
    };
    let replicas = u32::try_from(*replicas).unwrap_or(1).max(1);
    Some(Settled { grants: grants.iter().map(grant).collect(), replicas })
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
