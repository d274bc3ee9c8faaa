//! The table `chat_conversation`.

use chrono::{DateTime, Utc};
use kernel::{AccountId, ListRequest, Problem, Tx};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::model::{Conversation, ConversationId};
use crate::seal::{Place, Seal};

const COLUMNS: &str = "id, title, last_position, created_at, updated_at, version";
const INSERT: &str = "INSERT INTO chat_conversation \
     (tenant_id, id, account_id, title, last_position, created_at, updated_at, version) \
     VALUES ($1, $2, $3, $4, 0, $5, $5, 1)";
const FIND: &str = "SELECT id, title, last_position, created_at, updated_at, version FROM chat_conversation \
     WHERE tenant_id = $1 AND account_id = $2 AND id = $3";
const UPDATE: &str = "UPDATE chat_conversation SET title = $3, updated_at = $4, version = version + 1 \
     WHERE tenant_id = $1 AND id = $2";
const DELETE: &str = "DELETE FROM chat_conversation WHERE tenant_id = $1 AND id = $2";
const TAKE_POSITION: &str = "UPDATE chat_conversation SET last_position = last_position + 1, updated_at = $3 \
     WHERE tenant_id = $1 AND id = $2 RETURNING last_position";

#[derive(FromQueryResult)]
struct Row {
    id: ConversationId,
    title: Vec<u8>,
    last_position: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i64,
}

#[derive(FromQueryResult)]
struct Position {
    last_position: i64,
}

fn place(id: ConversationId) -> Place {
    Place::of("title", id.uuid())
}

impl Row {
    fn opened(self, seal: &Seal) -> Result<Conversation, Problem> {
        Ok(Conversation {
            id: self.id,
            title: seal.open(place(self.id), &self.title)?,
            messages: self.last_position,
            created_at: self.created_at,
            updated_at: self.updated_at,
            version: self.version,
        })
    }
}

pub(crate) async fn insert(
    tx: &Tx,
    seal: &Seal,
    account: AccountId,
    conversation: &Conversation,
) -> Result<(), Problem> {
    let title = seal.close(tx.random(), place(conversation.id), &conversation.title);
    let values =
        [tx.tenant().into(), conversation.id.into(), account.into(), title.into(), conversation.created_at.into()];
    tx.execute(INSERT, values).await?;
    Ok(())
}

/// A conversation of this account; with `lock`, nobody else changes it until the commit.
pub(crate) async fn find(
    tx: &Tx,
    seal: &Seal,
    account: AccountId,
    id: ConversationId,
    lock: bool,
) -> Result<Option<Conversation>, Problem> {
    let sql = format!("{FIND}{}", if lock { tx.engine().for_update() } else { "" });
    let row: Option<Row> = tx.one(&sql, [tx.tenant().into(), account.into(), id.into()]).await?;
    row.map(|row| row.opened(seal)).transpose()
}

pub(crate) async fn list(
    tx: &Tx,
    seal: &Seal,
    account: AccountId,
    request: &ListRequest,
) -> Result<Vec<Conversation>, Problem> {
    let mut select = Query::select();
    select
        .expr(Expr::cust(COLUMNS))
        .from(Alias::new("chat_conversation"))
        .and_where(Expr::cust("tenant_id").eq(tx.tenant().uuid()))
        .and_where(Expr::cust("account_id").eq(account.uuid()));
    request.apply(&mut select)?;
    let rows = tx.conn().query_all(&select).await?;
    rows.iter().map(|row| Row::from_query_result(row, "")?.opened(seal)).collect()
}

/// Writes the title, and the new version and time into it.
pub(crate) async fn update(tx: &Tx, seal: &Seal, conversation: &mut Conversation) -> Result<(), Problem> {
    let now = tx.now();
    let title = seal.close(tx.random(), place(conversation.id), &conversation.title);
    tx.execute(UPDATE, [tx.tenant().into(), conversation.id.into(), title.into(), now.into()]).await?;
    conversation.updated_at = now;
    conversation.version += 1;
    Ok(())
}

pub(crate) async fn delete(tx: &Tx, id: ConversationId) -> Result<(), Problem> {
    tx.execute(DELETE, [tx.tenant().into(), id.into()]).await?;
    Ok(())
}

/// The position of the next message; whoever takes one makes others wait until the commit, so there is no gap. `None`
/// when the conversation is gone.
pub(crate) async fn take_position(tx: &Tx, id: ConversationId) -> Result<Option<i64>, Problem> {
    let row: Option<Position> = tx.one(TAKE_POSITION, [tx.tenant().into(), id.into(), tx.now().into()]).await?;
    Ok(row.map(|row| row.last_position))
}
