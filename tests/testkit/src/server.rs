//! A server of one test: the real binary, started as a user starts it, on free ports and its own data.

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::engine::{Engine, Store};
use crate::launch::{LIMIT, Launch};
use crate::run::{self, Life, signal, tail};
use crate::{Front, must};

/// A server of one test, ended and removed on drop.
pub struct Server {
    front: Front,
    launch: Launch,
    child: Option<Child>,
    store: Option<Store>,
    home: Option<TempDir>,
}

/// A server to be started with something other than the defaults.
pub struct Builder {
    launch: Launch,
    store: Store,
    home: TempDir,
}

impl Builder {
    /// One more environment variable, such as `HOLDFAST__SECTION__KEY`.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.launch.settings.retain(|(known, _)| known != name);
        self.launch.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without an operator, so that the server prints its one-time setup link.
    #[must_use]
    pub fn without_operator(mut self) -> Self {
        self.launch.settings.retain(|(name, _)| !name.starts_with("HOLDFAST_SETUP_"));
        self
    }

    /// One more argument of `holdfast serve`.
    #[must_use]
    pub fn flag(mut self, flag: &str) -> Self {
        self.launch.flags.push(flag.to_owned());
        self
    }

    /// On these ports of HTTP and HTTPS, when somebody else must know them beforehand.
    #[must_use]
    pub fn at(mut self, http: u16, https: u16) -> Self {
        self.launch.ports = [http, https];
        self
    }

    /// On another database than a fresh one, such as one of a private [`crate::Postgres`].
    #[must_use]
    pub fn database(self, url: &str) -> Self {
        self.env("HOLDFAST__DATABASE__URL", url)
    }

    /// The data folder, not yet touched by the server.
    pub fn data(&self) -> PathBuf {
        self.launch.data()
    }

    /// Starts it and waits until it listens.
    pub async fn start(self) -> Server {
        let mut child = self.launch.spawn(Life::Test);
        let front = wait_for(&self.launch, &mut child).await;
        Server { front, launch: self.launch, child: Some(child), store: Some(self.store), home: Some(self.home) }
    }

    /// Runs it when it is expected to refuse: its exit and all it printed.
    pub fn run(self) -> (ExitStatus, String) {
        let mut child = self.launch.spawn(Life::Test);
        let status = must(wait_at_most(&mut child, LIMIT).ok_or("it serves"), "waiting for the refusal");
        (status, fs::read_to_string(self.launch.log()).unwrap_or_default())
    }
}

impl Server {
    /// A server of this test's own; `binary` is `env!("CARGO_BIN_EXE_holdfast")`.
    pub async fn start(binary: &str, engine: Engine) -> Self {
        Self::builder(binary, engine).start().await
    }

    /// The same, with something changed.
    pub fn builder(binary: &str, engine: Engine) -> Builder {
        let home = run::current().folder("server");
        let store = Store::empty(engine);
        let launch = Launch::new(binary, home.path(), store.url());
        must(fs::create_dir(launch.data()), "making the data folder");
        Builder { launch, store, home }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        must(self.child.as_ref().map(Child::id).ok_or("it is stopped"), "the server's process id")
    }

    /// Ends it as a power cut does.
    pub fn kill9(&mut self) -> ExitStatus {
        self.end("KILL")
    }

    /// Asks it to drain (SIGTERM) and waits for its end, a minute at most.
    pub fn terminate(&mut self) -> ExitStatus {
        self.end("TERM")
    }

    /// Asks it to read its files again (SIGHUP).
    pub fn hang_up(&self) {
        assert!(signal(self.pid(), "HUP"), "the server is gone:\n{}", tail(&self.front.log));
    }

    /// Starts it again on the same data, on new ports; ends it before, if it runs, by SIGTERM.
    pub async fn restart(&mut self) {
        if self.child.is_some() {
            self.terminate();
        }
        let child = self.child.insert(self.launch.spawn(Life::Test));
        self.front = wait_for(&self.launch, child).await;
    }

    /// Starts it again on the same data without waiting for it to be ready; [`Self::ready`] does that.
    pub fn start_again(&mut self) {
        self.child = Some(self.launch.spawn(Life::Test));
    }

    /// Waits until it is ready.
    pub async fn ready(&mut self) {
        let Some(child) = &mut self.child else { panic!("the server is stopped") };
        self.front = wait_for(&self.launch, child).await;
    }

    /// Another command of the binary on the same data and settings: `cli(&["migrate", "status"])`.
    /// `--data` is appended.
    pub fn cli(&self, arguments: &[&str]) -> std::process::Output {
        let mut command = self.launch.command();
        command.args(arguments).arg("--data").arg(self.launch.data());
        must(command.output(), "running the binary")
    }

    /// The address of its database.
    pub fn database_url(&self) -> &str {
        self.store.as_ref().map_or("", Store::url)
    }

    fn end(&mut self, name: &str) -> ExitStatus {
        let Some(mut child) = self.child.take() else { panic!("the server is stopped already") };
        signal(child.id(), name);
        let status = wait_at_most(&mut child, LIMIT).unwrap_or_else(|| {
            signal(child.id(), "KILL");
            panic!("holdfast did not end within 60 s of SIG{name}:\n{}", tail(&self.front.log))
        });
        run::current().forget(child.id());
        status
    }
}

impl Deref for Server {
    type Target = Front;

    fn deref(&self) -> &Front {
        &self.front
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            print_log(&self.front.log);
        }
        if self.child.is_some() {
            self.end("KILL");
        }
        self.store.take();
        self.home.take();
    }
}

#[expect(clippy::print_stderr, reason = "the test runner shows it under the failure")]
fn print_log(log: &Path) {
    eprintln!("the end of the server's log:\n{}", tail(log));
}

async fn wait_for(launch: &Launch, child: &mut Child) -> Front {
    let mut ended = || must(child.try_wait(), "looking at the server").is_some();
    Front::found(&launch.data(), &launch.log(), &mut ended).await
}

fn wait_at_most(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = must(child.try_wait(), "looking at a process") {
            return Some(status);
        }
        if Instant::now() > deadline {
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// Does what the testkit relies on, and nothing else. Its third argument is the data folder.
    const STAND_IN: &str = r#"#!/bin/sh
[ -z "$REFUSE" ] || { echo "refused: $REFUSE"; exit 3; }
echo '{"http":"127.0.0.1:1","https":"127.0.0.1:2","ops":"127.0.0.1:3","setup_url":null}' >"$3/new"
echo "started as $HOLDFAST_SETUP_EMAIL"
mv "$3/new" "$3/holdfast.addresses.json"
exec sleep 300
"#;

    fn stand_in() -> (TempDir, String) {
        let folder = run::current().folder("stand-in");
        let program = folder.path().join("holdfast");
        fs::write(&program, STAND_IN).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        (folder, program.display().to_string())
    }

    #[tokio::test]
    async fn a_server_is_found_killed_restarted_and_ended_with_its_value() {
        let (_folder, binary) = stand_in();
        let mut server = Server::start(&binary, Engine::Sqlite).await;
        assert!(server.log().contains("started as operator@example.test"), "{}", server.log());

        assert!(!server.kill9().success());
        server.restart().await;
        let (pid, data) = (server.pid(), server.data.clone());
        drop(server);

        assert!(!signal(pid, "CONT"), "the server outlived its value");
        assert!(!data.exists());
    }

    #[tokio::test]
    async fn a_shared_server_is_one_for_all() {
        let (_folder, binary) = stand_in();

        let (one, two) = (Front::shared(&binary, Engine::Sqlite).await, Front::shared(&binary, Engine::Sqlite).await);

        assert_eq!(one.data, two.data);
        assert_eq!(one.log().matches("started").count(), 1);
    }

    #[tokio::test]
    async fn a_refusal_is_told_with_what_was_printed() {
        let (_folder, binary) = stand_in();

        let (status, printed) = Server::builder(&binary, Engine::Sqlite).env("REFUSE", "today").run();

        assert_eq!(status.code(), Some(3));
        assert!(printed.contains("refused: today"), "{printed}");
    }
}
