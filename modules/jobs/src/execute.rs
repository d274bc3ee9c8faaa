//! One attempt: the handler, guarded against panics, silence and deafness.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use kernel::Problem;

use crate::handler::{Handler, Run, Stop};

/// How long a handler that was called off may go on.
const CANCEL_GRACE: Duration = Duration::from_secs(5);

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Done, and to be settled.
    Succeeded,
    /// Done, and settled by its handler.
    Settled,
    /// Failed: tried again later, or, if it was called off, cancelled.
    Failed(String),
    /// Stopped by the shutdown: ready for others, and no failure.
    HandedBack,
}

impl Outcome {
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Succeeded | Self::Settled => "succeeded",
            Self::Failed(_) => "failed",
            Self::HandedBack => "handed_back",
        }
    }
}

/// Runs the handler to its end, or to the end of our patience.
pub(crate) async fn execute(handler: &dyn Handler, run: &Run, timeout: Duration, drain: Duration) -> Outcome {
    let work = AssertUnwindSafe(handler.run(run)).catch_unwind();
    let ended = tokio::select! {
        ended = work => match ended {
            Ok(Ok(())) => Outcome::Succeeded,
            Ok(Err(problem)) => failed(run, &problem),
            Err(_) => Outcome::Failed("The handler panicked; the log has more.".to_owned()),
        },
        () = tokio::time::sleep(timeout) => {
            Outcome::Failed(format!("It was not done within {} s.", timeout.as_secs_f64()))
        }
        stop = deaf(run, drain) => match stop {
            Stop::Shutdown => Outcome::HandedBack,
            _ => Outcome::Failed("It was called off and did not stop by itself.".to_owned()),
        },
    };
    if run.is_settled() { Outcome::Settled } else { ended }
}

/// A handler that gives up because the process stops has not failed.
fn failed(run: &Run, problem: &Problem) -> Outcome {
    match run.stop_reason() {
        Stop::Shutdown => Outcome::HandedBack,
        _ => Outcome::Failed(format!("{}: {}", problem.code, problem.detail)),
    }
}

/// Completes when the handler was told to stop and had its time to do so.
async fn deaf(run: &Run, drain: Duration) -> Stop {
    let stop = run.stopped().await;
    let grace = match stop {
        Stop::Shutdown => drain,
        Stop::Cancelled => CANCEL_GRACE.min(drain),
        Stop::Lost | Stop::No => Duration::ZERO,
    };
    tokio::time::sleep(grace).await;
    stop
}
