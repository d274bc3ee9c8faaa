//! The table `chat_message`.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kernel::{Problem, Tx};
use sea_orm::FromQueryResult;
use serde::{Deserialize, Serialize};

use crate::model::{AnswerId, Citation, ConversationId, DocumentId, Message, MessageId, MessageRole};
use crate::seal::{Place, Seal};

const INSERT: &str = "INSERT INTO chat_message \
     (tenant_id, id, conversation_id, position, parent_id, role, content, answer_id, created_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const LAST: &str = "SELECT id, role FROM chat_message WHERE tenant_id = $1 AND conversation_id = $2 \
     ORDER BY position DESC LIMIT 1";
const FIND: &str = "SELECT id, role FROM chat_message WHERE tenant_id = $1 AND conversation_id = $2 AND id = $3";
const PATH: &str = "WITH RECURSIVE path (id, depth) AS ( \
         SELECT id, 1 FROM chat_message WHERE tenant_id = $1 AND conversation_id = $2 AND id = $3 \
         UNION ALL SELECT m.parent_id, path.depth + 1 FROM path \
         JOIN chat_message m ON m.tenant_id = $1 AND m.id = path.id \
         WHERE m.parent_id IS NOT NULL AND path.depth < $4) \
     SELECT m.id, m.position, m.parent_id, m.role, m.content, m.answer_id, m.created_at \
     FROM path JOIN chat_message m ON m.tenant_id = $1 AND m.id = path.id ORDER BY m.position";
/// What follows from a message was written after it, so the newest of all is the end of a branch.
const NEWEST_BELOW: &str = "WITH RECURSIVE below (id, position) AS ( \
         SELECT id, position FROM chat_message WHERE tenant_id = $1 AND conversation_id = $2 AND id = $3 \
         UNION ALL SELECT m.id, m.position FROM below \
         JOIN chat_message m ON m.tenant_id = $1 AND m.conversation_id = $2 AND m.parent_id = below.id) \
     SELECT id FROM below ORDER BY position DESC LIMIT 1";
const CHILDREN: &str = "SELECT id, parent_id FROM chat_message WHERE tenant_id = $1 AND conversation_id = $2 \
     ORDER BY position LIMIT 10000";

/// What is sealed of a message.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Content {
    pub(crate) text: String,
    pub(crate) citations: Vec<Citation>,
    /// What the text was made from.
    pub(crate) documents: Vec<DocumentId>,
}

/// A message to write.
pub(crate) struct Draft<'a> {
    pub(crate) id: MessageId,
    pub(crate) conversation: ConversationId,
    pub(crate) position: i64,
    pub(crate) parent: Option<MessageId>,
    pub(crate) role: MessageRole,
    pub(crate) content: &'a Content,
    pub(crate) answer: AnswerId,
}

/// A message as it was kept.
pub(crate) struct Kept {
    pub(crate) message: Message,
    pub(crate) documents: Vec<DocumentId>,
}

#[derive(FromQueryResult)]
struct Row {
    id: MessageId,
    position: i64,
    parent_id: Option<MessageId>,
    role: String,
    content: Vec<u8>,
    answer_id: Option<AnswerId>,
    created_at: DateTime<Utc>,
}

#[derive(FromQueryResult)]
struct Known {
    id: MessageId,
    role: String,
}

#[derive(FromQueryResult)]
struct IdRow {
    id: MessageId,
}

#[derive(FromQueryResult)]
struct Child {
    id: MessageId,
    parent_id: Option<MessageId>,
}

fn place(id: MessageId) -> Place {
    Place::of("message", id.uuid())
}

impl Row {
    fn opened(self, seal: &Seal) -> Result<Kept, Problem> {
        let text = seal.open(place(self.id), &self.content)?;
        let content: Content = serde_json::from_str(&text).map_err(Problem::internal)?;
        let message = Message {
            id: self.id,
            position: self.position,
            parent: self.parent_id,
            siblings: Vec::new(),
            role: MessageRole::named(&self.role).ok_or_else(|| Problem::internal(&self.role))?,
            content: content.text,
            citations: content.citations,
            withheld: false,
            answer: self.answer_id,
            created_at: self.created_at,
        };
        Ok(Kept { message, documents: content.documents })
    }
}

pub(crate) async fn insert(tx: &Tx, seal: &Seal, draft: Draft<'_>) -> Result<(), Problem> {
    let text = serde_json::to_string(draft.content).map_err(Problem::internal)?;
    let values = [
        tx.tenant().into(),
        draft.id.into(),
        draft.conversation.into(),
        draft.position.into(),
        draft.parent.map(MessageId::uuid).into(),
        draft.role.as_str().into(),
        seal.close(tx.random(), place(draft.id), &text).into(),
        draft.answer.into(),
        tx.now().into(),
    ];
    tx.execute(INSERT, values).await?;
    Ok(())
}

/// The message of this id in this conversation, or its last one, with who wrote it.
pub(crate) async fn find(
    tx: &Tx,
    conversation: ConversationId,
    id: Option<MessageId>,
) -> Result<Option<(MessageId, MessageRole)>, Problem> {
    let known: Option<Known> = match id {
        Some(id) => tx.one(FIND, [tx.tenant().into(), conversation.into(), id.into()]).await?,
        None => tx.one(LAST, [tx.tenant().into(), conversation.into()]).await?,
    };
    Ok(known.and_then(|known| Some((known.id, MessageRole::named(&known.role)?))))
}

/// The newest message that follows from this one, or itself.
pub(crate) async fn newest_below(
    tx: &Tx,
    conversation: ConversationId,
    id: MessageId,
) -> Result<Option<MessageId>, Problem> {
    let row: Option<IdRow> = tx.one(NEWEST_BELOW, [tx.tenant().into(), conversation.into(), id.into()]).await?;
    Ok(row.map(|row| row.id))
}

/// The messages from `leaf` up, the oldest first, at most `limit`.
pub(crate) async fn path(
    tx: &Tx,
    seal: &Seal,
    conversation: ConversationId,
    leaf: MessageId,
    limit: i64,
) -> Result<Vec<Kept>, Problem> {
    let rows: Vec<Row> = tx.all(PATH, [tx.tenant().into(), conversation.into(), leaf.into(), limit.into()]).await?;
    rows.into_iter().map(|row| row.opened(seal)).collect()
}

/// The messages that follow each message, in order; `None` is the beginning.
pub(crate) async fn children(
    tx: &Tx,
    conversation: ConversationId,
) -> Result<HashMap<Option<MessageId>, Vec<MessageId>>, Problem> {
    let rows: Vec<Child> = tx.all(CHILDREN, [tx.tenant().into(), conversation.into()]).await?;
    let mut children: HashMap<_, Vec<_>> = HashMap::new();
    rows.into_iter().for_each(|row| children.entry(row.parent_id).or_default().push(row.id));
    Ok(children)
}
