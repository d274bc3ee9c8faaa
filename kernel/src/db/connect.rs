//! Opening the database, and refusing a role that could see through row-level security.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sea_orm::sqlx::ConnectOptions as _;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DbErr, Statement};
use serde::Deserialize;

use crate::clock::{Clock, Random};
use crate::db::engine::Engine;
use crate::db::group::GroupWriter;
use crate::db::{Db, Inner, Invalidations, Readers, Signals, Writer, readers};
use crate::keys::RootKey;

/// Where the database is and how it is used.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DbConfig {
    /// `sqlite:PATH` or `postgres://…`. Empty: a file in the data folder.
    pub url: String,
    /// The most connections for reading (and on PostgreSQL for writing).
    pub max_connections: u32,
    /// Seconds to wait for a free connection.
    pub acquire_timeout: u64,
    /// Whether `serve` applies pending migration steps itself.
    pub migrate_on_start: bool,
    /// The role under which `serve` runs, when `migrate` runs as another one (PostgreSQL).
    pub app_role: String,
}

/// Why the database can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address is of neither engine.
    #[error("database.url must begin with sqlite: or postgres://; it begins with {0:?}.")]
    Scheme(String),
    /// It does not open.
    #[error("The database does not open: {0}. Check database.url, and that the server runs or the folder is writable.")]
    Open(DbErr),
    /// The role could read every tenant's rows.
    #[error(
        "The database role {role:?} can bypass row-level security ({why}), so one tenant could see another's rows. \
         Create a plain one: CREATE ROLE holdfast LOGIN PASSWORD '…' NOSUPERUSER NOBYPASSRLS; \
         CREATE DATABASE holdfast OWNER holdfast; and name it in database.url."
    )]
    RoleBypasses { role: String, why: &'static str },
}

impl DbConfig {
    /// The engine of this address.
    ///
    /// # Errors
    /// [`ConnectError::Scheme`] for any other.
    pub fn engine(&self) -> Result<Engine, ConnectError> {
        let scheme = self.url.split(':').next().unwrap_or_default();
        match scheme {
            "" | "sqlite" => Ok(Engine::Sqlite),
            "postgres" | "postgresql" => Ok(Engine::Postgres),
            other => Err(ConnectError::Scheme(other.to_owned())),
        }
    }

    /// The file of an SQLite database.
    pub fn sqlite_path(&self, data: &Path) -> PathBuf {
        let path = self.url.strip_prefix("sqlite:").unwrap_or_default();
        let path = path.strip_prefix("//").unwrap_or(path);
        let path = path.split('?').next().unwrap_or_default();
        if path.is_empty() { data.join("holdfast.db") } else { PathBuf::from(path) }
    }
}

impl Db {
    /// Opens the database. On SQLite the file is made when missing.
    ///
    /// # Errors
    /// A wrong address, or a database that does not open.
    pub async fn open(
        config: &DbConfig,
        data: &Path,
        keys: RootKey,
        clock: Clock,
        random: Random,
    ) -> Result<Self, ConnectError> {
        let engine = config.engine()?;
        let signals = Signals::default();
        let (readers, writer) = match engine {
            Engine::Sqlite => sqlite(config, &config.sqlite_path(data), signals.clone()).await,
            Engine::Postgres => postgres(config).await,
        }
        .map_err(ConnectError::Open)?;
        let url = (engine == Engine::Postgres).then(|| config.url.clone());
        let invalidations = Invalidations::new(random.uuid().to_string(), url);
        Ok(Self(Arc::new(Inner { engine, readers, writer, clock, random, signals, invalidations, keys })))
    }

    /// Refuses a role that row-level security does not bind.
    ///
    /// # Errors
    /// [`ConnectError::RoleBypasses`], or the database does not answer.
    pub async fn refuse_bypassing_role(&self) -> Result<(), ConnectError> {
        const SQL: &str = "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles \
             WHERE rolname IN (current_user, session_user) ORDER BY rolsuper DESC, rolbypassrls DESC LIMIT 1";
        let statement = Statement::from_string(Engine::Postgres.backend(), SQL);
        let Readers::Postgres(pool) = &self.0.readers else { return Ok(()) };
        let row = pool.query_one_raw(statement).await.map_err(ConnectError::Open)?;
        let Some(row) = row else { return Ok(()) };
        let role: String = row.try_get("", "rolname").map_err(ConnectError::Open)?;
        let superuser: bool = row.try_get("", "rolsuper").map_err(ConnectError::Open)?;
        let bypass: bool = row.try_get("", "rolbypassrls").map_err(ConnectError::Open)?;
        match (superuser, bypass) {
            (true, _) => Err(ConnectError::RoleBypasses { role, why: "superuser" }),
            (_, true) => Err(ConnectError::RoleBypasses { role, why: "BYPASSRLS" }),
            _ => Ok(()),
        }
    }
}

/// How long the connection for schema steps stays open when nobody uses it.
const STEPS_IDLE: Duration = Duration::from_secs(5);

/// Readers and one writer on a file in WAL mode; every commit is on disk before it is answered.
async fn sqlite(config: &DbConfig, path: &Path, signals: Signals) -> Result<(Readers, Writer), DbErr> {
    let wait = Duration::from_secs(config.acquire_timeout);
    let writing = tuned(SqliteConnectOptions::new().disable_statement_logging(), path, false);
    let writer = GroupWriter::start(writing, signals).await?;
    let file = path.to_owned();
    let mut options = ConnectOptions::new("sqlite::memory:");
    options
        .max_connections(1)
        .min_connections(0)
        .connect_lazy(true)
        .acquire_timeout(wait)
        .idle_timeout(STEPS_IDLE)
        .max_lifetime(None)
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |sqlite| tuned(sqlite, &file, false));
    let steps = Database::connect(options).await?;
    let reading = tuned(SqliteConnectOptions::new().disable_statement_logging(), path, true);
    let readers = readers::Readers::new(reading, config.max_connections, wait);
    Ok((Readers::Sqlite(readers), Writer::Group(writer, steps)))
}

/// How every connection to the file is set.
fn tuned(options: SqliteConnectOptions, file: &Path, read_only: bool) -> SqliteConnectOptions {
    options
        .filename(file)
        .in_memory(false)
        .shared_cache(false)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .pragma("query_only", if read_only { "ON" } else { "OFF" })
        .pragma("temp_store", "MEMORY")
        // What is deleted is overwritten, not only forgotten.
        .pragma("secure_delete", "ON")
        // Filters compare text byte by byte on both engines.
        .pragma("case_sensitive_like", "ON")
        .pragma("cache_size", if read_only { "-4096" } else { "-16384" })
        // 16 MB: a page that is written again soon reaches the database once.
        .pragma("wal_autocheckpoint", "4000")
        .statement_cache_capacity(256)
}

async fn postgres(config: &DbConfig) -> Result<(Readers, Writer), DbErr> {
    let mut options = ConnectOptions::new(&config.url);
    options
        .max_connections(config.max_connections)
        .min_connections(0)
        .connect_timeout(Duration::from_secs(config.acquire_timeout))
        .acquire_timeout(Duration::from_secs(config.acquire_timeout))
        .idle_timeout(Duration::from_secs(300))
        .test_before_acquire(false)
        .set_application_name("holdfast")
        .sqlx_logging(false);
    let pool = Database::connect(options).await?;
    Ok((Readers::Postgres(pool.clone()), Writer::Pool(pool)))
}
