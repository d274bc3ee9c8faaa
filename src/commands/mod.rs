//! The commands beside `serve`.

mod doctor;
mod documents;
mod evaluate;
mod failure;
mod migrate;
mod routes;
mod upgrade;

pub use doctor::run as doctor;
pub use documents::{graphql_schema, openapi, version};
pub use evaluate::run as evaluate;
pub use failure::Failure;
pub use migrate::run as migrate;
pub use routes::run as routes;
pub use upgrade::run as upgrade;

/// Runs a command's future on a runtime of its own.
///
/// # Errors
/// What the command returns, or the runtime can't start.
pub fn blocking(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}
