//! `openapi`, `graphql-schema` and `version`: documents that need no database file and no server.

use std::io::Write;

use crate::api;
use crate::cli::SettingsArgs;
use crate::commands::{Failure, blocking};
use crate::config::Config;
use crate::house::{House, idle_edge};
use crate::schema;

/// Prints the OpenAPI document.
///
/// # Errors
/// Standard output is gone.
pub fn openapi() -> Result<(), Failure> {
    blocking(async {
        let (house, _config, _folder) = empty_house().await?;
        let document = api::document(&api::service(&house));
        print(&serde_json::to_string_pretty(&document).map_err(std::io::Error::from)?)
    })
}

/// Prints the GraphQL schema in SDL.
///
/// # Errors
/// Standard output is gone.
pub fn graphql_schema() -> Result<(), Failure> {
    blocking(async {
        let (house, config, _folder) = empty_house().await?;
        print(schema::build(&house, &config.graphql).sdl().trim_end())
    })
}

/// Prints the version.
///
/// # Errors
/// Standard output is gone.
pub fn version() -> Result<(), Failure> {
    print(&format!(
        "holdfast {} ({} {}, SQLite and PostgreSQL)",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH
    ))
}

/// A house over an empty database in a temporary folder: enough to describe what it offers.
async fn empty_house() -> Result<(House, Config, tempfile::TempDir), Failure> {
    let folder = tempfile::tempdir()?;
    let args = SettingsArgs { data: Some(folder.path().to_owned()), ..SettingsArgs::default() };
    let mut config = Config::load(&args)?;
    config.database.url = String::new();
    let keys = kernel::RootKey::from_bytes(&[0; 32]);
    let (clock, random) = (kernel::Clock::default(), kernel::Random::default());
    let db = kernel::Db::open(&config.database, folder.path(), keys, clock, random).await?;
    let edge = idle_edge(&config, &db)?;
    Ok((House::build(db, edge, &config, config.server.https.port())?, config, folder))
}

fn print(text: &str) -> Result<(), Failure> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}
