//! `serve`: open, migrate, wire, listen, and drain when told to stop.

use std::hash::RandomState;
use std::sync::Arc;
use std::time::Duration;

use gateway::{Edge, Listener, LocalCa, Router, Routing, Tls};
use kernel::{Db, Tasks};
use poem::endpoint::BoxEndpoint;
use poem::{EndpointExt, Route};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::addresses::Addresses;
use crate::api;
use crate::cli::SettingsArgs;
use crate::commands::Failure;
use crate::config::Config;
use crate::data_folder::DataFolder;
use crate::door::Door;
use crate::house::{self, House};
use crate::identify::Identify;
use crate::open_files;
use crate::operate::Operators;
use crate::routes::Routes;
use crate::schema;
use crate::telemetry::{self, Metrics, Spans};

/// What a form may add to the document in it.
const FORM: u64 = 1024 * 1024;
/// How often metrics are tidied.
const UPKEEP: Duration = Duration::from_secs(5);

/// Serves until SIGTERM or Ctrl-C, then drains.
///
/// # Errors
/// Anything that keeps the server from starting, in a sentence that says how to mend it.
pub async fn run(args: &SettingsArgs) -> Result<(), Failure> {
    let config = Config::load(args)?;
    let logs = telemetry::start_logs(&config.log).map_err(Failure::Text)?;
    let metrics = Metrics::install().map_err(Failure::Text)?;
    let spans = Spans::start(&config.telemetry)?;
    open_files::raise();
    if let Err(reason) = open_files::check(config.gateway.max_connections) {
        tracing::warn!("{reason}");
    }
    let data = DataFolder::open(config.data())?;
    let db = house::open_database(&config, &data).await?;
    prepare(&db, &config).await?;

    let listeners = Listeners::bind(&config, &data)?;
    let house = House::build(db.clone(), &config, listeners.https.local_addr().port())?;
    house.furnish().await?;
    let tasks = Tasks::default();
    house.start(&tasks);
    let routing = Arc::new(routing(&config, &db)?);
    tasks.spawn(upkeep(tasks.clone(), metrics.clone(), Arc::clone(&routing)));
    let signals = Signals::watch()?;

    let edge = Edge::new(config.gateway.clone())?;
    let setup_token = house.identity.setup_token().await?;
    let addresses = listeners.addresses(&config, setup_token);
    let door = Arc::new(door(&house, &config, spans.clone(), &tasks));
    let operators = Operators::new(house.overview.clone(), edge.clone(), metrics);
    let closing = door.closing.clone();
    let router = Arc::new(Router::new(Arc::clone(&routing), door));
    edge.serve(listeners.http, Arc::clone(&router));
    edge.serve(listeners.https, router);
    edge.serve(listeners.ops, operators);
    addresses.publish(data.path())?;
    addresses.print(data.path(), &config.tenancy.base_domain)?;

    signals.until_told_to_stop(&routing).await;
    closing.cancel();
    house.chat.drain();
    drain(&config, &edge, &routing, &tasks, &db).await;
    spans.stop();
    drop(logs);
    Ok(())
}

/// Checks the role, brings the schema up to date, and checks the root key.
async fn prepare(db: &Db, config: &Config) -> Result<(), Failure> {
    db.refuse_bypassing_role().await?;
    let connection = db.migration_connection();
    let pending = migration::pending(migration::LEDGERS, &connection).await?;
    if pending > 0 && !config.database.migrate_on_start {
        return Err(Failure::Text(format!("{pending} schema steps are pending; run `holdfast migrate up`.")));
    }
    if pending > 0 {
        tracing::info!(pending, "applying schema steps");
        migration::up(migration::LEDGERS, &connection).await?;
    }
    Ok(db.verify_root_key().await?)
}

/// The three listeners, bound but not yet served.
struct Listeners {
    http: Listener,
    https: Listener,
    ops: Listener,
}

impl Listeners {
    fn bind(config: &Config, data: &DataFolder) -> Result<Self, Failure> {
        let ca = LocalCa::open(&data.path().join("tls"), &config.tenancy.base_domain)?;
        let tls = Tls::new(Arc::new(ca))?;
        Ok(Self {
            http: Listener::http(config.server.http)?,
            https: Listener::https(config.server.https, tls)?,
            ops: Listener::ops(config.server.ops)?,
        })
    }

    fn addresses(&self, config: &Config, setup_token: Option<String>) -> Addresses {
        let https = self.https.local_addr();
        let link =
            |token| format!("https://{}:{}/console/setup#token={token}", config.tenancy.base_domain, https.port());
        Addresses { http: self.http.local_addr(), https, ops: self.ops.local_addr(), setup_url: setup_token.map(link) }
    }
}

/// The public application.
fn door(house: &House, config: &Config, spans: Spans, tasks: &Tasks) -> Door {
    let service = api::service(house);
    let document = api::document(&service);
    let rest: BoxEndpoint<'static, poem::Response> =
        Route::new().nest("/", service).catch_all_error(kernel::rest::on_error).boxed();
    let identify = Identify::new(
        house.tenancy.clone(),
        house.identity.clone(),
        Duration::from_secs(config.server.request_timeout),
        Duration::from_secs(config.server.max_request_timeout),
    );
    Door {
        identify,
        rest,
        routes: Routes::of(&document),
        document: document.to_string().into(),
        graph: schema::build(house, &config.graphql),
        traffic: Arc::clone(&house.traffic),
        spans,
        random: house.db.random().clone(),
        hasher: RandomState::new(),
        // A form around a document may add as much as any other body has.
        max_upload_bytes: house.vault.max_document_bytes().saturating_add(FORM),
        chat: house.chat.clone(),
        tasks: tasks.clone(),
        closing: CancellationToken::new(),
    }
}

/// The routes of the file that the settings name.
fn routing(config: &Config, db: &Db) -> Result<Routing, Failure> {
    let clock = db.clock().clone();
    let seed = u64::from_le_bytes(db.random().bytes());
    Ok(Routing::open(&config.gateway.routing, &config.gateway.cache, seed, move || clock.now().into())?)
}

async fn upkeep(tasks: Tasks, metrics: Metrics, routing: Arc<Routing>) {
    while tasks.pause(UPKEEP).await {
        routing.note_figures();
        metrics.upkeep();
    }
}

/// What the operating system tells us, from the moment on when we look.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn watch() -> Result<Self, Failure> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Reads the routes again at each SIGHUP, until SIGTERM or Ctrl-C.
    async fn until_told_to_stop(mut self, routing: &Arc<Routing>) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hangup.recv() => reload(routing).await,
            }
        }
    }
}

/// A bad file keeps what is in force, and every problem is logged.
async fn reload(routing: &Arc<Routing>) {
    let routing = Arc::clone(routing);
    match tokio::task::spawn_blocking(move || routing.reload()).await {
        Ok(Ok((routes, pools))) => tracing::info!(routes, pools, "the routes are in force"),
        Ok(Err(error)) => {
            for problem in &error.0 {
                tracing::error!(path = problem.path, code = problem.code, "{}", problem.sentence);
            }
            tracing::error!(problems = error.0.len(), "the routes stay as they were");
        }
        Err(error) => tracing::error!(%error, "reading the routes failed"),
    }
}

/// Not ready, then no new connections, then requests in flight, then background work, then the database.
async fn drain(config: &Config, edge: &Edge, routing: &Routing, tasks: &Tasks, db: &Db) {
    tracing::info!("draining");
    edge.announce_drain();
    tokio::time::sleep(Duration::from_secs(config.server.drain_notice)).await;
    let drained = edge.drain(config.gateway.drain_timeout).await;
    let left = tokio::time::timeout(Duration::from_secs(config.server.stop_timeout), routing.close()).await;
    if left.is_err() {
        tracing::warn!("requests to services outlive the drain");
    }
    let stopped = tasks.stop(Duration::from_secs(config.server.stop_timeout)).await;
    db.close().await;
    tracing::info!(cut = drained.cut, background_stopped = stopped, "stopped");
}
