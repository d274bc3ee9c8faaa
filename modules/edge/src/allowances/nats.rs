//! Budgets in NATS `JetStream`: an entry each in a key-value bucket, changed by compare-and-set on its revision.
//!
//! A second bucket forgets what is older than [`SILENCE`], so the entries in it are the replicas. The moment at which the
//! server kept the own one gives the server's clock, which all replicas reckon with instead of their own.
//!
//! A bucket that is there already is taken as it is, so that an operator of a cluster may make it with several copies.

use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::kv::{Store, UpdateErrorKind};
use async_nats::jetstream::stream::{self, DiscardPolicy, StorageType};
use async_nats::jetstream::{self, Context, ErrorCode};
use async_nats::{Client, ConnectOptions};
use futures_util::{StreamExt, stream as streams};
use gateway::{Claim, Grant, Settled};
use secrecy::ExposeSecret;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use super::address::{Credentials, Servers};
use super::{Away, Names, PATIENCE, SILENCE, budget};

/// How often others may be faster before an account waits for the next round.
const TRIES: usize = 12;
/// Accounts that are settled at once.
const AT_ONCE: usize = 64;
/// When a round stops to wait for single accounts, before all of it counts as away.
const ENOUGH: Duration = Duration::from_millis(1500);
/// How old the notion of the server's clock and of the replicas may grow.
const FRESH: Duration = Duration::from_secs(4);
/// The shortest time that a bucket keeps budgets.
const KEPT: Duration = Duration::from_mins(2);

/// Budgets in NATS.
pub(super) struct Nats {
    servers: Servers,
    names: Names,
    kept: Duration,
    /// Not there while a round is under way, so that one that fails leaves none behind: buckets go with a server's memory.
    session: Mutex<Option<Session>>,
}

/// A connection, with what is known over it.
struct Session {
    client: Client,
    budgets: Store,
    replicas: Store,
    clock: Option<ServerClock>,
}

/// What the server's clock said at a moment of ours, and how many replicas there were.
#[derive(Clone, Copy)]
struct ServerClock {
    said: i64,
    at: Instant,
    replicas: u32,
}

impl Nats {
    /// `longest` is how long the slowest limit takes to be whole again.
    pub(super) fn new(servers: Servers, names: Names, longest: Duration) -> Self {
        // Twice: what was spent before the store heard of it may take a budget below nothing.
        Self { servers, names, kept: longest.saturating_mul(2).max(KEPT), session: Mutex::default() }
    }

    pub(super) async fn settle(&self, claims: &[Claim]) -> Result<Settled, Away> {
        let mut place = self.session.lock().await;
        let held = place.take().filter(|session| session.client.connection_state() == State::Connected);
        let mut session = match held {
            Some(session) => session,
            None => self.begin().await?,
        };
        let clock = session.clock(&self.names.replica).await?;
        let settled = session.settle(claims, clock).await?;
        *place = Some(session);
        Ok(settled)
    }

    async fn begin(&self) -> Result<Session, Away> {
        let client = connect(&self.servers).await?;
        let context = context(&client);
        let installation = &self.names.installation;
        let budgets = bucket(&context, format!("holdfast_limits_{installation}"), self.kept).await?;
        let replicas = bucket(&context, format!("holdfast_replicas_{installation}"), SILENCE).await?;
        Ok(Session { client, budgets, replicas, clock: None })
    }
}

impl Session {
    /// Tells that this replica is there; what the server's clock says, and how many replicas it knows.
    async fn clock(&mut self, replica: &str) -> Result<ServerClock, Away> {
        if let Some(clock) = self.clock.filter(|clock| clock.at.elapsed() < FRESH) {
            return Ok(clock);
        }
        let revision = self.replicas.put(replica, "".into()).await?;
        let at = Instant::now();
        let kept = self.replicas.stream.get_raw_message(revision).await?;
        let said = i64::try_from(kept.time.unix_timestamp_nanos() / 1000)?;
        let counted = self.replicas.stream.get_info().await?.state.messages;
        let replicas = u32::try_from(counted).unwrap_or(u32::MAX).max(1);
        Ok(*self.clock.insert(ServerClock { said, at, replicas }))
    }

    /// Settles what can be settled in time; an error only if that is nothing.
    async fn settle(&self, claims: &[Claim], clock: ServerClock) -> Result<Settled, Away> {
        let deadline = Instant::now() + ENOUGH;
        let late = |_| Err(Away("accounts were not settled in time".to_owned()));
        // By number: of borrowed claims the compiler can't tell that the future may be sent.
        let each = streams::iter(0..claims.len()).map(|at| timeout_at(deadline, self.account(&claims[at], clock)));
        let all: Vec<_> = each.buffered(AT_ONCE).map(|settled| settled.unwrap_or_else(late)).collect().await;
        let none = all.iter().all(Result::is_err);
        let mut grants = Vec::with_capacity(all.len());
        for settled in all {
            match settled {
                Err(away) if none => return Err(away),
                settled => grants.push(settled.ok().flatten()),
            }
        }
        Ok(Settled { grants, replicas: clock.replicas })
    }

    /// None if others were faster each time.
    async fn account(&self, claim: &Claim, clock: ServerClock) -> Result<Option<Grant>, Away> {
        let key = format!("{}.{}", claim.limit, hex::encode(claim.key));
        for _ in 0..TRIES {
            let entry = self.budgets.entry(key.as_str()).await?;
            let kept = entry.as_ref().and_then(|entry| std::str::from_utf8(&entry.value).ok()?.parse().ok());
            let settled = budget::settle(kept, clock.now(), claim);
            if !settled.changed {
                return Ok(Some(settled.grant));
            }
            let revision = entry.map_or(0, |entry| entry.revision);
            match self.budgets.update(&key, settled.whole_at.to_string().into(), revision).await {
                Ok(_) => return Ok(Some(settled.grant)),
                Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }
}

impl ServerClock {
    fn now(&self) -> i64 {
        self.said.saturating_add(i64::try_from(self.at.elapsed().as_micros()).unwrap_or(i64::MAX))
    }
}

/// Whether it has `JetStream` for us.
pub(super) async fn ask(servers: &Servers) -> Result<(), Away> {
    let client = connect(servers).await?;
    match context(&client).get_stream("KV_holdfast_limits").await {
        Ok(_) => Ok(()),
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(told) if told.error_code() == ErrorCode::STREAM_NOT_FOUND => Ok(()),
            _ => Err(error.into()),
        },
    }
}

/// Connects once, without the library's own way of trying again: that one ends for good when credentials are refused.
async fn connect(servers: &Servers) -> Result<Client, Away> {
    let mut options = ConnectOptions::new()
        .name("holdfast")
        .connection_timeout(PATIENCE / 2) // so that there is time for another server
        .request_timeout(Some(PATIENCE))
        .ping_interval(FRESH)
        .max_reconnects(servers.addresses.len())
        .ignore_discovered_servers()
        .require_tls(servers.addresses.iter().all(async_nats::ServerAddr::tls_required));
    options = match &servers.credentials {
        Credentials::Nobody => options,
        Credentials::Token(token) => options.token(token.expose_secret().to_owned()),
        Credentials::User(user, password) => {
            options.user_and_password(user.clone(), password.expose_secret().to_owned())
        }
    };
    if let Some(file) = &servers.ca_file {
        options = options.add_root_certificates(file.clone());
    }
    Ok(options.connect(&servers.addresses[..]).await?)
}

fn context(client: &Client) -> Context {
    let mut context = jetstream::new(client.clone());
    context.set_timeout(PATIENCE);
    context
}

/// The bucket of this name, made when it is not there. One that forgets too early is told to keep longer.
async fn bucket(context: &Context, name: String, kept: Duration) -> Result<Store, Away> {
    let config = match context.get_key_value(&name).await {
        Ok(held) => held.stream.cached_info().config.clone(),
        Err(_) => context.create_stream(form(&name, kept)).await?.cached_info().config.clone(),
    };
    if !config.max_age.is_zero() && config.max_age < kept {
        context.update_stream(stream::Config { max_age: kept, ..config }).await?;
    }
    Ok(context.get_key_value(name).await?)
}

/// A key-value bucket, as the stream that it is. The library's own way to make one asks for the account first, in a form
/// that servers before 2.10 don't answer in.
fn form(name: &str, kept: Duration) -> stream::Config {
    stream::Config {
        name: format!("KV_{name}"),
        subjects: vec![format!("$KV.{name}.>")],
        max_messages_per_subject: 1,
        max_age: kept,
        storage: StorageType::Memory,
        num_replicas: 1,
        discard: DiscardPolicy::New,
        allow_rollup: true,
        deny_delete: true,
        allow_direct: true,
        ..stream::Config::default()
    }
}
