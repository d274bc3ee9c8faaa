//! Both engines, one test body.

use std::path::Path;

use tempfile::TempDir;

use crate::postgres::{Database, Postgres};
use crate::run;

/// The database engine under a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// A fresh, empty place to keep data: a file in a temporary folder, or a database of the run's cluster.
/// It is removed on drop.
pub struct Store {
    url: String,
    folder: TempDir,
    database: Option<Database>,
}

impl Store {
    /// An empty store on `engine`.
    pub fn empty(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => {
                let folder = run::current().folder("store");
                let url = format!("sqlite:{}", folder.path().join("holdfast.db").display());
                Self { url, folder, database: None }
            }
            Engine::Postgres => Self::of(Postgres::shared().database()),
        }
    }

    /// A store of this database.
    pub(crate) fn of(database: Database) -> Self {
        let folder = run::current().folder("store");
        Self { url: database.url().to_owned(), folder, database: Some(database) }
    }

    /// The PostgreSQL database, to look at it as the superuser.
    pub fn database(&self) -> Option<&Database> {
        self.database.as_ref()
    }

    /// What `HOLDFAST__DATABASE__URL` takes.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A temporary folder of this store's own.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Makes each named `async fn name(engine: Engine)` two tests: `sqlite::name` and `postgres::name`.
///
/// ```ignore
/// async fn a_taken_slug_conflicts(engine: Engine) { … }
///
/// testkit::on_both_engines!(a_taken_slug_conflicts);
/// ```
/// A body that isn't listed is dead code, so a forgotten one is a warning.
#[macro_export]
macro_rules! on_both_engines {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $test() {
                super::$test($crate::Engine::Sqlite).await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $test() {
                super::$test($crate::Engine::Postgres).await;
            })+
        }
    };
}
