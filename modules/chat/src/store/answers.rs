//! The table `chat_answer`.

use chrono::{DateTime, Utc};
use kernel::{AccountId, Problem, TenantId, Tx};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use crate::live::{Ended, Live};
use crate::model::{Answer, AnswerId, AnswerReason, AnswerState, ConversationId, DocumentId, MessageId};
use crate::seal::{Place, Seal};

const INSERT: &str = "INSERT INTO chat_answer (tenant_id, id, conversation_id, question_id, message_id, account_id, \
         state, documents, last_seq, process, beat_at, stop_requested, created_at) \
     VALUES ($1, $2, $3, $4, $5, $6, 'running', '[]', 0, $7, $8, $9, $8)";
const FIND: &str = "SELECT id, conversation_id, question_id, message_id, state, reason, provider, model, documents, last_seq, \
         prompt_tokens, completion_tokens, process, created_at, ended_at \
     FROM chat_answer WHERE tenant_id = $1 AND account_id = $2 AND id = $3";
const ADVANCE: &str = "UPDATE chat_answer SET last_seq = $4, documents = $5, beat_at = $6 \
     WHERE tenant_id = $1 AND id = $2 AND process = $3 AND state = 'running'";
const FINISH: &str = "UPDATE chat_answer SET state = $3, provider = $4, model = $5, prompt_tokens = $6, \
         completion_tokens = $7, ended_at = $8, reason = $9 WHERE tenant_id = $1 AND id = $2";
const ASK_TO_STOP: &str = "UPDATE chat_answer SET stop_requested = $3 \
     WHERE tenant_id = $1 AND id = $2 AND state = 'running'";
const BEAT: &str = "UPDATE chat_answer SET beat_at = $2 WHERE process = $1 AND state = 'running'";
const ASKED_TO_STOP: &str = "SELECT id FROM chat_answer \
     WHERE process = $1 AND state = 'running' AND stop_requested = $2 LIMIT 1000";
const SILENT: &str = "SELECT tenant_id, id FROM chat_answer \
     WHERE state = 'running' AND process <> $1 AND beat_at < $2 LIMIT 200";
const TAKE_OVER: &str = "UPDATE chat_answer SET state = 'interrupted', last_seq = last_seq + 1, ended_at = $4, reason = $5 \
     WHERE tenant_id = $1 AND id = $2 AND state = 'running' AND beat_at < $3 \
     RETURNING conversation_id, question_id, message_id, last_seq, documents";

#[derive(FromQueryResult)]
struct Row {
    id: AnswerId,
    conversation_id: ConversationId,
    question_id: MessageId,
    message_id: MessageId,
    state: String,
    reason: Option<Vec<u8>>,
    provider: Option<String>,
    model: Option<String>,
    documents: String,
    last_seq: i64,
    prompt_tokens: Option<i64>,
    completion_tokens: Option<i64>,
    process: Uuid,
    created_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
}

#[derive(FromQueryResult)]
struct IdRow {
    id: AnswerId,
}

/// An answer whose process has gone silent.
#[derive(FromQueryResult)]
pub(crate) struct Silent {
    pub(crate) tenant_id: TenantId,
    pub(crate) id: AnswerId,
}

#[derive(FromQueryResult)]
struct TakenRow {
    conversation_id: ConversationId,
    question_id: MessageId,
    message_id: MessageId,
    last_seq: i64,
    documents: String,
}

/// An answer that was taken over from a silent process.
pub(crate) struct Taken {
    pub(crate) conversation: ConversationId,
    pub(crate) question: MessageId,
    pub(crate) message: MessageId,
    /// The number of its last event, which is still to be written.
    pub(crate) last_seq: i64,
    pub(crate) documents: Vec<DocumentId>,
}

/// An answer as it was kept.
pub(crate) struct Kept {
    pub(crate) answer: Answer,
    pub(crate) documents: Vec<DocumentId>,
    pub(crate) last_seq: i64,
    pub(crate) process: Uuid,
}

fn place(id: AnswerId) -> Place {
    Place::of("answer", id.uuid())
}

/// Sealed, since a provider's own words may repeat what it was asked.
fn sealed(tx: &Tx, seal: &Seal, id: AnswerId, reason: &AnswerReason) -> Result<Vec<u8>, Problem> {
    let text = serde_json::to_string(reason).map_err(Problem::internal)?;
    Ok(seal.close(tx.random(), place(id), &text))
}

fn documents(text: &str) -> Result<Vec<DocumentId>, Problem> {
    serde_json::from_str(text).map_err(Problem::internal)
}

impl Row {
    fn opened(self, seal: &Seal) -> Result<Kept, Problem> {
        let reason = self.reason.map(|sealed| seal.open(place(self.id), &sealed)).transpose()?;
        let reason = reason.map(|text| serde_json::from_str(&text)).transpose().map_err(Problem::internal)?;
        let answer = Answer {
            id: self.id,
            conversation: self.conversation_id,
            question: self.question_id,
            message: self.message_id,
            state: AnswerState::named(&self.state).ok_or_else(|| Problem::internal(&self.state))?,
            reason,
            provider: self.provider,
            model: self.model,
            prompt_tokens: self.prompt_tokens,
            completion_tokens: self.completion_tokens,
            created_at: self.created_at,
            ended_at: self.ended_at,
        };
        let documents = documents(&self.documents)?;
        Ok(Kept { answer, documents, last_seq: self.last_seq, process: self.process })
    }
}

pub(crate) async fn insert(tx: &Tx, answer: &Answer, account: AccountId, process: Uuid) -> Result<(), Problem> {
    let values = [
        tx.tenant().into(),
        answer.id.into(),
        answer.conversation.into(),
        answer.question.into(),
        answer.message.into(),
        account.into(),
        process.into(),
        answer.created_at.into(),
        false.into(),
    ];
    tx.execute(INSERT, values).await?;
    Ok(())
}

/// An answer to this account.
pub(crate) async fn find(tx: &Tx, seal: &Seal, account: AccountId, id: AnswerId) -> Result<Option<Kept>, Problem> {
    let row: Option<Row> = tx.one(FIND, [tx.tenant().into(), account.into(), id.into()]).await?;
    row.map(|row| row.opened(seal)).transpose()
}

/// Notes how far the log has come; whether the answer is still this process's to write.
pub(crate) async fn advance(
    tx: &Tx,
    live: &Live,
    process: Uuid,
    last_seq: i64,
    documents: &[DocumentId],
) -> Result<bool, Problem> {
    let documents = serde_json::to_string(documents).map_err(Problem::internal)?;
    let values =
        [tx.tenant().into(), live.id.into(), process.into(), last_seq.into(), documents.into(), tx.now().into()];
    Ok(tx.execute(ADVANCE, values).await? == 1)
}

pub(crate) async fn finish(tx: &Tx, seal: &Seal, id: AnswerId, ended: &Ended) -> Result<(), Problem> {
    let reason = ended.reason.as_ref().map(|reason| sealed(tx, seal, id, reason)).transpose()?;
    let values = [
        tx.tenant().into(),
        id.into(),
        ended.state.as_str().into(),
        ended.provider.clone().into(),
        ended.model.clone().into(),
        ended.usage.prompt_tokens.into(),
        ended.usage.completion_tokens.into(),
        tx.now().into(),
        reason.into(),
    ];
    tx.execute(FINISH, values).await?;
    Ok(())
}

/// Asks the process that writes the answer to stop.
pub(crate) async fn ask_to_stop(tx: &Tx, id: AnswerId) -> Result<(), Problem> {
    tx.execute(ASK_TO_STOP, [tx.tenant().into(), id.into(), true.into()]).await?;
    Ok(())
}

/// This process is alive and writes its answers; `tx` reaches all tenants. The answers that it is asked to stop.
pub(crate) async fn beat(tx: &Tx, process: Uuid) -> Result<Vec<AnswerId>, Problem> {
    tx.execute(BEAT, [process.into(), tx.now().into()]).await?;
    let rows: Vec<IdRow> = tx.all(ASKED_TO_STOP, [process.into(), true.into()]).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Answers of other processes that were silent since; `tx` reaches all tenants.
pub(crate) async fn silent(tx: &Tx, process: Uuid, since: DateTime<Utc>) -> Result<Vec<Silent>, Problem> {
    Ok(tx.all(SILENT, [process.into(), since.into()]).await?)
}

/// Takes an answer over from a process that was silent since, unless somebody else did.
pub(crate) async fn take_over(
    tx: &Tx,
    seal: &Seal,
    id: AnswerId,
    since: DateTime<Utc>,
    reason: &AnswerReason,
) -> Result<Option<Taken>, Problem> {
    let reason = sealed(tx, seal, id, reason)?;
    let values = [tx.tenant().into(), id.into(), since.into(), tx.now().into(), reason.into()];
    let row: Option<TakenRow> = tx.one(TAKE_OVER, values).await?;
    row.map(|row| {
        Ok(Taken {
            conversation: row.conversation_id,
            question: row.question_id,
            message: row.message_id,
            last_seq: row.last_seq,
            documents: documents(&row.documents)?,
        })
    })
    .transpose()
}
