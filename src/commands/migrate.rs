//! `migrate up|down|status`. May run as the owner of the tables; `serve` runs as a lesser role.

use std::io::Write;

use crate::cli::{MigrateAction, MigrateArgs, SettingsArgs};
use crate::commands::Failure;
use crate::config::Config;
use crate::data_folder::DataFolder;
use crate::house;

/// Runs the command.
///
/// # Errors
/// The database does not open, or a step fails.
pub async fn run(args: &MigrateArgs) -> Result<(), Failure> {
    match &args.action {
        MigrateAction::Up(args) => up(&args.settings).await,
        MigrateAction::Status(args) => status(&args.settings).await,
        MigrateAction::Down { steps, yes, settings } if *yes => down(settings, *steps).await,
        MigrateAction::Down { .. } => Err(Failure::Text(
            "Taking back a step drops its tables and their data. Repeat with --yes, after a backup.".to_owned(),
        )),
    }
}

async fn open(args: &SettingsArgs) -> Result<(Config, DataFolder, kernel::Db), Failure> {
    let config = Config::load(args)?;
    let data = DataFolder::open(config.data())?;
    let db = house::open_database(&config, &data).await?;
    Ok((config, data, db))
}

async fn up(args: &SettingsArgs) -> Result<(), Failure> {
    let (config, _data, db) = open(args).await?;
    let connection = db.migration_connection();
    let pending = migration::pending(migration::LEDGERS, &connection).await?;
    migration::up(migration::LEDGERS, &connection).await?;
    migration::grant(&connection, &config.database.app_role).await?;
    db.close().await;
    say(&format!("Applied {pending} steps."))
}

async fn down(args: &SettingsArgs, steps: u32) -> Result<(), Failure> {
    let (_config, _data, db) = open(args).await?;
    migration::down(migration::LEDGERS, &db.migration_connection(), steps).await?;
    db.close().await;
    say(&format!("Took back {steps} steps."))
}

async fn status(args: &SettingsArgs) -> Result<(), Failure> {
    let (_config, _data, db) = open(args).await?;
    for step in migration::status(migration::LEDGERS, &db.migration_connection()).await? {
        let state = if step.applied { "applied" } else { "pending" };
        say(&format!("{state}  {:<10}{}", step.module, step.step))?;
    }
    db.close().await;
    Ok(())
}

fn say(text: &str) -> Result<(), Failure> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}
