//! One test run: the folder that everything started by its tests lives in, and the supervisor that ends it.
//!
//! Under nextest a setup script makes the run and exports `HOLDFAST_TEST_RUN`, so that all test processes share it;
//! under `cargo test` each process makes its own. Either way `run.sh` outlives a killed test and cleans up.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::must;

const SUPERVISOR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/run.sh");

/// The run folder, and who owns it: what is registered to the owner lives as long as the run.
pub(crate) struct Run {
    pub(crate) dir: PathBuf,
    owner: u32,
    /// Its standard input is what keeps an own run alive; the process's end closes it.
    _supervisor: Option<Child>,
}

/// The run of this process, made at the first call.
pub(crate) fn current() -> &'static Run {
    static RUN: OnceLock<Run> = OnceLock::new();
    RUN.get_or_init(|| std::env::var_os("HOLDFAST_TEST_RUN").map_or_else(own, |dir| shared(dir.into())))
}

fn shared(dir: PathBuf) -> Run {
    let owner = must(fs::read_to_string(dir.join("owner")), "HOLDFAST_TEST_RUN names no run");
    let owner = must(owner.trim().parse(), "the run's owner is no process id");
    Run { dir, owner, _supervisor: None }
}

fn own() -> Run {
    let mut command = Command::new("sh");
    command.args([SUPERVISOR, "--stdin"]).process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut supervisor = must(command.spawn(), "starting tests/testkit/run.sh");
    let mut dir = String::new();
    if let Some(stdout) = supervisor.stdout.take() {
        must(BufReader::new(stdout).read_line(&mut dir), "reading the run's folder");
    }
    assert!(!dir.trim().is_empty(), "tests/testkit/run.sh made no folder under /tmp");
    Run { dir: dir.trim().into(), owner: std::process::id(), _supervisor: Some(supervisor) }
}

/// How long a started process may live.
#[derive(Clone, Copy)]
pub(crate) enum Life {
    /// As long as this test process.
    Test,
    /// As long as the run: other test processes use it too.
    Run,
}

impl Run {
    /// A new folder inside the run, readable by this user only.
    pub(crate) fn folder(&self, name: &str) -> tempfile::TempDir {
        let made = tempfile::Builder::new().prefix(&format!("{name}.")).tempdir_in(&self.dir);
        must(made, "making a folder in the run")
    }

    /// Has the supervisor end `pid` with `signal` when its life is over, should we not.
    pub(crate) fn register(&self, pid: u32, life: Life, signal: &str) {
        let owner = match life {
            Life::Test => std::process::id(),
            Life::Run => self.owner,
        };
        must(fs::write(self.note(pid), format!("{owner} {signal}\n")), "registering a process with the run");
    }

    /// To be called before `pid` is reaped, so that its number can't have been given to another process.
    pub(crate) fn forget(&self, pid: u32) {
        let gone = fs::remove_file(self.note(pid));
        drop(gone); // the supervisor may have been faster
    }

    fn note(&self, pid: u32) -> PathBuf {
        self.dir.join("pids").join(pid.to_string())
    }

    /// Does `work` while no other process or thread of this run holds the same `name`.
    pub(crate) fn lock(&self, name: &str) -> File {
        let path = self.dir.join(format!("{name}.lock"));
        let file = must(File::create(&path), "creating a lock of the run");
        must(file.lock(), "locking a lock of the run");
        file
    }
}

/// A name that no other test of this run uses: `{prefix}{process id}x{count}` in base 36.
pub(crate) fn unique(prefix: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{prefix}{}x{}", base36(std::process::id()), base36(count))
}

fn base36(mut number: u32) -> String {
    let mut digits = Vec::new();
    loop {
        digits.extend(char::from_digit(number % 36, 36));
        number /= 36;
        if number == 0 {
            return digits.iter().rev().collect();
        }
    }
}

/// Sends `signal` (its name) to `pid`; false when there is no such process.
pub(crate) fn signal(pid: u32, signal: &str) -> bool {
    let mut kill = Command::new("sh");
    kill.args(["-c", "kill -s \"$1\" \"$2\"", "kill", signal, &pid.to_string()]).stderr(Stdio::null());
    must(kill.status(), "running kill").success()
}

/// The last lines of a log, for a failure's text.
pub(crate) fn tail(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_else(|error| format!("(no log at {}: {error})", path.display()));
    let skipped = text.lines().count().saturating_sub(40);
    text.lines().skip(skipped).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unique_names_differ_and_are_short() {
        let (one, two) = (unique("t"), unique("t"));

        assert_ne!(one, two);
        assert!(one.len() < 20, "{one}");
    }

    #[test]
    fn a_registered_process_of_a_dead_owner_is_ended() {
        let run = current();
        let mut child = Command::new("sleep").arg("30").spawn().unwrap();
        run.register(child.id(), Life::Test, "KILL");

        assert!(run.note(child.id()).exists());
        run.forget(child.id());
        assert!(signal(child.id(), "KILL"));
        assert!(!child.wait().unwrap().success());
    }
}
