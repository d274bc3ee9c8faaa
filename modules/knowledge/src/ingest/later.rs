//! The vectors that a model owed when its document went live.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jobs::{Handler, NewJob, Run};
use kernel::{Db, Problem, Tx};
use serde::{Deserialize, Serialize};
use vault::{DocumentId, VersionId};

use super::CHANGE_BELL;
use super::job::BATCH;
use super::pieces::context;
use crate::models::ModelRoom;
use crate::store::embeddings::Digest;
use crate::store::passages::Stored;
use crate::store::{documents, embeddings, passages};

const KIND: &str = "knowledge.embed";
/// With waits that double up to an hour, this bridges some hours without the model.
const ATTEMPTS: u32 = 18;

/// Embeds what was left.
pub(crate) struct Later {
    pub(crate) models: Arc<ModelRoom>,
    pub(crate) db: Db,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    document: DocumentId,
    version: VersionId,
    model: String,
}

/// Has the missing vectors of a version made by a job.
pub(super) async fn promise(tx: &Tx, (document, version): (DocumentId, VersionId), model: &str) -> Result<(), Problem> {
    let unique = format!("knowledge embed {document} {version}");
    let payload = Payload { document, version, model: model.to_owned() };
    let payload = serde_json::to_value(payload).map_err(Problem::internal)?;
    jobs::enqueue(tx, NewJob::new(KIND, payload).unique(unique).attempts(ATTEMPTS)).await.map(|_| ())
}

#[async_trait]
impl Handler for Later {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn timeout(&self) -> Option<Duration> {
        Some(Duration::from_secs(6 * 3600))
    }

    async fn run(&self, run: &Run) -> Result<(), Problem> {
        let payload: Payload = serde_json::from_value(run.payload.clone()).map_err(Problem::internal)?;
        let missing = self.missing(run, &payload).await?;
        let (total, mut done) = (missing.len() as u64, 0);
        for batch in missing.chunks(BATCH) {
            if run.is_cancelled() {
                return Err(Problem::unavailable(
                    "knowledge.stopped",
                    "The work was called off.",
                    Duration::from_secs(1),
                ));
            }
            if !self.embed(run, &payload, batch).await? {
                return Ok(());
            }
            done += batch.len() as u64;
            run.progress(done, total, "passages").await?;
        }
        Ok(())
    }
}

impl Later {
    /// What of the version has no vector yet, each content once.
    async fn missing(&self, run: &Run, payload: &Payload) -> Result<Vec<(Digest, String)>, Problem> {
        let find = async |tx: &Tx| {
            let Some(document) = documents::find(tx, payload.document).await? else { return Ok(Vec::new()) };
            if document.live_version != Some(payload.version) {
                return Ok(Vec::new());
            }
            let title = document.title.unwrap_or(document.name);
            let rows = passages::of_version(tx, payload.document, payload.version).await?;
            let digest = |row: &Stored| Digest::try_from(row.digest.as_slice()).ok();
            let texts: BTreeMap<Digest, String> =
                rows.iter().filter_map(|row| Some((digest(row)?, context(&title, &row.heading, &row.body)))).collect();
            let digests: Vec<Digest> = texts.keys().copied().collect();
            let known = embeddings::find(tx, &payload.model, &digests).await?;
            Ok::<_, Problem>(texts.into_iter().filter(|(digest, _)| !known.contains_key(digest)).collect())
        };
        self.db.read(&run.caller(), find).await
    }

    /// Whether the version is still the one that is found; if so, these vectors are kept.
    async fn embed(&self, run: &Run, payload: &Payload, batch: &[(Digest, String)]) -> Result<bool, Problem> {
        let texts = batch.iter().map(|(_, text)| text.clone()).collect();
        let vectors = match self.models.embed(&payload.model, texts).await {
            Ok(vectors) => vectors,
            Err(error) if error.may_pass() => return Err(Problem::internal(error)),
            Err(error) => {
                tracing::warn!(model = payload.model, %error, "passages stay without vectors");
                return Ok(false);
            }
        };
        let vectors: Vec<(Digest, Vec<f32>)> = batch.iter().map(|(digest, _)| *digest).zip(vectors).collect();
        self.db
            .write(&run.caller(), async |tx| {
                // First, for it locks the row: a deletion that comes now waits, and finds what was written.
                let live = documents::renew(tx, (payload.document, payload.version)).await?;
                if live {
                    embeddings::keep(tx, &payload.model, &vectors).await?;
                    tx.ring_on_commit(CHANGE_BELL);
                }
                Ok(live)
            })
            .await
    }
}
