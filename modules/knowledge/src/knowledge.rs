//! The module's handle.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use events::Subscriber;
use jobs::Handler;
use kernel::{Db, Egress, Problem, Tasks, TenantId};
use tokio::sync::Notify;
use vault::Vault;

use crate::config::KnowledgeConfig;
use crate::derived::keeper::{self, Keeper};
use crate::derived::shelf::Shelf;
use crate::derived::shelves::Shelves;
use crate::embed::{RemoteModel, models_folder};
use crate::extract::{Extractor, ExtractorConfig};
use crate::ingest::PROGRESS_BELL;
use crate::ingest::hear::Listener;
use crate::ingest::job::Reader;
use crate::ingest::later::Later;
use crate::models::ModelRoom;
use crate::tidy::Tidy;

/// Search over the vault's searchable documents. Cheap to clone.
#[derive(Clone)]
pub struct Knowledge(Arc<Inner>);

struct Inner {
    db: Db,
    vault: Vault,
    config: KnowledgeConfig,
    extractor: Arc<Extractor>,
    models: Arc<ModelRoom>,
    shelves: Arc<Shelves>,
    /// Wakes whoever watches how far documents are.
    progress: Arc<Notify>,
}

impl fmt::Debug for Knowledge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Knowledge({})", self.0.config.default_model)
    }
}

impl Knowledge {
    /// Search over this vault, with its indexes under the data folder. Models at services are called through `egress`.
    pub fn new(db: Db, vault: Vault, config: KnowledgeConfig, data: &Path, egress: &Egress) -> Self {
        let mut reader = ExtractorConfig { limits: config.limits.clone(), ..ExtractorConfig::default() };
        if config.readers > 0 {
            reader.processes = config.readers;
        }
        if let Some((program, arguments)) = &config.reader {
            reader.program.clone_from(program);
            reader.arguments.clone_from(arguments);
        }
        let remote = config.remote_models.iter().map(|model| RemoteModel::new(model.clone(), egress.clone()));
        let folder = models_folder(&config.models, data);
        let models = ModelRoom::new(folder, config.embed_threads, config.default_model.clone(), remote.collect());
        let shelves = Shelves::new(db.clone(), data.join("knowledge"), config.open_indexes);
        Self(Arc::new(Inner {
            extractor: Arc::new(Extractor::new(reader)),
            models: Arc::new(models),
            shelves: Arc::new(shelves),
            progress: Arc::default(),
            db,
            vault,
            config,
        }))
    }

    /// What hears the vault's events.
    pub fn subscribers(&self) -> Vec<Arc<dyn Subscriber>> {
        vec![Arc::new(Listener { default_model: self.0.config.default_model.clone() })]
    }

    /// What does this module's jobs.
    pub fn handlers(&self) -> Vec<Arc<dyn Handler>> {
        let reader = Reader {
            vault: self.0.vault.clone(),
            extractor: Arc::clone(&self.0.extractor),
            models: Arc::clone(&self.0.models),
            db: self.0.db.clone(),
            default_model: self.0.config.default_model.clone(),
        };
        let later = Later { models: Arc::clone(&self.0.models), db: self.0.db.clone() };
        vec![Arc::new(reader), Arc::new(later), Arc::new(Tidy { db: self.0.db.clone() })]
    }

    /// Lets this process's indexes follow the rows.
    pub fn start(&self, tasks: &Tasks) {
        let keeper = Keeper::new(self.0.db.clone(), Arc::clone(&self.0.shelves), Arc::clone(&self.0.models));
        tasks.spawn(keeper.run(tasks.clone()));
        let (bell, all, its_tasks) =
            (self.0.db.signals().bell(PROGRESS_BELL), Arc::clone(&self.0.progress), tasks.clone());
        // A bell of the kernel wakes one waiter; here are several.
        tasks.spawn(async move {
            loop {
                tokio::select! {
                    () = its_tasks.stopping() => break,
                    () = bell.notified() => all.notify_waiters(),
                }
            }
        });
    }

    /// Completes when some document's progress changes in this process.
    pub(crate) fn changed(&self) -> impl Future<Output = ()> + use<> {
        Arc::clone(&self.0.progress).notified_owned()
    }

    pub(crate) fn db(&self) -> &Db {
        &self.0.db
    }

    pub(crate) fn vault(&self) -> &Vault {
        &self.0.vault
    }

    pub(crate) fn models(&self) -> &ModelRoom {
        &self.0.models
    }

    pub(crate) fn extractor(&self) -> &Extractor {
        &self.0.extractor
    }

    pub(crate) fn default_model(&self) -> &str {
        &self.0.config.default_model
    }

    /// The tenant's indexes, which begin to follow the rows in the background when this opens them.
    pub(crate) async fn shelf(&self, tenant: TenantId) -> Result<Arc<Shelf>, Problem> {
        if let Some(shelf) = self.0.shelves.peek(tenant) {
            return Ok(shelf);
        }
        let shelf = self.0.shelves.open(tenant).await?;
        let inner = Arc::clone(&self.0);
        #[expect(clippy::disallowed_methods, reason = "it ends by itself, and whoever searches need not wait for it")]
        tokio::spawn(async move {
            if let Err(problem) = keeper::wake(&inner.db, &inner.shelves, &inner.models, tenant).await {
                tracing::warn!(code = %problem.code, detail = problem.detail, "a tenant's indexes wait for the rows");
            }
        });
        Ok(shelf)
    }
}
