//! A completion that comes all at once.

use kernel::Problem;
use serde_json::{Value, json};

use crate::Chat;
use crate::engine::{self, EXTRACTIVE, Question};
use crate::error::Error;
use crate::grounding;
use crate::model::{Passage, Usage};
use crate::permissions::WRITE;
use crate::standing::Standing;
use crate::upstream::{Ask, Opened};

impl Chat {
    /// Answers all at once: what the provider said, with what it cites, or an extract.
    pub(super) async fn whole(&self, mut question: Question, model: &str) -> Result<Value, Problem> {
        let standing = Standing::new(self, &question.caller, WRITE);
        let found = self.search(&question).await?;
        let passages = found.as_ref().map(|found| found.passages.as_slice());
        engine::ground(&mut question, passages);
        let read = engine::documents(passages.unwrap_or_default());
        let lost = standing.with_documents(read).lost();
        let ask = Ask { body: &question.body, stream: false, until: question.until };
        let opened = tokio::select! {
            () = lost => return Err(Error::RightLost.into()),
            opened = self.upstream().open(&question.candidates, &ask) => opened,
        };
        let (mut value, provider) = match (opened, passages) {
            (Ok((candidate, Opened::Whole(value))), _) => (value, candidate.name.to_string()),
            (Ok((_, Opened::Stream(_))), _) => return Err(Problem::internal("a stream came for what was asked whole")),
            (Err(error), None) => return Err(error.into()),
            (Err(_), Some(passages)) => (extracted(passages), EXTRACTIVE.to_owned()),
        };
        value["id"] = self.wire_id().into();
        value["object"] = "chat.completion".into();
        value["created"] = self.seconds().into();
        value["model"] = model.into();
        if let Some(found) = &found {
            let text = value["choices"][0]["message"]["content"].as_str().unwrap_or_default();
            let citations = grounding::citations(text, &found.passages);
            let evidence = !citations.is_empty();
            value["holdfast"] =
                json!({ "rung": found.rung, "citations": citations, "evidence": evidence, "provider": provider });
        }
        Ok(value)
    }
}

fn extracted(passages: &[Passage]) -> Value {
    let message = json!({ "role": "assistant", "content": grounding::extract(passages) });
    json!({
        "choices": [{ "index": 0, "message": message, "finish_reason": "stop" }],
        "usage": super::chunk::usage(Usage::default()),
    })
}
