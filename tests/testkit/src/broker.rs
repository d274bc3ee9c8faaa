//! Private servers of Redis and NATS, on a free port and with a password: for tests that kill them.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::must;
use crate::run::{self, Life, signal, tail, unique};

/// How often another port is tried: somebody else may take a free one before the server does.
const TRIES: usize = 5;

/// A server of one test, ended and removed on drop.
pub struct Broker {
    kind: Kind,
    tls: bool,
    folder: TempDir,
    port: u16,
    password: String,
    server: Option<Child>,
}

#[derive(Clone, Copy)]
enum Kind {
    Redis,
    Nats,
}

impl Broker {
    /// A Redis server that keeps nothing on the disk.
    pub fn redis() -> Self {
        Self::start(Kind::Redis, false)
    }

    /// The same, reached by TLS only.
    pub fn redis_over_tls() -> Self {
        Self::start(Kind::Redis, true)
    }

    /// A NATS server with `JetStream`.
    pub fn nats() -> Self {
        Self::start(Kind::Nats, false)
    }

    /// The same, reached by TLS only.
    pub fn nats_over_tls() -> Self {
        Self::start(Kind::Nats, true)
    }

    /// Its address, with the password.
    pub fn url(&self) -> String {
        let scheme = match (self.kind, self.tls) {
            (Kind::Redis, false) => "redis",
            (Kind::Redis, true) => "rediss",
            (Kind::Nats, false) => "nats",
            (Kind::Nats, true) => "tls",
        };
        let user = if matches!(self.kind, Kind::Redis) { "" } else { "holdfast" };
        format!("{scheme}://{user}:{}@127.0.0.1:{}", self.password, self.port)
    }

    /// The file (PEM) with the authority of its certificate, where it has one.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    /// What nobody may find in a log.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// Ends it as a power cut does; what it had in memory is gone.
    pub fn kill9(&mut self) {
        let Some(mut server) = self.server.take() else { panic!("the broker is stopped already") };
        signal(server.id(), "KILL");
        run::current().forget(server.id());
        must(server.wait(), "waiting for a broker to stop");
    }

    /// Starts it again on the same port.
    pub fn resume(&mut self) {
        assert!(self.launch(), "the broker does not start again:\n{}", tail(&self.log()));
    }

    /// Stops its process, so that connections stay and nobody answers; or lets it go on.
    pub fn freeze(&self, frozen: bool) {
        let Some(server) = &self.server else { panic!("the broker is stopped") };
        assert!(signal(server.id(), if frozen { "STOP" } else { "CONT" }), "the broker is gone");
    }

    fn start(kind: Kind, tls: bool) -> Self {
        let folder = run::current().folder(kind.program());
        let mut broker = Self { kind, tls, folder, port: 0, password: unique("hush"), server: None };
        if tls {
            broker.certify();
        }
        for _ in 0..TRIES {
            broker.port = free_port();
            if broker.launch() {
                return broker;
            }
        }
        panic!("{} does not start:\n{}", kind.program(), tail(&broker.log()))
    }

    fn certify(&self) {
        let made = must(rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]), "making a certificate");
        must(std::fs::write(self.authority(), made.cert.pem()), "writing a certificate");
        must(std::fs::write(self.key(), made.signing_key.serialize_pem()), "writing a certificate's key");
    }

    /// Whether it serves; not if somebody else has its port.
    fn launch(&mut self) -> bool {
        let file = must(std::fs::File::create(self.log()), "creating a broker's log");
        let mut command = self.command();
        command.stdin(Stdio::null()).stdout(must(file.try_clone(), "sharing the log")).stderr(file);
        let mut server = must(command.spawn(), self.kind.program());
        run::current().register(server.id(), Life::Test, "KILL");
        let deadline = Instant::now() + Duration::from_mins(1);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        while must(server.try_wait(), "looking at a broker").is_none() {
            if self.says_ready() && TcpStream::connect(address).is_ok() {
                self.server = Some(server);
                return true;
            }
            assert!(Instant::now() < deadline, "a broker did not start within 60 s:\n{}", tail(&self.log()));
            sleep(Duration::from_millis(10));
        }
        run::current().forget(server.id());
        false
    }

    fn says_ready(&self) -> bool {
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        log.contains("Ready to accept connections") || log.contains("Server is ready")
    }

    fn command(&self) -> Command {
        use std::os::unix::process::CommandExt;

        let mut command = Command::new(program(self.kind));
        let port = self.port.to_string();
        match self.kind {
            Kind::Redis => {
                command.args(["--bind", "127.0.0.1", "--requirepass", &self.password]);
                if self.tls {
                    command.args(["--port", "0", "--tls-port", &port, "--tls-auth-clients", "no", "--tls-cert-file"]);
                    command.arg(self.authority()).arg("--tls-key-file").arg(self.key());
                    command.arg("--tls-ca-cert-file").arg(self.authority());
                } else {
                    command.args(["--port", &port]);
                }
                command.args(["--save", "", "--appendonly", "no", "--dir"]).arg(self.folder.path());
            }
            Kind::Nats => {
                command.args(["--addr", "127.0.0.1", "--port", &port, "--user", "holdfast", "--pass", &self.password]);
                command.args(["--jetstream", "--store_dir"]).arg(self.folder.path());
                if self.tls {
                    command.arg("--tls").arg("--tlscert").arg(self.authority()).arg("--tlskey").arg(self.key());
                }
            }
        }
        command.current_dir(self.folder.path()).process_group(0);
        command
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if self.server.is_some() {
            self.kill9();
        }
    }
}

impl Kind {
    fn program(self) -> &'static str {
        match self {
            Self::Redis => "redis-server",
            Self::Nats => "nats-server",
        }
    }
}

fn free_port() -> u16 {
    let bound = must(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)), "looking for a free port");
    must(bound.local_addr(), "reading a free port").port()
}

/// The program on the PATH, or where Debian puts servers; its package has the same name.
fn program(kind: Kind) -> PathBuf {
    let name = kind.program();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
    let found = folders.map(|folder| folder.join(name)).find(|program| program.is_file());
    found.unwrap_or_else(|| panic!("`{name}` is missing. Install it: apt-get install {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_are_killed_come_back_and_end_with_their_value() {
        for mut broker in [Broker::redis(), Broker::nats()] {
            let port = broker.port;
            let reach = || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();

            broker.kill9();
            assert!(!reach());
            broker.resume();
            assert!(reach());
            drop(broker);

            assert!(!reach());
        }
    }
}
