//! How an answer comes about: search with the asker's reach, ask the providers in order, pass on what comes, work out
//! what is cited. One stream of steps, which does nothing while nobody polls it and ends its calls when it is dropped.

use async_stream::stream;
use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, iter};
use futures_util::{Stream, StreamExt};
use kernel::{Caller, Problem};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::Chat;
use crate::error::Error;
use crate::grounding;
use crate::model::{AnswerState, Citation, CollectionId, DocumentId, NoEvidence, Passage, Retrieved, Usage};
use crate::permissions::WRITE;
use crate::standing::Standing;
use crate::upstream::{Ask, Candidate, Chunks, Delta, Opened, Part};

/// The name under which Holdfast answers by itself.
pub(crate) const EXTRACTIVE: &str = "extractive";

/// Where to look for evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Search {
    /// Nowhere.
    Nowhere,
    /// In all that the asker may read.
    Everywhere,
    /// In these collections.
    In(Vec<CollectionId>),
}

/// What is to be answered.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) caller: Caller,
    /// What to search for.
    pub(crate) query: String,
    pub(crate) search: Search,
    /// The request to a provider without its model; `messages` is in it.
    pub(crate) body: Map<String, Value>,
    /// Whom to ask, in this order.
    pub(crate) candidates: Vec<Candidate>,
    /// When it must be over.
    pub(crate) until: Instant,
}

/// A step of an answer.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Passages(Retrieved),
    NoEvidence(NoEvidence),
    /// Who answers, with which model.
    Chosen(String, Option<String>),
    Delta(Delta),
    Citations(Vec<Citation>),
    Usage(Usage),
    /// The last step.
    End(AnswerState, Option<Problem>),
}

/// The documents of these passages, each once.
pub(crate) fn documents(passages: &[Passage]) -> Vec<DocumentId> {
    let mut documents: Vec<_> = passages.iter().map(|passage| passage.document).collect();
    documents.sort_unstable();
    documents.dedup();
    documents
}

/// What came of asking.
enum Begun {
    Revoked,
    Failed(Problem),
    /// Nobody answered, but these were found.
    Extract(String),
    Relay(String, String, Box<Chunks>),
}

/// What came of waiting for more.
enum Next {
    Part(Option<Part>),
    Broke,
    Revoked,
}

/// Completes when the asker's right is lost.
type Lost = BoxFuture<'static, ()>;

/// Answers a question step by step.
pub(crate) fn answer(chat: Chat, mut question: Question) -> impl Stream<Item = Step> + Send {
    stream! {
        let standing = Standing::new(&chat, &question.caller, WRITE);
        let found = match chat.search(&question).await {
            Ok(found) => found,
            Err(problem) => {
                yield Step::End(AnswerState::Failed, Some(problem));
                return;
            }
        };
        let passages = found.as_ref().map(|found| found.passages.clone());
        ground(&mut question, passages.as_deref());
        if let Some(found) = found {
            let empty = found.passages.is_empty();
            yield Step::Passages(found);
            if empty {
                yield Step::NoEvidence(NoEvidence::NothingFound);
            }
        }
        let read = documents(passages.as_deref().unwrap_or_default());
        let mut lost: Lost = Box::pin(standing.with_documents(read).lost());
        let begun = begin(&chat, &question, passages.as_deref(), &mut lost).await;
        let mut steps = words(begun, lost, question.until, chat.config().max_answer_bytes);
        let mut written = Written::default();
        while let Some(step) = steps.next().await {
            let over = matches!(step, Step::End(..));
            if let Some(step) = written.take(step) {
                yield step;
            }
            if over {
                return;
            }
        }
        for step in written.closing(passages.as_deref(), &question.body) {
            yield step;
        }
    }
}

/// Asks the providers until one begins to answer.
async fn begin(chat: &Chat, question: &Question, passages: Option<&[Passage]>, lost: &mut Lost) -> Begun {
    let ask = Ask { body: &question.body, stream: true, until: question.until };
    let opened = tokio::select! {
        biased;
        () = lost => return Begun::Revoked,
        opened = chat.upstream().open(&question.candidates, &ask) => opened,
    };
    match (opened, passages) {
        (Ok((candidate, Opened::Stream(chunks))), _) => {
            Begun::Relay(candidate.name.to_string(), candidate.model.to_string(), chunks)
        }
        (Ok((_, Opened::Whole(_))), _) => Begun::Failed(Problem::internal("what was asked as a stream came whole")),
        (Err(error), None) => Begun::Failed(error.into()),
        (Err(_), Some(passages)) => {
            metrics::counter!("holdfast_chat_extractive_total").increment(1);
            Begun::Extract(grounding::extract(passages))
        }
    }
}

/// The words of an answer, who says them, and how it ends when not well.
fn words(begun: Begun, lost: Lost, until: Instant, most: usize) -> BoxStream<'static, Step> {
    match begun {
        Begun::Revoked => iter([Step::End(AnswerState::Revoked, None)]).boxed(),
        Begun::Failed(problem) => iter([Step::End(AnswerState::Failed, Some(problem))]).boxed(),
        Begun::Extract(text) => {
            let text = Delta { index: 0, text: Some(text), raw: None, finish: None };
            iter([Step::Chosen(EXTRACTIVE.to_owned(), None), Step::Delta(text), Step::Delta(finish("stop"))]).boxed()
        }
        Begun::Relay(provider, model, chunks) => {
            iter([Step::Chosen(provider, Some(model))]).chain(relay(*chunks, lost, until, most)).boxed()
        }
    }
}

fn finish(reason: &str) -> Delta {
    Delta { index: 0, text: None, raw: None, finish: Some(reason.to_owned()) }
}

/// Passes on what a provider says, while its asker may have it and it is not too long.
fn relay(mut chunks: Chunks, mut lost: Lost, until: Instant, most: usize) -> impl Stream<Item = Step> + Send {
    stream! {
        let mut bytes = 0;
        loop {
            let next = tokio::select! {
                biased;
                () = &mut lost => Next::Revoked,
                next = more(&mut chunks) => next,
            };
            match next {
                Next::Part(None) => return,
                Next::Part(Some(Part::Usage(usage))) => yield Step::Usage(usage),
                Next::Part(Some(Part::Delta(delta))) => {
                    bytes += delta.text.as_ref().map_or(0, String::len);
                    yield Step::Delta(delta);
                    if bytes > most {
                        yield Step::Delta(finish("length"));
                        return;
                    }
                }
                Next::Revoked => {
                    yield Step::End(AnswerState::Revoked, None);
                    return;
                }
                Next::Broke => {
                    let error = if Instant::now() >= until { Error::TookTooLong } else { Error::BrokeOff };
                    yield Step::End(AnswerState::Failed, Some(error.into()));
                    return;
                }
            }
        }
    }
}

async fn more(chunks: &mut Chunks) -> Next {
    match chunks.next().await {
        Ok(part) => Next::Part(part),
        Err(fault) => {
            tracing::warn!(?fault, "a provider broke off");
            metrics::counter!("holdfast_chat_broke_off_total").increment(1);
            Next::Broke
        }
    }
}

/// What was written so far.
#[derive(Debug, Default)]
struct Written {
    text: String,
    usage: Option<Usage>,
}

impl Written {
    /// Notes a step; the usage is kept for the end.
    fn take(&mut self, step: Step) -> Option<Step> {
        match &step {
            Step::Usage(usage) => {
                self.usage = Some(*usage);
                return None;
            }
            Step::Delta(Delta { index: 0, text: Some(text), .. }) => self.text.push_str(text),
            _ => {}
        }
        Some(step)
    }

    /// The steps after the last word.
    fn closing(&self, passages: Option<&[Passage]>, body: &Map<String, Value>) -> Vec<Step> {
        let mut steps = Vec::with_capacity(4);
        if let Some(passages) = passages {
            let citations = grounding::citations(&self.text, passages);
            let uncited = citations.is_empty() && !passages.is_empty();
            steps.push(Step::Citations(citations));
            if uncited {
                steps.push(Step::NoEvidence(NoEvidence::NothingCited));
            }
        }
        steps.push(Step::Usage(self.usage(body)));
        steps.push(Step::End(AnswerState::Done, None));
        steps
    }

    /// What the provider said, or an estimate: four bytes a token.
    fn usage(&self, body: &Map<String, Value>) -> Usage {
        let tokens = |bytes: usize| i64::try_from(bytes.div_ceil(4)).unwrap_or(i64::MAX);
        let asked = || body.get("messages").map_or(0, |messages| messages.to_string().len());
        self.usage.unwrap_or_else(|| Usage {
            prompt_tokens: tokens(asked()),
            completion_tokens: tokens(self.text.len()),
            estimated: true,
        })
    }
}

/// Puts what was found in front of the messages.
pub(crate) fn ground(question: &mut Question, passages: Option<&[Passage]>) {
    let messages = question.body.entry("messages").or_insert_with(|| json!([]));
    if let (Some(instructions), Some(messages)) = (grounding::instructions(passages), messages.as_array_mut()) {
        messages.insert(0, instructions);
    }
}

impl Chat {
    /// Searches where the question says, with its asker's own reach; `None` when nothing is to be searched. Which
    /// documents were used is on record when this returns.
    pub(crate) async fn search(&self, question: &Question) -> Result<Option<Retrieved>, Problem> {
        let collections = match &question.search {
            Search::Nowhere => return Ok(None),
            Search::Everywhere => None,
            Search::In(collections) => Some(collections.as_slice()),
        };
        let retriever = match (self.retriever(), &question.search) {
            (Some(retriever), _) => retriever,
            (None, Search::In(_)) => return Err(Error::NoRetriever.into()),
            (None, _) => return Ok(None),
        };
        let caller = self.anew(&question.caller);
        let found = retriever.retrieve(&caller, &question.query, collections, self.config().passages).await?;
        self.note_documents(&caller, &documents(&found.passages)).await?;
        Ok(Some(found))
    }

    async fn note_documents(&self, caller: &Caller, documents: &[DocumentId]) -> Result<(), Problem> {
        if documents.is_empty() {
            return Ok(());
        }
        let entry = audit::Entry::success("chat.documents_used")
            .target("document", documents[0])
            .details(json!({ "purpose": "chat_answer", "documents": documents }));
        audit::record(self.db(), caller, entry).await
    }
}
