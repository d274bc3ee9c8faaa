//! Sockets that come from somebody else (systemd's socket activation, or the process before) and go on to a new binary,
//! so that no connection finds a closed port.
//!
//! The new process is started with the sockets while this one still serves. It reads its settings, and says that it
//! stands by; only then does this one drain and let go of the data folder. What connects meanwhile waits in the sockets'
//! queue.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use command_fds::{CommandFdExt, FdMapping};
use listenfd::ListenFd;

use crate::commands::Failure;

/// In the data folder, with the number of the process that stands by.
const STANDING_BY: &str = "holdfast.standing-by";
/// The protocol of systemd (`sd_listen_fds`): how many sockets there are, from descriptor 3 on.
const COUNT: &str = "LISTEN_FDS";
const FIRST: i32 = 3;
const EXPECTED: &str = "Three listening TCP sockets are expected, in this order: HTTP, HTTPS, operators; for HTTP/3 a bound \
                        UDP socket on the port of HTTPS after them.";
/// How long a new process may take until it stands by.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(20);

/// Sockets from outside, in this order: HTTP, HTTPS, operators, and HTTP/3 if it is spoken.
pub struct Inherited {
    pub http: TcpListener,
    pub https: TcpListener,
    pub ops: TcpListener,
    /// On the port of HTTPS.
    pub http3: Option<UdpSocket>,
}

impl Inherited {
    /// Takes the sockets that this process was started with; none if it was started without.
    ///
    /// # Errors
    /// There are others than these.
    pub fn take() -> Result<Option<Self>, Failure> {
        let mut given = ListenFd::from_env();
        if given.len() == 0 {
            return Ok(None);
        }
        let mut next = |index| {
            let socket = given.take_tcp_listener(index).ok().flatten();
            socket.ok_or_else(|| Failure::Text(EXPECTED.to_owned()))
        };
        let (http, https, ops) = (next(0)?, next(1)?, next(2)?);
        let http3 = match given.len() {
            3 => None,
            _ => Some(given.take_udp_socket(3).ok().flatten().ok_or_else(|| Failure::Text(EXPECTED.to_owned()))?),
        };
        Ok(Some(Self { http, https, ops, http3 }))
    }
}

/// What a new process is started with.
pub struct Handover {
    binary: PathBuf,
    arguments: Vec<OsString>,
    sockets: Vec<OwnedFd>,
}

impl Handover {
    /// Remembers how this process was started, and holds its sockets.
    ///
    /// # Errors
    /// The operating system does not tell.
    pub fn new(sockets: Vec<OwnedFd>) -> io::Result<Self> {
        Ok(Self { binary: std::env::current_exe()?, arguments: std::env::args_os().skip(1).collect(), sockets })
    }

    /// Starts the binary that stands where this one was started from, and waits until it stands by. It blocks.
    ///
    /// # Errors
    /// It can't be started, or ends instead; this process then serves on.
    pub fn start(&self, data: &Path) -> io::Result<Child> {
        let note = data.join(STANDING_BY);
        drop(fs::remove_file(&note));
        let mut command = Command::new(&self.binary);
        command.args(&self.arguments).env(COUNT, self.sockets.len().to_string());
        command.env_remove("LISTEN_PID").env_remove("LISTEN_FDNAMES");
        let mut mappings = Vec::new();
        for (child_fd, socket) in (FIRST..).zip(&self.sockets) {
            mappings.push(FdMapping { parent_fd: socket.try_clone()?, child_fd });
        }
        command.fd_mappings(mappings).map_err(io::Error::other)?;
        let mut child = command.spawn()?;
        let begun = Instant::now();
        loop {
            let standing = fs::read_to_string(&note).is_ok_and(|text| text.trim() == child.id().to_string());
            if standing {
                drop(fs::remove_file(&note));
                return Ok(child);
            }
            if let Some(status) = child.try_wait()? {
                return Err(io::Error::other(format!("the new process ended instead of standing by: {status}")));
            }
            if begun.elapsed() > PATIENCE {
                child.kill()?;
                child.wait()?;
                return Err(io::Error::other("the new process did not stand by in time"));
            }
            std::thread::sleep(LOOK);
        }
    }
}

/// Tells the process before that this one stands by.
///
/// # Errors
/// The data folder can't be written.
pub fn stand_by(data: &Path) -> io::Result<()> {
    let draft = data.join(format!("{STANDING_BY}.new"));
    fs::write(&draft, std::process::id().to_string())?;
    fs::rename(draft, data.join(STANDING_BY))
}
