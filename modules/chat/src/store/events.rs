//! The table `chat_event`: the log of an answer, a row a batch.

use std::fmt::Write;

use chrono::{DateTime, Utc};
use kernel::{Problem, Tx};
use sea_orm::FromQueryResult;

use crate::model::{AnswerId, ChatEvent, EventKind};
use crate::seal::{Place, Seal};

const APPEND: &str = "INSERT INTO chat_event (tenant_id, answer_id, seq, last, data) VALUES ($1, $2, $3, $4, $5)";
const READ: &str = "SELECT seq, data FROM chat_event WHERE tenant_id = $1 AND answer_id = $2 AND last > $3 \
     ORDER BY seq LIMIT 200";
const PRUNE: &str = "DELETE FROM chat_event WHERE (tenant_id, answer_id) IN ( \
     SELECT tenant_id, id FROM chat_answer WHERE ended_at < $1 AND last_seq > 0 ORDER BY ended_at LIMIT 200)";
const PRUNED: &str = "UPDATE chat_answer SET last_seq = 0 WHERE ended_at < $1 AND last_seq > 0 \
     AND NOT EXISTS (SELECT 1 FROM chat_event e WHERE e.tenant_id = chat_answer.tenant_id \
     AND e.answer_id = chat_answer.id)";

#[derive(FromQueryResult)]
struct Row {
    seq: i64,
    data: Vec<u8>,
}

fn place(id: AnswerId, seq: i64) -> Place {
    Place::numbered("event", id.uuid(), seq)
}

/// Appends events, which follow one another and what is there.
pub(crate) async fn append(tx: &Tx, seal: &Seal, id: AnswerId, events: &[ChatEvent]) -> Result<(), Problem> {
    let (Some(first), Some(last)) = (events.first(), events.last()) else { return Ok(()) };
    // A line an event: its kind, a space, its data, which is JSON in one line.
    let mut text = String::new();
    for event in events {
        let written = writeln!(text, "{} {}", event.kind.as_str(), event.data);
        debug_assert!(written.is_ok(), "writing to a text never fails");
    }
    let sealed = seal.close(tx.random(), place(id, first.seq), &text);
    tx.execute(APPEND, [tx.tenant().into(), id.into(), first.seq.into(), last.seq.into(), sealed.into()]).await?;
    Ok(())
}

/// Events after number `after`, in order; not all of them when there are very many.
pub(crate) async fn read(tx: &Tx, seal: &Seal, id: AnswerId, after: i64) -> Result<Vec<ChatEvent>, Problem> {
    let rows: Vec<Row> = tx.all(READ, [tx.tenant().into(), id.into(), after.into()]).await?;
    let mut events = Vec::new();
    for row in rows {
        let text = seal.open(place(id, row.seq), &row.data)?;
        for (seq, line) in (row.seq..).zip(text.lines()).filter(|(seq, _)| *seq > after) {
            let read = line.split_once(' ').and_then(|(kind, data)| Some((EventKind::named(kind)?, data)));
            let (kind, data) = read.ok_or_else(|| Problem::internal("an event's line can't be read"))?;
            events.push(ChatEvent { seq, kind, data: data.into() });
        }
    }
    Ok(events)
}

/// Removes the logs of answers that ended before; `tx` reaches all tenants. How many rows went.
pub(crate) async fn prune(tx: &Tx, before: DateTime<Utc>) -> Result<u64, Problem> {
    let removed = tx.execute(PRUNE, [before.into()]).await?;
    tx.execute(PRUNED, [before.into()]).await?;
    Ok(removed)
}
