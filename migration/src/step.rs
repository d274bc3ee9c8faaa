//! One step of a schema: SQL for both engines.

use async_trait::async_trait;
use sea_orm_migration::prelude::{DbErr, MigrationName, MigrationTrait, SchemaManager};
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

/// Word in braces, what it means on SQLite, and on PostgreSQL.
const WORDS: &[(&str, &str, &str)] = &[
    ("{uuid}", "BLOB", "UUID"),
    // Byte order, as SQLite has it, so that a list is in the same order on both.
    ("{text}", "TEXT", "TEXT COLLATE \"C\""),
    ("{time}", "TEXT", "TIMESTAMPTZ"),
    ("{bytes}", "BLOB", "BYTEA"),
    ("{json}", "TEXT", "TEXT"),
    ("{bool}", "INTEGER", "BOOLEAN"),
    ("{true}", "1", "TRUE"),
    ("{false}", "0", "FALSE"),
    ("{int}", "INTEGER", "INTEGER"),
    ("{bigint}", "INTEGER", "BIGINT"),
    ("{serial_key}", "INTEGER PRIMARY KEY AUTOINCREMENT", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),
    // Goes after the closing parenthesis of a table.
    ("{strict}", "STRICT", ""),
    // For a table that is reached by its primary key only.
    ("{strict_rowless}", "STRICT, WITHOUT ROWID", ""),
];

/// One step of a module's schema.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Unique within its ledger and sorted: `m20261122_000001_create`.
    pub name: &'static str,
    /// Statements that make the change.
    pub up: &'static str,
    /// Statements that take it back.
    pub down: &'static str,
    /// Tables of this step whose rows belong to a tenant; they have a column `tenant_id`. On PostgreSQL they get
    /// row-level security with FORCE, so that even their owner sees only the tenant that the transaction names.
    pub tenant_tables: &'static [&'static str],
}

impl Step {
    fn sql(text: &str, backend: DbBackend) -> String {
        WORDS.iter().fold(text.to_owned(), |text, (word, sqlite, postgres)| {
            text.replace(word, if backend == DbBackend::Sqlite { sqlite } else { postgres })
        })
    }
}

/// Default deny: without a tenant set for the transaction, no row is seen or written.
fn row_level_security(table: &str) -> String {
    let rule = "tenant_id = NULLIF(current_setting('holdfast.tenant', true), '')::uuid \
                OR current_setting('holdfast.everyone', true) = 'on'";
    format!(
        "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; \
         ALTER TABLE {table} FORCE ROW LEVEL SECURITY; \
         CREATE POLICY {table}_tenant ON {table} USING ({rule}) WITH CHECK ({rule});"
    )
}

impl MigrationName for Step {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let connection = manager.get_connection();
        connection.execute_unprepared(&Self::sql(self.up, backend)).await?;
        if backend == DbBackend::Postgres {
            for table in self.tenant_tables {
                connection.execute_unprepared(&row_level_security(table)).await?;
            }
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = Self::sql(self.down, manager.get_database_backend());
        manager.get_connection().execute_unprepared(&sql).await.map(|_| ())
    }

    /// A step that fails in its middle leaves nothing behind, on both engines.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
