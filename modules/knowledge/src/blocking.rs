//! What computes or waits for the disk, off the async threads.

use kernel::Problem;

/// Runs it on a thread that may block.
///
/// # Errors
/// It panicked.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(Problem::internal)
}
