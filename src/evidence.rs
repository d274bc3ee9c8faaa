//! What chat asks of the floors below, from knowledge: always with the asker's own reach.

use async_trait::async_trait;
use chat::{CollectionId, DocumentId, Embedder, Passage, Retrieved, Retriever};
use kernel::{Caller, Id, Problem};
use knowledge::{Hit, Knowledge, Search};

/// Passages and vectors for chat.
pub struct Evidence {
    knowledge: Knowledge,
}

impl Evidence {
    /// Evidence that this search finds.
    pub const fn new(knowledge: Knowledge) -> Self {
        Self { knowledge }
    }
}

#[async_trait]
impl Retriever for Evidence {
    async fn retrieve(
        &self,
        caller: &Caller,
        query: &str,
        collections: Option<&[CollectionId]>,
        limit: u32,
    ) -> Result<Retrieved, Problem> {
        let search = Search {
            query: query.to_owned(),
            limit: Some(limit.into()),
            collections: collections.map(|ids| ids.iter().map(|id| Id::from_uuid(id.uuid())).collect()),
            ..Search::default()
        };
        let found = self.knowledge.search(caller, &search, "chat").await?;
        let rung = serde_json::to_value(found.rung.name).map_err(Problem::internal)?;
        Ok(Retrieved {
            passages: found.items.into_iter().map(passage).collect(),
            rung: rung.as_str().unwrap_or_default().to_owned(),
        })
    }

    async fn still_permitted(&self, caller: &Caller, documents: &[DocumentId]) -> bool {
        let documents: Vec<_> = documents.iter().map(|id| Id::from_uuid(id.uuid())).collect();
        // What can't be asked is not permitted.
        self.knowledge.may_read(caller, &documents).await.unwrap_or(false)
    }
}

#[async_trait]
impl Embedder for Evidence {
    async fn embed(&self, caller: &Caller, model: &str, texts: Vec<String>) -> Result<Vec<Vec<f32>>, Problem> {
        Ok(self.knowledge.embed(caller, Some(model), texts).await?.1)
    }

    fn models(&self) -> Vec<String> {
        self.knowledge.usable_models()
    }
}

fn passage(hit: Hit) -> Passage {
    Passage {
        document: Id::from_uuid(hit.document.uuid()),
        version: Id::from_uuid(hit.version.uuid()),
        collection: Id::from_uuid(hit.collection.uuid()),
        name: hit.name,
        heading: hit.heading,
        text: hit.text,
        start: hit.start.unsigned_abs(),
        end: hit.end.unsigned_abs(),
        score: hit.score,
    }
}
