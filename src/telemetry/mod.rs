//! Logs, metrics and traces of the process.

mod logs;
mod metrics;
mod spans;

pub use logs::{say_error, start as start_logs};
pub use metrics::Metrics;
pub use spans::{Spans, SpansError};
