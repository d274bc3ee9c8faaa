//! `upgrade`: has a running server hand its sockets to the binary that now stands in its place.

use std::fs;
use std::io::Write;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::addresses;
use crate::cli::SettingsArgs;
use crate::commands::Failure;
use crate::config::Config;

/// How long the whole may take: standing by, draining, starting.
const PATIENCE: Duration = Duration::from_mins(2);
const LOOK: Duration = Duration::from_millis(50);

/// Tells the server of this data folder, and waits until its successor serves.
///
/// # Errors
/// There is no server, or it serves on because the new binary does not start.
pub fn run(args: &SettingsArgs) -> Result<(), Failure> {
    let config = Config::load(args)?;
    let file = config.data().join(addresses::FILE);
    let running = || -> Option<i32> {
        let text = fs::read(&file).ok()?;
        let told: serde_json::Value = serde_json::from_slice(&text).ok()?;
        i32::try_from(told["pid"].as_i64()?).ok()
    };
    let former = running().and_then(Pid::from_raw).filter(|pid| test_kill_process(*pid).is_ok());
    let Some(former) = former else {
        let data = config.data().display();
        return Err(Failure::Text(format!("No server runs on {data}; name its data folder with --data.")));
    };
    kill_process(former, Signal::USR2).map_err(std::io::Error::from)?;
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        std::thread::sleep(LOOK);
        if let Some(now) = running().filter(|now| *now != former.as_raw_nonzero().get()) {
            return Ok(writeln!(std::io::stdout(), "Process {now} serves in place of {}.", former.as_raw_nonzero())?);
        }
    }
    let text =
        "The new binary does not serve yet; the server's log says why. If it could not start, the former serves on.";
    Err(Failure::Text(text.to_owned()))
}
