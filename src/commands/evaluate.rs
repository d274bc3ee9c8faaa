//! `knowledge evaluate`: measures retrieval on a judged collection, through the same upload, reading, indexing and search
//! that documents of users take, in a scratch tenant of a server in a temporary folder.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use kernel::{Caller, SYSTEM_TENANT, Tasks, TenantId};
use knowledge::{Interval, Judgements, Measures, Mode, Quality, Query, Source, Sources, measure, summarize};
use tenancy::NewTenant;
use vault::{CollectionId, Incoming, NewCollection};

use crate::cli::EvaluateArgs;
use crate::commands::Failure;
use crate::config::Config;
use crate::data_folder::DataFolder;
use crate::house::{self, House};

/// Documents in a ranking.
const DEPTH: usize = 100;
/// Resamplings for an interval.
const ROUNDS: usize = 1000;
/// Uploads at once.
const AT_ONCE: usize = 8;

/// Loads the set, asks its questions and prints a table.
///
/// # Errors
/// The set can't be read, or the server can't be made.
pub async fn run(args: &EvaluateArgs) -> Result<(), Failure> {
    let queries = Query::read_all(&args.set).map_err(|error| Failure::Text(error.to_string()))?;
    let judgements = Judgements::read(&args.set).map_err(|error| Failure::Text(error.to_string()))?;
    let scratch = Scratch::open(args).await?;
    let outcome = scratch.evaluate(args, &queries, &judgements).await;
    scratch.tasks.stop(Duration::from_secs(30)).await;
    scratch.house.db.close().await;
    outcome
}

/// A server without listeners in a temporary folder.
struct Scratch {
    house: House,
    tasks: Tasks,
    tenant: TenantId,
    _folder: tempfile::TempDir,
}

impl Scratch {
    async fn open(args: &EvaluateArgs) -> Result<Self, Failure> {
        let mut config = Config::load(&args.settings)?;
        // A relative folder of models is meant from here, not from the temporary folder.
        if config.knowledge.models.is_empty() && config.data().join("models").is_dir() {
            config.knowledge.models = config.data().join("models").display().to_string();
        }
        let folder = tempfile::tempdir()?;
        config.server.data = folder.path().to_owned();
        config.database.url = String::new();
        let data = DataFolder::open(folder.path())?;
        let db = house::open_database(&config, &data).await?;
        migration::up(migration::LEDGERS, &db.migration_connection()).await?;
        let edge = house::idle_edge(&config, &db)?;
        let house = House::build(db, edge, &config, 0)?;
        house.furnish().await?;
        let tasks = Tasks::default();
        house.start(&tasks);
        let new = NewTenant { slug: "evaluation".to_owned(), name: "Evaluation".to_owned(), owner_email: None };
        let made = house.tenancy.create_tenant(&Caller::system("evaluate", SYSTEM_TENANT), new).await;
        let tenant = made.map_err(kernel::Problem::from)?.tenant.id;
        Ok(Self { house, tasks, tenant, _folder: folder })
    }

    fn caller(&self) -> Caller {
        Caller::system("evaluate", self.tenant)
    }

    async fn evaluate(&self, args: &EvaluateArgs, queries: &[Query], judged: &Judgements) -> Result<(), Failure> {
        let begun = Instant::now();
        let documents = self.load(&args.set, args.model.clone()).await?;
        let passages = self.house.knowledge.status(&self.caller()).await.map_err(kernel::Problem::from)?.passages;
        say(&format!(
            "{documents} documents, {passages} passages, searchable after {:.1} s\n\n\
             {:<8}{:>24}{:>24}{:>24}{:>24}{:>9}",
            begun.elapsed().as_secs_f64(),
            "arm",
            "nDCG@10",
            "recall@10",
            "recall@100",
            "MRR",
            "p50 ms"
        ));
        for (name, mode) in [("text", Mode::Text), ("vector", Mode::Vector), ("hybrid", Mode::Hybrid)] {
            let (quality, middle) = self.arm(mode, queries, judged).await?;
            say(&row(name, &quality, middle));
        }
        Ok(())
    }

    /// Uploads the set's documents and waits until all can be searched.
    async fn load(&self, set: &Path, model: Option<String>) -> Result<i64, Failure> {
        let new =
            NewCollection { name: "Evaluation".to_owned(), description: None, searchable: true, schema: None, model };
        let collection =
            self.house.vault.create_collection(&self.caller(), new).await.map_err(kernel::Problem::from)?;
        let sources = Sources::open(set).map_err(|error| Failure::Text(error.to_string()))?;
        let mut uploads =
            stream::iter(sources).map(|source| self.upload(collection.id, source)).buffer_unordered(AT_ONCE);
        let mut count = 0;
        while let Some(uploaded) = uploads.next().await {
            uploaded?;
            count += 1;
        }
        loop {
            let status = self.house.knowledge.status(&self.caller()).await.map_err(kernel::Problem::from)?;
            progress(&format!("{} of {count} documents can be searched", status.documents));
            let at_rest = status.documents + status.failed >= count && status.in_progress == 0;
            if at_rest && status.text_seq.min(status.vector_seq) >= status.seq {
                return Ok(status.documents);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn upload(
        &self,
        collection: CollectionId,
        source: Result<Source, knowledge::BeirError>,
    ) -> Result<(), Failure> {
        let source = source.map_err(|error| Failure::Text(error.to_string()))?;
        let (title, text) = (escaped(&source.title), escaped(&source.text));
        let page = format!("<title>{title}</title><h1>{title}</h1><p>{text}</p>");
        let incoming = Incoming {
            name: Some(source.id),
            content_type: Some("text/html; charset=utf-8".to_owned()),
            content_disposition: None,
            content_digest: None,
            body: stream::once(async move { Ok(page.into()) }).boxed(),
        };
        let uploaded = self.house.vault.upload_document(&self.caller(), Some(collection), incoming).await;
        uploaded.map_err(kernel::Problem::from)?;
        Ok(())
    }

    /// Asks all questions that somebody judged answers to; the measures, and the median time of a question.
    async fn arm(&self, mode: Mode, queries: &[Query], judged: &Judgements) -> Result<(Quality, Duration), Failure> {
        let mut measures: Vec<Measures> = Vec::new();
        let mut times = Vec::new();
        for query in queries {
            let Some(grades) = judged.0.get(&query.id) else { continue };
            let begun = Instant::now();
            let ranked = self.house.knowledge.rank_documents(&self.caller(), &query.text, mode, DEPTH).await;
            times.push(begun.elapsed());
            let ranked = ranked.map_err(kernel::Problem::from)?;
            let names: Vec<&str> = ranked.iter().map(String::as_str).collect();
            measures.push(measure(&names, grades));
        }
        times.sort_unstable();
        let middle = times.get(times.len() / 2).copied().unwrap_or_default();
        Ok((summarize(&measures, ROUNDS, 1), middle))
    }
}

fn row(name: &str, quality: &Quality, middle: Duration) -> String {
    let cell = |interval: &Interval| format!("{:.3} ({:.3} to {:.3})", interval.mean, interval.low, interval.high);
    format!(
        "{name:<8}{:>24}{:>24}{:>24}{:>24}{:>9.1}",
        cell(&quality.ndcg_10),
        cell(&quality.recall_10),
        cell(&quality.recall_100),
        cell(&quality.mrr),
        middle.as_secs_f64() * 1000.0
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

fn say(text: &str) {
    // Nobody reads it when standard output is gone.
    writeln!(std::io::stdout(), "{text}").ok();
}

fn progress(text: &str) {
    if std::io::stderr().is_terminal() {
        write!(std::io::stderr(), "\r{text:<60}\r").ok();
    }
}
