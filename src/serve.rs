//! `serve`: open, migrate, wire, listen, and drain when told to stop.

use std::hash::RandomState;
use std::sync::Arc;
use std::time::Duration;

use gateway::{Edge, Listener, LocalCa, Tls};
use kernel::{Db, Tasks};
use poem::endpoint::BoxEndpoint;
use poem::{EndpointExt, Route};
use tokio::signal::unix::{SignalKind, signal};
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
    tasks.spawn(upkeep(tasks.clone(), metrics.clone()));

    let edge = Edge::new(config.gateway.clone())?;
    let setup_token = house.identity.setup_token().await?;
    let addresses = listeners.addresses(&config, setup_token);
    let door = Arc::new(door(&house, &config, spans.clone(), &tasks));
    let operators = Operators::new(house.overview.clone(), edge.clone(), metrics);
    let closing = door.closing.clone();
    edge.serve(listeners.http, Arc::clone(&door));
    edge.serve(listeners.https, door);
    edge.serve(listeners.ops, operators);
    addresses.publish(data.path())?;
    addresses.print(data.path(), &config.tenancy.base_domain)?;

    told_to_stop().await?;
    closing.cancel();
    house.chat.drain();
    drain(&config, &edge, &tasks, &db).await;
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

async fn upkeep(tasks: Tasks, metrics: Metrics) {
    while tasks.pause(UPKEEP).await {
        metrics.upkeep();
    }
}

async fn told_to_stop() -> Result<(), Failure> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Not ready, then no new connections, then requests in flight, then background work, then the database.
async fn drain(config: &Config, edge: &Edge, tasks: &Tasks, db: &Db) {
    tracing::info!("draining");
    edge.announce_drain();
    tokio::time::sleep(Duration::from_secs(config.server.drain_notice)).await;
    let drained = edge.drain(config.gateway.drain_timeout).await;
    let stopped = tasks.stop(Duration::from_secs(config.server.stop_timeout)).await;
    db.close().await;
    tracing::info!(cut = drained.cut, background_stopped = stopped, "stopped");
}
