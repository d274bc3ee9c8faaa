//! How the binary is started: its environment, flags, folders and log.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::must;
use crate::run::{self, Life};

/// The first operator of every test server, in the tenant `system`.
pub const OPERATOR: &str = "operator@example.test";
/// The password of every account that the testkit makes.
pub const PASSWORD: &str = "plain harbour lantern 42";

/// The server writes it, whole, once all three listeners accept.
pub(crate) const ADDRESSES: &str = "holdfast.addresses.json";
/// The longest that a start or an end may take.
pub(crate) const LIMIT: Duration = Duration::from_mins(1);

/// What differs from production in every test server: all tests share one address, so its limits are off; and nobody
/// outside of this machine is asked for a domain.
const SETTINGS: &[(&str, &str)] = &[
    ("HOLDFAST__GATEWAY__RATE_LIMITS__ADDRESS__PER_MINUTE", "0"),
    ("HOLDFAST__GATEWAY__RATE_LIMITS__KEY__PER_MINUTE", "0"),
    ("HOLDFAST__TENANCY__DOMAINS__RESOLVERS", "[\"127.0.0.1:9\"]"),
];

/// How a server is started; kept for restarts.
pub(crate) struct Launch {
    binary: String,
    home: PathBuf,
    pub(crate) settings: Vec<(String, String)>,
    pub(crate) flags: Vec<String>,
    /// The ports of HTTP and HTTPS; 0 picks a free one.
    pub(crate) ports: [u16; 2],
}

impl Launch {
    pub(crate) fn new(binary: &str, home: &Path, url: &str) -> Self {
        let mut settings = vec![
            ("HOLDFAST_SETUP_EMAIL", OPERATOR),
            ("HOLDFAST_SETUP_PASSWORD", PASSWORD),
            ("HOLDFAST__DATABASE__URL", url),
        ];
        settings.extend(SETTINGS);
        let settings = settings.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { binary: binary.to_owned(), home: home.to_path_buf(), settings, flags: Vec::new(), ports: [0, 0] }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.home.join("server.log")
    }

    /// The binary with this server's environment and nothing of ours: no `HOLDFAST…` leaks in from outside.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("HOLDFAST")) {
            command.env_remove(name);
        }
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command.current_dir(&self.home).stdin(Stdio::null());
        command
    }

    pub(crate) fn spawn(&self, life: Life) -> Child {
        use std::os::unix::process::CommandExt;

        let stale = fs::remove_file(self.data().join(ADDRESSES));
        drop(stale); // there is none before the first start
        let log = must(fs::File::options().create(true).append(true).open(self.log()), "opening the log");
        let mut command = self.command();
        command.arg("serve").arg("--data").arg(self.data());
        let [http, https] = self.ports.map(|port| format!("127.0.0.1:{port}"));
        command.args(["--http", &http, "--https", &https, "--ops", "127.0.0.1:0"]);
        command.args(&self.flags).process_group(0);
        command.stdout(must(log.try_clone(), "sharing the log")).stderr(log);
        let child = must(command.spawn(), &self.binary);
        run::current().register(child.id(), life, "KILL");
        child
    }
}
