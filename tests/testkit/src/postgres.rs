//! Private PostgreSQL clusters: made with `initdb` in the run's folder, reached by a Unix socket, gone with the run.
//!
//! A socket needs no free port and admits nobody else. As root, which `initdb` refuses, all runs as `postgres`.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::must;
use crate::run::{self, Life, signal, tail, unique};

/// The role that Holdfast's databases belong to: neither a superuser nor able to bypass row-level security.
const ROLE: &str = "holdfast";

const SPEED: &[&str] = &["fsync=off", "synchronous_commit=off", "full_page_writes=off"];
const ALWAYS: &[&str] =
    &["listen_addresses=", "max_connections=300", "shared_buffers=64MB", "log_min_messages=warning"];

/// A PostgreSQL cluster.
pub struct Postgres {
    dir: PathBuf,
    durable: bool,
    /// Only in a private one: the server process and the folder.
    server: Option<Child>,
    folder: Option<TempDir>,
}

impl Postgres {
    /// The run's cluster, started by whoever asks first. Fast and forgetful (`fsync=off`).
    pub fn shared() -> Self {
        let run = run::current();
        let lock = run.lock("postgres");
        let cluster = Self { dir: run.dir.join("postgres"), durable: false, server: None, folder: None };
        if !cluster.dir.join("ready").exists() {
            let made = std::fs::create_dir(&cluster.dir);
            must(made, "a first attempt at the run's PostgreSQL failed; see the first failing test");
            cluster.init();
            drop(cluster.launch(Life::Run)); // never waited for: it outlives this process
            cluster.create_role();
            must(std::fs::write(cluster.dir.join("ready"), ""), "marking PostgreSQL as ready");
        }
        drop(lock);
        cluster
    }

    /// A cluster of this test's own, durable as in production: for crashes, outages and anything that stops it.
    pub fn start() -> Self {
        let folder = run::current().folder("postgres");
        let dir = folder.path().to_path_buf();
        let mut cluster = Self { dir, durable: true, server: None, folder: Some(folder) };
        cluster.init();
        cluster.resume();
        cluster.create_role();
        cluster
    }

    /// Stops it as `signal` does: `KILL`, or `QUIT` (at once), `INT` (fast) and `TERM` (when all clients left).
    pub fn stop(&mut self, signal_name: &str) {
        let Some(mut server) = self.server.take() else { panic!("only a private cluster can be stopped") };
        signal(server.id(), signal_name);
        run::current().forget(server.id());
        must(server.wait(), "waiting for PostgreSQL to stop");
    }

    /// Starts it again on the same data.
    pub fn resume(&mut self) {
        self.server = Some(self.launch(Life::Test));
    }

    /// An empty database of the role `holdfast`, dropped with the value.
    pub fn database(&self) -> Database {
        self.database_like("template1")
    }

    /// A copy of another database of this cluster that nobody is connected to.
    pub fn database_like(&self, template: &str) -> Database {
        let name = unique("test_");
        self.sql("postgres", &format!("CREATE DATABASE {name} TEMPLATE {template} OWNER {ROLE}"));
        Database { url: self.url(&name, ROLE), name, dir: self.dir.clone() }
    }

    /// The address of a database for `role` (`postgres` is the superuser).
    pub fn url(&self, database: &str, role: &str) -> String {
        format!("postgres://{role}@localhost/{database}?host={}", self.dir.display())
    }

    /// Runs SQL as the superuser and returns the rows, unaligned.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        psql(&self.dir, database, sql)
    }

    fn init(&self) {
        let data = self.dir.join("data");
        let mut initdb = as_postgres(&self.dir, &program("initdb"));
        initdb.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "-D"]).arg(data);
        run_to_end(&mut initdb, "initdb");
    }

    fn launch(&self, life: Life) -> Child {
        let log = self.dir.join("server.log");
        let file = must(std::fs::File::create(&log), "creating PostgreSQL's log");
        let mut command = as_postgres(&self.dir, &program("postgres"));
        command.arg("-D").arg(self.dir.join("data")).arg("-k").arg(&self.dir);
        let fast = if self.durable { &[] } else { SPEED };
        for setting in ALWAYS.iter().chain(fast) {
            command.args(["-c", setting]);
        }
        command.stdin(Stdio::null()).stdout(must(file.try_clone(), "sharing the log")).stderr(file);
        self.until_ready(&mut command, life, &log)
    }

    /// Starts it again when it exits: after a `KILL` the orphans of its former self refuse a successor for a moment.
    fn until_ready(&self, command: &mut Command, life: Life, log: &Path) -> Child {
        let deadline = Instant::now() + Duration::from_mins(1);
        let mut server = start(command, life);
        while !psql_output(&self.dir, "postgres", "SELECT 1").status.success() {
            assert!(Instant::now() < deadline, "PostgreSQL did not answer within 60 s:\n{}", tail(log));
            sleep(Duration::from_millis(30));
            if must(server.try_wait(), "looking at PostgreSQL").is_some() {
                run::current().forget(server.id());
                server = start(command, life);
            }
        }
        server
    }

    fn create_role(&self) {
        self.sql("postgres", &format!("CREATE ROLE {ROLE} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE"));
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.server.is_some() {
            self.stop("QUIT");
        }
        if let Some(folder) = self.folder.take() {
            must(folder.close(), "removing PostgreSQL's folder");
        }
    }
}

/// A database of one test, dropped with the value even while someone is connected.
pub struct Database {
    url: String,
    name: String,
    dir: PathBuf,
}

impl Database {
    /// Its address as the role `holdfast`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs SQL in it as the superuser and returns the rows, unaligned.
    pub fn sql(&self, sql: &str) -> String {
        psql(&self.dir, &self.name, sql)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // Best effort: the cluster may be stopped by now, and goes with the run anyway.
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        drop(psql_output(&self.dir, "postgres", &sql));
    }
}

fn psql(dir: &Path, database: &str, sql: &str) -> String {
    let output = psql_output(dir, database, sql);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "psql failed on {sql:?}: {error}");
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

fn psql_output(dir: &Path, database: &str, sql: &str) -> Output {
    let mut psql = Command::new(program("psql"));
    psql.args(["-XqAt", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database, "-c", sql, "-h"]).arg(dir);
    must(psql.output(), "running psql")
}

/// PostgreSQL's program of this name: on the PATH, of Debian's newest version, or where `pg_config` says.
fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = debian_folders();
    let mut folders = std::env::split_paths(&path).chain(debian);
    let found = folders.find(|folder| folder.join(name).is_file()).or_else(configured_folder);
    let program = found.map(|folder| folder.join(name)).filter(|program| program.is_file());
    program.unwrap_or_else(|| panic!("`{name}` is missing. Install PostgreSQL: apt-get install postgresql"))
}

fn debian_folders() -> Vec<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort();
    folders.reverse();
    folders
}

fn configured_folder() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    Some(String::from_utf8(output.stdout).ok()?.trim().into())
}

/// `program`, run by the user `postgres` when we are root; `dir` is given to that user.
fn as_postgres(dir: &Path, program: &Path) -> Command {
    use std::os::unix::process::CommandExt;

    let mut command = if is_root() {
        run_to_end(Command::new("chown").arg("postgres").arg(dir), "chown (does the user postgres exist?)");
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir("/").process_group(0);
    command
}

fn start(command: &mut Command, life: Life) -> Child {
    let server = must(command.spawn(), "starting postgres");
    run::current().register(server.id(), life, "QUIT");
    server
}

fn is_root() -> bool {
    let output = must(Command::new("id").arg("-u").output(), "running id");
    output.stdout.starts_with(b"0\n")
}

fn run_to_end(command: &mut Command, what: &str) {
    let output = must(command.stdin(Stdio::null()).output(), what);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what} failed: {error}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_role_of_a_fresh_database_cannot_bypass_row_level_security() {
        let database = Postgres::shared().database();

        let roles = database.sql("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = 'holdfast'");
        let owner = database.sql("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()");

        assert_eq!(roles, "f|f");
        assert_eq!(owner, "holdfast");
    }

    #[test]
    fn a_private_cluster_is_durable_and_survives_a_kill() {
        let mut postgres = Postgres::start();
        assert_eq!(postgres.sql("postgres", "SHOW fsync"), "on");
        postgres.sql("postgres", "CREATE TABLE kept (id int)");

        postgres.stop("KILL");
        postgres.resume();

        assert_eq!(postgres.sql("postgres", "SELECT count(*) FROM kept"), "0");
    }
}
