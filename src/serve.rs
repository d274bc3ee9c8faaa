//! `serve`: open, migrate, wire, listen, and drain when told to stop.

use std::hash::RandomState;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use edge::{EdgeConfigError, Lookout, SharedBudgets};
use gateway::{
    AccessLines, Allowances, Edge, IssuedCertificates, Journal, Late, LimitFigures, Listener, ListenerKind, LocalCa,
    Meter, NamedLimit, Router, Routing, Threshold, Tls,
};
use kernel::{Clock, Db, Random, RootKey, Tasks};
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
use crate::gatekeeper::Gatekeeper;
use crate::handover::{self, Handover, Inherited};
use crate::house::{self, House};
use crate::identify::Identify;
use crate::open_files;
use crate::operate::Operators;
use crate::routes::Routes;
use crate::schema;
use crate::steering::LiveRoutes;
use crate::telemetry::{self, Metrics, Spans};

/// What a form may add to the document in it.
const FORM: u64 = 1024 * 1024;
/// How long until the database is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(2);
/// How long a successor waits for the data folder: as long as the longest drain.
const STAND_BY: Duration = Duration::from_mins(5);
/// How often metrics are tidied.
const UPKEEP: Duration = Duration::from_secs(5);
/// How often limits that replicas share are settled.
const SETTLING: Duration = Duration::from_millis(200);

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
    let inherited = Inherited::take()?;
    let ground = Ground::open(config, inherited.is_some()).await?;
    let listeners = Listeners::open(&ground, inherited)?;
    let handover = Arc::new(Handover::new(listeners.handles()?)?);
    let ports = (listeners.https.local_addr().port(), listeners.addresses());
    let journal = journal(&ground, logs.access_lines(ground.clock.clone()));
    let edge = Edge::with_journal(ground.config.gateway.clone(), Arc::clone(&journal))?;
    let mut signals = Signals::watch()?;
    let mut places = Places::new(listeners);
    let (db, house) = match open(&ground, ports.0).await {
        Ok(opened) => opened,
        Err(failure) if ground.certificates.holds_any() => {
            places.serve(&edge);
            let Some(opened) = wait(&ground, ports.0, failure, &mut signals).await else {
                edge.drain(ground.config.gateway.drain_timeout).await;
                return Ok(());
            };
            opened
        }
        Err(failure) => return Err(failure),
    };
    let config = &ground.config;
    let tasks = Tasks::default();
    let identify = identify(&house, config);
    let gatekeeper = Gatekeeper::new(identify.clone(), house.identity.clone());
    let routing = Arc::new(routing(config, &db)?.with_authenticator(Arc::new(gatekeeper)));
    house.edge.steer(Arc::new(LiveRoutes(Arc::clone(&routing)))).await?;
    house.start(&tasks);
    tasks.spawn(settle_limits(tasks.clone(), Arc::clone(&routing)));

    let setup_token = house.identity.setup_token().await?;
    let addresses = ports.1.told(config, setup_token);
    let door = Arc::new(door(&house, config, identify, (spans.clone(), &tasks)));
    tasks.spawn(upkeep(tasks.clone(), metrics.clone(), (Arc::clone(&routing), Arc::clone(&door))));
    house.edge.watch(Lookout::new(journal, limits(&edge, &routing, &door)));
    let closing = door.closing.clone();
    let router = Arc::new(Router::new(Arc::clone(&routing), door));
    let https = &config.gateway.https;
    places.public.come(Arc::new(Threshold::new(router, house.edge.answers(), https, ports.0)));
    places.ops.come(Operators::new(house.overview.clone(), edge.clone(), metrics));
    places.serve(&edge);
    addresses.publish(ground.data.path())?;
    addresses.print(ground.data.path(), &config.tenancy.base_domain)?;

    signals.until_told_to_stop(&routing, &house.edge, (&handover, ground.data.path())).await;
    closing.cancel();
    house.chat.drain();
    house.edge.end_tails();
    drain(config, &edge, &routing, &tasks, &db).await;
    spans.stop();
    drop(logs);
    Ok(())
}

/// What is there without a database.
struct Ground {
    config: Config,
    data: DataFolder,
    keys: RootKey,
    clock: Clock,
    random: Random,
    certificates: edge::Edge,
}

impl Ground {
    /// With `handed_over` sockets, another process may still serve on the data folder; what connects meanwhile waits in
    /// the sockets' queue.
    async fn open(config: Config, handed_over: bool) -> Result<Self, Failure> {
        let data = if handed_over && config.data().is_dir() {
            handover::stand_by(config.data())?;
            DataFolder::open_after(config.data(), STAND_BY).await?
        } else {
            DataFolder::open(config.data())?
        };
        let (clock, random) = (Clock::default(), Random::default());
        let keys = house::root_key(&data, &random)?;
        let certificates = edge::Edge::open(&config.edge, data.path(), &keys, clock.clone(), random.clone())?;
        Ok(Self { config, data, keys, clock, random, certificates })
    }
}

/// Opens the database, brings it up to date, and furnishes the house over it.
async fn open(ground: &Ground, https_port: u16) -> Result<(Db, House), Failure> {
    let (keys, clock, random) = (ground.keys.clone(), ground.clock.clone(), ground.random.clone());
    let db = Db::open(&ground.config.database, ground.data.path(), keys, clock, random).await?;
    prepare(&db, &ground.config).await?;
    let house = House::build(db.clone(), ground.certificates.clone(), &ground.config, https_port)?;
    house.furnish().await?;
    Ok((db, house))
}

/// Tries again until the database can be used; none if told to stop. Handshakes are answered meanwhile.
async fn wait(ground: &Ground, https_port: u16, first: Failure, signals: &mut Signals) -> Option<(Db, House)> {
    let mut failure = first;
    loop {
        tracing::error!(%failure, "the database can't be used; held certificates are served, all else waits");
        tokio::select! {
            () = signals.told_to_stop() => return None,
            () = tokio::time::sleep(TRY_AGAIN) => {}
        }
        match open(ground, https_port).await {
            Ok(opened) => return Some(opened),
            Err(again) => failure = again,
        }
    }
}

/// Where the applications go, and the listeners that they are served through.
struct Places {
    public: Arc<Late<Threshold<Router<Door>>>>,
    ops: Arc<Late<Operators>>,
    listeners: Option<Listeners>,
}

impl Places {
    fn new(listeners: Listeners) -> Self {
        let why = "The server is starting and waits for its database; try again in a moment.";
        Self { public: Arc::new(Late::new(why)), ops: Arc::new(Late::new(why)), listeners: Some(listeners) }
    }

    /// Begins to serve, unless that has begun.
    fn serve(&mut self, edge: &Edge) {
        if let Some(listeners) = self.listeners.take() {
            edge.serve(listeners.http, Arc::clone(&self.public));
            edge.serve(listeners.https, Arc::clone(&self.public));
            edge.serve(listeners.ops, Arc::clone(&self.ops));
        }
    }
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
    /// Those that were handed over, or new ones.
    fn open(ground: &Ground, inherited: Option<Inherited>) -> Result<Self, Failure> {
        let config = &ground.config;
        let ca = LocalCa::open(&ground.data.path().join("tls"), &config.tenancy.base_domain)?;
        let tls = Tls::new(Arc::new(IssuedCertificates::new(ground.certificates.certificates(), ca)))?
            .with_client_certificates(&config.gateway.client_certificates)?;
        let (mut listeners, udp) = if let Some(Inherited { http, https, ops, http3 }) = inherited {
            let http = Listener::inherited(http, ListenerKind::Http, None)?;
            let https = Listener::inherited(https, ListenerKind::Https, Some(tls))?;
            (Self { http, https, ops: Listener::inherited(ops, ListenerKind::Ops, None)? }, http3)
        } else {
            let https = Listener::https(config.server.https, tls)?;
            let (http, ops) = (Listener::http(config.server.http)?, Listener::ops(config.server.ops)?);
            (Self { http, https, ops }, None)
        };
        if config.gateway.http3 {
            listeners.https = listeners.https.with_http3(udp)?;
        }
        Ok(listeners)
    }

    /// In the order in which a successor expects them.
    fn handles(&self) -> std::io::Result<Vec<OwnedFd>> {
        let mut handles = vec![self.http.handle()?, self.https.handle()?, self.ops.handle()?];
        handles.extend(self.https.http3_handle()?);
        Ok(handles)
    }

    fn addresses(&self) -> Bound {
        Bound { http: self.http.local_addr(), https: self.https.local_addr(), ops: self.ops.local_addr() }
    }
}

/// Where the listeners listen.
struct Bound {
    http: SocketAddr,
    https: SocketAddr,
    ops: SocketAddr,
}

impl Bound {
    fn told(&self, config: &Config, setup_token: Option<String>) -> Addresses {
        let Self { http, https, ops } = *self;
        let link =
            |token| format!("https://{}:{}/console/setup#token={token}", config.tenancy.base_domain, https.port());
        Addresses { http, https, ops, setup_url: setup_token.map(link), pid: std::process::id() }
    }
}

/// Who asks, for the front door and the edge alike.
fn identify(house: &House, config: &Config) -> Identify {
    Identify::new(
        house.tenancy.clone(),
        house.identity.clone(),
        Duration::from_secs(config.server.request_timeout),
        Duration::from_secs(config.server.max_request_timeout),
    )
}

/// The public application.
fn door(house: &House, config: &Config, identify: Identify, (spans, tasks): (Spans, &Tasks)) -> Door {
    let service = api::service(house);
    let document = api::document(&service);
    let rest: BoxEndpoint<'static, poem::Response> =
        Route::new().nest("/", service).catch_all_error(kernel::rest::on_error).boxed();
    Door {
        identify,
        rest,
        routes: Routes::of(&document),
        document: document.to_string().into(),
        graph: schema::build(house, &config.graphql),
        traffic: Arc::clone(&house.traffic),
        spans,
        hasher: RandomState::new(),
        meter: Meter::new(&config.gateway.rate_limits),
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
    let allowances: Arc<dyn Allowances> = Arc::new(shared_budgets(config, db)?);
    let mut gateway = config.gateway.clone();
    if gateway.cache.disk_path.is_empty() {
        gateway.cache.disk_path = config.data().join("cache").display().to_string();
    }
    Ok(Routing::open(&gateway, seed, move || clock.now().into())?.with_allowances(&allowances))
}

/// Where limits count that processes share.
fn shared_budgets(config: &Config, db: &Db) -> Result<SharedBudgets, Failure> {
    let whole = |limit: &NamedLimit| Duration::from_mins(limit.burst.get().into()) / limit.per_minute.get();
    let shared = config.gateway.limits.iter().filter(|limit| limit.shared);
    let longest = shared.map(whole).max().unwrap_or_default();
    Ok(SharedBudgets::open(&config.edge.shared_limits, longest, db.clone()).map_err(EdgeConfigError::from)?)
}

/// What the edge remembers of requests, and logs.
fn journal(ground: &Ground, lines: Option<Box<dyn AccessLines>>) -> Arc<Journal> {
    let (settings, clock) = (&ground.config.gateway, ground.clock.clone());
    Journal::new(settings.access_log, settings.recent_requests, move || clock.now().into(), lines)
}

/// Tells how all limits stand.
fn limits(
    edge: &Edge,
    routing: &Arc<Routing>,
    door: &Arc<Door>,
) -> impl Fn() -> Vec<LimitFigures> + Send + Sync + use<> {
    let (edge, routing, door) = (edge.clone(), Arc::clone(routing), Arc::clone(door));
    move || [edge.limits(), door.meter.figures(), routing.limits()].concat()
}

async fn upkeep(tasks: Tasks, metrics: Metrics, (routing, door): (Arc<Routing>, Arc<Door>)) {
    while tasks.pause(UPKEEP).await {
        routing.note_figures();
        door.meter.note_figures();
        metrics.upkeep();
    }
}

/// Limits that replicas share are settled aside from all requests.
async fn settle_limits(tasks: Tasks, routing: Arc<Routing>) {
    while tasks.pause(SETTLING).await {
        routing.settle_limits().await;
    }
}

/// What the operating system tells us, from the moment on when we look.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    upgrade: Signal,
}

impl Signals {
    fn watch() -> Result<Self, Failure> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            upgrade: signal(SignalKind::user_defined2())?,
        })
    }

    /// Reads the routes and certificate files again at each SIGHUP, until SIGTERM, Ctrl-C, or a successor that was
    /// started at SIGUSR2 and stands by.
    async fn until_told_to_stop(
        mut self,
        routing: &Arc<Routing>,
        edge: &edge::Edge,
        (handover, data): (&Arc<Handover>, &Path),
    ) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hangup.recv() => reload(routing, edge).await,
                _ = self.upgrade.recv() => {
                    if hand_over(Arc::clone(handover), data.to_owned()).await {
                        return;
                    }
                }
            }
        }
    }

    /// Completes at SIGTERM or Ctrl-C.
    async fn told_to_stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Starts the binary that stands in this one's place; whether it stands by.
async fn hand_over(handover: Arc<Handover>, data: PathBuf) -> bool {
    tracing::info!("a new process is to take over");
    match tokio::task::spawn_blocking(move || handover.start(&data)).await {
        Ok(Ok(successor)) => {
            tracing::info!(pid = successor.id(), "the new process stands by");
            true
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "the new process does not start; this one serves on");
            false
        }
        Err(error) => {
            tracing::error!(%error, "starting the new process failed; this one serves on");
            false
        }
    }
}

/// A bad file keeps what is in force, and every problem is logged.
async fn reload(routing: &Arc<Routing>, edge: &edge::Edge) {
    let files = edge.clone();
    match tokio::task::spawn_blocking(move || files.reload()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "the certificate files stay as they were"),
        Err(error) => tracing::error!(%error, "reading the certificate files failed"),
    }
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
