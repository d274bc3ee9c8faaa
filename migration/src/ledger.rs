//! One ledger a module: which of its steps are applied, and running the others.

use sea_orm_migration::prelude::{Alias, DynIden, IntoIden, MigrationTrait};
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, TransactionTrait};
use sea_orm_migration::{MigrationStatus, MigratorTraitSelf};

use crate::step::Step;

/// Why the schema could not be changed or read.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// A step failed; the steps before it stay.
    #[error(
        "The schema step of {module} failed: {source}. Nothing of this step was kept; mend the cause and run `holdfast migrate up` again."
    )]
    Step { module: &'static str, source: DbErr },
    /// The state could not be read.
    #[error("The schema's state can't be read: {0}. Check that the database answers and the role may use it.")]
    Status(DbErr),
    /// A role's name that is none.
    #[error("database.app_role {0:?} is no role name; use letters, digits and underscores.")]
    Role(String),
}

/// The steps of one module.
#[derive(Clone, Copy, Debug)]
pub struct Ledger {
    /// The module; its tables and its ledger's table begin with it.
    pub module: &'static str,
    /// The steps, the oldest first.
    pub steps: &'static [Step],
}

/// One step and whether it is applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepStatus {
    /// The module.
    pub module: &'static str,
    /// The step's name.
    pub step: String,
    /// Whether it is applied.
    pub applied: bool,
}

impl MigratorTraitSelf for Ledger {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        self.steps.iter().map(|step| Box::new(*step) as Box<dyn MigrationTrait>).collect()
    }

    fn migration_table_name(&self) -> DynIden {
        Alias::new(format!("{}_migration", self.module)).into_iden()
    }
}

/// The number under which processes that migrate at once take turns (PostgreSQL).
const TURN: i64 = 0x686f_6c64_6661_7374;

/// Applies all pending steps, floor by floor. Processes that do so at once take turns.
///
/// # Errors
/// The first step that fails; those before it stay.
pub async fn up(ledgers: &[Ledger], connection: &DatabaseConnection) -> Result<(), MigrationError> {
    let turn = turn(connection).await?;
    for ledger in ledgers {
        let failed = |source| MigrationError::Step { module: ledger.module, source };
        ledger.up(connection, None).await.map_err(failed)?;
    }
    end(turn).await
}

/// Takes back the newest step of the highest module that has one, `steps` times.
///
/// # Errors
/// The first step that can't be taken back.
pub async fn down(ledgers: &[Ledger], connection: &DatabaseConnection, steps: u32) -> Result<(), MigrationError> {
    let turn = turn(connection).await?;
    for _ in 0..steps {
        for ledger in ledgers.iter().rev() {
            let applied = statuses(ledger, connection).await?.iter().any(|step| step.applied);
            if applied {
                let failed = |source| MigrationError::Step { module: ledger.module, source };
                ledger.down(connection, Some(1)).await.map_err(failed)?;
                break;
            }
        }
    }
    end(turn).await
}

/// Every step and whether it is applied; changes nothing.
///
/// # Errors
/// The database does not answer.
pub async fn status(ledgers: &[Ledger], connection: &DatabaseConnection) -> Result<Vec<StepStatus>, MigrationError> {
    let mut all = Vec::new();
    for ledger in ledgers {
        all.extend(statuses(ledger, connection).await?);
    }
    Ok(all)
}

/// How many steps are pending.
///
/// # Errors
/// The database does not answer.
pub async fn pending(ledgers: &[Ledger], connection: &DatabaseConnection) -> Result<usize, MigrationError> {
    Ok(status(ledgers, connection).await?.iter().filter(|step| !step.applied).count())
}

/// Lets another role use the tables (PostgreSQL, where `migrate` runs as their owner and `serve` does not).
///
/// # Errors
/// A malformed name, or the role does not exist.
pub async fn grant(connection: &DatabaseConnection, role: &str) -> Result<(), MigrationError> {
    if role.is_empty() || connection.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    if !role.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err(MigrationError::Role(role.to_owned()));
    }
    let sql = format!(
        "GRANT USAGE ON SCHEMA public TO \"{role}\"; \
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO \"{role}\"; \
         GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO \"{role}\""
    );
    connection.execute_unprepared(&sql).await.map(|_| ()).map_err(MigrationError::Status)
}

async fn statuses(ledger: &Ledger, connection: &DatabaseConnection) -> Result<Vec<StepStatus>, MigrationError> {
    let found = ledger.get_migration_with_status_read_only(connection).await.map_err(MigrationError::Status)?;
    let step = |found: &sea_orm_migration::Migration| StepStatus {
        module: ledger.module,
        step: found.name().to_owned(),
        applied: found.status() == MigrationStatus::Applied,
    };
    Ok(found.iter().map(step).collect())
}

type Turn = Option<sea_orm_migration::sea_orm::DatabaseTransaction>;

/// SQLite has one writer connection, and a second process waits for the file's lock.
async fn turn(connection: &DatabaseConnection) -> Result<Turn, MigrationError> {
    if connection.get_database_backend() != DbBackend::Postgres {
        return Ok(None);
    }
    let turn = connection.begin().await.map_err(MigrationError::Status)?;
    let lock = format!("SELECT pg_advisory_xact_lock({TURN})");
    turn.execute_unprepared(&lock).await.map_err(MigrationError::Status)?;
    Ok(Some(turn))
}

async fn end(turn: Turn) -> Result<(), MigrationError> {
    match turn {
        Some(turn) => turn.commit().await.map_err(MigrationError::Status),
        None => Ok(()),
    }
}
