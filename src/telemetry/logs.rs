//! Log lines: for people on a terminal, one JSON object a line elsewhere. They go to standard error, written by a
//! thread of their own so that a slow terminal holds up no request.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use gateway::{AccessLine, AccessLines};
use kernel::Clock;
use serde::{Serialize, Serializer};
use tracing_appender::non_blocking::{NonBlocking, WorkerGuard};
use tracing_subscriber::EnvFilter;

use crate::config::{LogConfig, LogFormat};

/// How long lines gather before the next ones are written.
const GATHER: Duration = Duration::from_millis(10);

/// Writes out what is still buffered when dropped.
pub struct LogGuard {
    json: Option<NonBlocking>,
    #[expect(dead_code, reason = "held for its drop")]
    worker: WorkerGuard,
}

impl LogGuard {
    /// Writes lines about requests straight into a log of JSON; for people they go through `tracing`, as all others do.
    pub fn access_lines(&self, clock: Clock) -> Option<Box<dyn AccessLines>> {
        Some(Box::new(JsonLines { log: self.json.clone()?, clock }))
    }
}

/// Starts logging.
///
/// # Errors
/// A malformed `log.level`.
pub fn start(config: &LogConfig) -> Result<LogGuard, String> {
    // The drivers' own chatter is off unless it is asked for.
    let directives =
        format!("{},sqlx=warn,sea_orm=warn,sea_orm_migration=warn,hyper=warn,rustls=warn,async_nats=off", config.level);
    let filter = EnvFilter::try_new(directives)
        .map_err(|error| format!("log.level {:?} is not understood: {error}. Try info or debug.", config.level))?;
    let (writer, worker) = tracing_appender::non_blocking(Gathered(BufWriter::with_capacity(64 * 1024, io::stderr())));
    let human = match config.format {
        LogFormat::Human => true,
        LogFormat::Json => false,
        LogFormat::Auto => io::stderr().is_terminal(),
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer.clone()).with_target(true);
    let started = if human {
        builder.with_ansi(io::stderr().is_terminal()).try_init()
    } else {
        builder.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
    };
    started.map_err(|error| error.to_string())?;
    Ok(LogGuard { json: (!human).then_some(writer), worker })
}

/// Says what made the command fail. Also for failures before logging has begun.
pub fn say_error(text: &str) {
    // Nobody to tell when standard error is gone.
    drop(writeln!(io::stderr(), "holdfast: {text}"));
}

/// Lines about requests in the form that `tracing` gives to all others.
struct JsonLines {
    log: NonBlocking,
    clock: Clock,
}

#[derive(Serialize)]
struct JsonLine<'a> {
    #[serde(serialize_with = "moment")]
    timestamp: DateTime<Utc>,
    level: &'static str,
    #[serde(flatten)]
    line: &'a AccessLine<'a>,
    target: &'static str,
}

fn moment<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Micros, true))
}

impl AccessLines for JsonLines {
    fn write(&self, line: &AccessLine<'_>) {
        let line = JsonLine { timestamp: self.clock.now(), level: "INFO", line, target: "request" };
        let mut text = Vec::with_capacity(512);
        if serde_json::to_writer(&mut text, &line).is_ok() {
            text.push(b'\n');
            // A log that is full drops lines, and counts them.
            drop(self.log.clone().write_all(&text));
        }
    }
}

/// Lines in one write where many come at once. The first goes out at once; then the writing thread rests, so that under
/// load neither a line's request has to wake it nor each line is a call to the system.
struct Gathered<W: Write>(BufWriter<W>);

impl<W: Write> Write for Gathered<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()?;
        std::thread::sleep(GATHER);
        Ok(())
    }
}
