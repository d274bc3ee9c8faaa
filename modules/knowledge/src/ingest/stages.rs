//! How long each stage of the way into the indexes takes, for operators.

use tokio::time::Instant;

/// A stage that is under way; its time is noted when it ends, well or not.
pub(crate) struct Stage {
    name: &'static str,
    began: Instant,
}

impl Stage {
    /// Begins now: `extract`, `cut`, `embed`, `write`, `text_index` or `vector_index`.
    pub(crate) fn begin(name: &'static str) -> Self {
        Self { name, began: Instant::now() }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        metrics::histogram!("holdfast_knowledge_stage_seconds", "stage" => self.name).record(self.began.elapsed());
    }
}
