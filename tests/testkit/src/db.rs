//! A migrated database of one test, opened by the kernel: for modules tested alone on their own floor.
//!
//! The schema is applied once a run; each test gets a copy.

use std::ops::Deref;
use std::path::Path;

use kernel::{Clock, Db, DbConfig, Random, RootKey};

use crate::engine::{Engine, Store};
use crate::postgres::Postgres;
use crate::{must, run};

const TEMPLATE: &str = "template_holdfast";

/// An open database with the whole schema, removed on drop.
pub struct TestDb {
    db: Db,
    store: Store,
}

/// A fresh migrated database. Its clock can be shifted: `db.clock().shift(…)`.
pub async fn db(engine: Engine) -> TestDb {
    let store = Store::migrated(engine).await;
    let db = open(&store).await;
    TestDb { db, store }
}

impl TestDb {
    /// The same database opened a second time, as another process would: its own signals, pools and clock.
    pub async fn again(&self) -> Db {
        open(&self.store).await
    }

    /// Where it is.
    pub fn store(&self) -> &Store {
        &self.store
    }
}

impl Deref for TestDb {
    type Target = Db;

    fn deref(&self) -> &Db {
        &self.db
    }
}

async fn open(store: &Store) -> Db {
    let config = DbConfig {
        url: store.url().to_owned(),
        max_connections: 10,
        acquire_timeout: 30,
        migrate_on_start: false,
        app_role: String::new(),
    };
    let keys = RootKey::from_bytes(&[7; 32]);
    let opened = Db::open(&config, store.folder(), keys, Clock::default(), Random::default()).await;
    must(opened, "opening a test's database")
}

impl Store {
    /// A store on `engine` that holds the whole schema and no rows but those of the steps.
    pub async fn migrated(engine: Engine) -> Self {
        let lock = run::current().lock("schema");
        match engine {
            Engine::Sqlite => {
                let template = run::current().dir.join("template.db");
                if !template.exists() {
                    let unfinished = template.with_extension("new");
                    migrate(&format!("sqlite:{}?mode=rwc", unfinished.display())).await;
                    must(std::fs::rename(unfinished, &template), "keeping the schema's copy");
                }
                drop(lock);
                Self::copy_of(&template)
            }
            Engine::Postgres => {
                let cluster = Postgres::shared();
                let known = format!("SELECT 1 FROM pg_database WHERE datname = '{TEMPLATE}' AND datistemplate");
                if cluster.sql("postgres", &known).is_empty() {
                    cluster.sql("postgres", &format!("CREATE DATABASE {TEMPLATE} OWNER holdfast"));
                    migrate(&cluster.url(TEMPLATE, "holdfast")).await;
                    cluster.sql("postgres", &format!("ALTER DATABASE {TEMPLATE} IS_TEMPLATE true"));
                }
                drop(lock);
                Self::of(cluster.database_like(TEMPLATE))
            }
        }
    }

    fn copy_of(template: &Path) -> Self {
        let store = Self::empty(Engine::Sqlite);
        must(std::fs::copy(template, store.folder().join("holdfast.db")), "copying the schema");
        store
    }
}

async fn migrate(url: &str) {
    let connection = must(sea_orm::Database::connect(url).await, "opening the schema's template");
    must(migration::up(migration::LEDGERS, &connection).await, "applying the schema");
    must(connection.close().await, "closing the schema's template");
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn a_fresh_database_has_the_schema_and_can_be_opened_twice(engine: Engine) {
        let db = db(engine).await;
        let other = db.again().await;

        db.refuse_bypassing_role().await.unwrap();
        for opened in [&*db, &other] {
            let count = opened
                .read(&kernel::Caller::platform("test"), async |tx| {
                    tx.execute("SELECT count(*) FROM kernel_migration", []).await?;
                    Ok::<_, kernel::Problem>(())
                })
                .await;
            assert!(count.is_ok());
        }
    }

    crate::on_both_engines!(a_fresh_database_has_the_schema_and_can_be_opened_twice);
}
