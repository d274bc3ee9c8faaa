//! All SQL of this module.

use chrono::{DateTime, Utc};
use kernel::{Id, ListRequest, Problem, Tx};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};
use uuid::Uuid;

use crate::model::{Event, EventId, EventView, Logged, Parked, Position, SubscriberView};

const REGISTER: &str = "INSERT INTO events_subscriber (name, txid, seq, updated_at) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (name) DO NOTHING";
const POSITION: &str = "SELECT txid, seq FROM events_subscriber WHERE name = $1";
const ADVANCE: &str = "UPDATE events_subscriber SET txid = $4, seq = $5, updated_at = $6 \
     WHERE name = $1 AND txid = $2 AND seq = $3";
const MARK_DONE: &str = "INSERT INTO events_inbox (subscriber, event_id, done_at) VALUES ($1, $2, $3) \
     ON CONFLICT (subscriber, event_id) DO NOTHING";
const KEY_IS_HELD: &str = "SELECT seq FROM events_parked WHERE subscriber = $1 AND tenant_id = $2 AND key = $3 LIMIT 1";
const PARK: &str = "INSERT INTO events_parked \
     (subscriber, event_id, tenant_id, key, txid, seq, attempts, retry_at, last_error) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (subscriber, event_id) DO NOTHING";
const UNPARK: &str =
    "DELETE FROM events_parked WHERE subscriber = $1 AND event_id = $2 AND attempts = $3 AND tenant_id = $4";
const POSTPONE: &str = "UPDATE events_parked SET attempts = attempts + 1, retry_at = $5, last_error = $6 \
     WHERE subscriber = $1 AND event_id = $2 AND attempts = $3 AND tenant_id = $4";
/// Only the oldest parked event of a key is due; the others wait behind it.
const DUE: &str = "SELECT l.txid, l.seq, l.id, l.tenant_id, l.kind, l.key, l.data, l.occurred_at, p.attempts \
     FROM events_parked p JOIN events_log l ON l.seq = p.seq \
     WHERE p.subscriber = $1 AND p.retry_at <= $2 AND NOT EXISTS ( \
         SELECT 1 FROM events_parked o WHERE o.subscriber = p.subscriber AND o.tenant_id = p.tenant_id \
         AND o.key = p.key AND (o.txid, o.seq) < (p.txid, p.seq)) \
     ORDER BY p.txid, p.seq LIMIT $3";
const PRUNE_LOG: &str = "DELETE FROM events_log WHERE seq IN ( \
         SELECT l.seq FROM events_log l WHERE l.occurred_at < $1 \
         AND NOT EXISTS (SELECT 1 FROM events_subscriber s WHERE (s.txid, s.seq) < (l.txid, l.seq)) \
         AND NOT EXISTS (SELECT 1 FROM events_parked p WHERE p.seq = l.seq) \
         ORDER BY l.txid, l.seq LIMIT $2)";
/// A note lives as long as its event, whatever its own age.
const PRUNE_INBOX: &str = "DELETE FROM events_inbox WHERE (subscriber, event_id) IN ( \
         SELECT i.subscriber, i.event_id FROM events_inbox i WHERE i.done_at < $1 \
         AND NOT EXISTS (SELECT 1 FROM events_log l WHERE l.id = i.event_id) LIMIT $2)";
/// Every place that a transaction's number is kept.
const NUMBERED: [&str; 3] = ["events_log", "events_subscriber", "events_parked"];
/// What one call of a pruning removes at most.
const PRUNE_BATCH: i64 = 1000;
/// How far a lag is counted.
const MAX_LAG: i64 = 10_000;

#[derive(FromQueryResult)]
struct EventRow {
    id: Uuid,
    tenant_id: Uuid,
    kind: String,
    key: String,
    data: String,
    occurred_at: DateTime<Utc>,
}

#[derive(FromQueryResult)]
struct LoggedRow {
    txid: i64,
    seq: i64,
    #[sea_orm(nested)]
    event: EventRow,
}

#[derive(FromQueryResult)]
struct ParkedRow {
    attempts: i32,
    #[sea_orm(nested)]
    logged: LoggedRow,
}

#[derive(FromQueryResult)]
struct PositionRow {
    txid: i64,
    seq: i64,
}

#[derive(FromQueryResult)]
struct Found {
    #[expect(dead_code, reason = "only whether there is one matters")]
    seq: i64,
}

#[derive(FromQueryResult)]
struct NumbersRow {
    newest: Option<i64>,
    assigned_below: i64,
    settled_below: i64,
}

#[derive(FromQueryResult)]
struct SubscriberRow {
    name: String,
    txid: i64,
    seq: i64,
    updated_at: DateTime<Utc>,
    lag: i64,
    parked: i64,
    dead: i64,
    last_error: Option<String>,
}

impl EventRow {
    fn event(self) -> Result<Event, Problem> {
        Ok(Event {
            id: Id::from_uuid(self.id),
            tenant: Id::from_uuid(self.tenant_id),
            kind: self.kind,
            key: self.key,
            data: serde_json::from_str(&self.data).map_err(Problem::internal)?,
            occurred_at: self.occurred_at,
        })
    }

    fn view(self) -> Result<EventView, Problem> {
        let event = self.event()?;
        Ok(EventView {
            id: event.id,
            kind: event.kind,
            key: event.key,
            data: event.data,
            occurred_at: event.occurred_at,
        })
    }
}

impl LoggedRow {
    fn logged(self) -> Result<Logged, Problem> {
        Ok(Logged { at: Position { txid: self.txid, seq: self.seq }, event: self.event.event()? })
    }
}

/// Writes an event with the number of the transaction that does so.
pub(crate) async fn insert(tx: &Tx, event: &Event, data: String) -> Result<(), DbErr> {
    let sql = format!(
        "INSERT INTO events_log (txid, id, tenant_id, kind, key, data, occurred_at) \
         VALUES ({}, $1, $2, $3, $4, $5, $6)",
        tx.engine().transaction_number()
    );
    let values = [
        event.id.into(),
        event.tenant.into(),
        event.kind.as_str().into(),
        event.key.as_str().into(),
        data.into(),
        event.occurred_at.into(),
    ];
    tx.execute(&sql, values).await.map(|_| ())
}

/// Makes sure that the subscriber has a place in the log.
pub(crate) async fn register(tx: &Tx, name: &str) -> Result<(), DbErr> {
    let Position { txid, seq } = Position::BEGINNING;
    tx.execute(REGISTER, [name.into(), txid.into(), seq.into(), tx.now().into()]).await.map(|_| ())
}

/// The subscriber's place in the log.
pub(crate) async fn position(tx: &Tx, name: &str) -> Result<Option<Position>, DbErr> {
    let row: Option<PositionRow> = tx.one(POSITION, [name.into()]).await?;
    Ok(row.map(|row| Position { txid: row.txid, seq: row.seq }))
}

/// The events after this place, as far as no transaction in flight can still write one among them.
pub(crate) async fn settled(tx: &Tx, after: Position, limit: usize) -> Result<Vec<Logged>, Problem> {
    let sql = format!(
        "SELECT txid, seq, id, tenant_id, kind, key, data, occurred_at FROM events_log \
         WHERE (txid, seq) > ($1, $2) AND txid < {} ORDER BY txid, seq LIMIT $3",
        tx.engine().settled_below()
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows: Vec<LoggedRow> = tx.all(&sql, [after.txid.into(), after.seq.into(), limit.into()]).await?;
    rows.into_iter().map(LoggedRow::logged).collect()
}

/// Moves the subscriber on, if it still is where the caller believes it to be; other processes wait until the commit.
pub(crate) async fn advance(tx: &Tx, name: &str, from: Position, to: Position) -> Result<bool, DbErr> {
    let values = [name.into(), from.txid.into(), from.seq.into(), to.txid.into(), to.seq.into(), tx.now().into()];
    Ok(tx.execute(ADVANCE, values).await? == 1)
}

/// Notes that the subscriber does this event; `false` when it has done so before.
pub(crate) async fn mark_done(tx: &Tx, name: &str, id: EventId) -> Result<bool, DbErr> {
    Ok(tx.execute(MARK_DONE, [name.into(), id.into(), tx.now().into()]).await? == 1)
}

/// Whether an earlier event of the same key is parked.
pub(crate) async fn key_is_held(tx: &Tx, name: &str, event: &Event) -> Result<bool, DbErr> {
    let row: Option<Found> = tx.one(KEY_IS_HELD, [name.into(), event.tenant.into(), event.key.as_str().into()]).await?;
    Ok(row.is_some())
}

/// Sets an event aside, until `parked.attempts` and the wait say otherwise.
pub(crate) async fn park(
    tx: &Tx,
    name: &str,
    parked: &Parked,
    retry_at: DateTime<Utc>,
    error: Option<&str>,
) -> Result<(), DbErr> {
    let Logged { at, event } = &parked.logged;
    let values = [
        name.into(),
        event.id.into(),
        event.tenant.into(),
        event.key.as_str().into(),
        at.txid.into(),
        at.seq.into(),
        parked.attempts.into(),
        retry_at.into(),
        error.map(str::to_owned).into(),
    ];
    tx.execute(PARK, values).await.map(|_| ())
}

/// Takes a parked event back, if nobody else has tried it meanwhile.
pub(crate) async fn unpark(tx: &Tx, name: &str, parked: &Parked) -> Result<bool, DbErr> {
    let event = &parked.logged.event;
    let values = [name.into(), event.id.into(), parked.attempts.into(), event.tenant.into()];
    Ok(tx.execute(UNPARK, values).await? == 1)
}

/// Notes one more failure of a parked event.
pub(crate) async fn postpone(
    tx: &Tx,
    name: &str,
    parked: &Parked,
    retry_at: DateTime<Utc>,
    error: &str,
) -> Result<(), DbErr> {
    let event = &parked.logged.event;
    let values =
        [name.into(), event.id.into(), parked.attempts.into(), event.tenant.into(), retry_at.into(), error.into()];
    tx.execute(POSTPONE, values).await.map(|_| ())
}

/// Parked events that are to be tried now: at most one of a key.
pub(crate) async fn due(tx: &Tx, name: &str, limit: i64) -> Result<Vec<Parked>, Problem> {
    let rows: Vec<ParkedRow> = tx.all(DUE, [name.into(), tx.now().into(), limit.into()]).await?;
    rows.into_iter().map(|row| Ok(Parked { logged: row.logged.logged()?, attempts: row.attempts })).collect()
}

/// How far the numbers must go down so that all are of the past; `None` when they are.
pub(crate) async fn excess(tx: &Tx) -> Result<Option<i64>, DbErr> {
    let all: Vec<String> = NUMBERED.iter().map(|table| format!("SELECT MAX(txid) AS top FROM {table}")).collect();
    let sql = format!(
        "SELECT (SELECT MAX(top) FROM ({}) AS tops) AS newest, {} AS assigned_below, {} AS settled_below",
        all.join(" UNION ALL "),
        tx.engine().assigned_below(),
        tx.engine().settled_below()
    );
    let row: Option<NumbersRow> = tx.one(&sql, []).await?;
    let foreign =
        row.and_then(|row| Some((row.newest.filter(|newest| *newest >= row.assigned_below)?, row.settled_below)));
    Ok(foreign.map(|(newest, settled_below)| newest - settled_below + 1))
}

/// Lowers all numbers alike, which keeps their order.
pub(crate) async fn lower(tx: &Tx, by: i64) -> Result<(), DbErr> {
    for table in NUMBERED {
        let beginning = Position::BEGINNING.txid;
        let sql = format!("UPDATE {table} SET txid = txid - $1 WHERE txid <> $2");
        tx.execute(&sql, [by.into(), beginning.into()]).await?;
    }
    Ok(())
}

pub(crate) async fn prune_log(tx: &Tx, before: DateTime<Utc>) -> Result<u64, DbErr> {
    tx.execute(PRUNE_LOG, [before.into(), PRUNE_BATCH.into()]).await
}

pub(crate) async fn prune_inbox(tx: &Tx, before: DateTime<Utc>) -> Result<u64, DbErr> {
    tx.execute(PRUNE_INBOX, [before.into(), PRUNE_BATCH.into()]).await
}

fn events(tx: &Tx) -> SelectStatement {
    let columns = ["id", "tenant_id", "kind", "key", "data", "occurred_at"].map(Alias::new);
    Query::select()
        .columns(columns)
        .from("events_log")
        .and_where(Expr::col("tenant_id").eq(tx.tenant().uuid()))
        .to_owned()
}

pub(crate) async fn list(tx: &Tx, request: &ListRequest) -> Result<Vec<EventView>, Problem> {
    let mut select = events(tx);
    request.apply(&mut select)?;
    let rows = tx.conn().query_all(&select).await?;
    rows.iter().map(|row| EventRow::from_query_result(row, "")?.view()).collect()
}

pub(crate) async fn find(tx: &Tx, id: EventId) -> Result<Option<EventView>, Problem> {
    let select = events(tx).and_where(Expr::col("id").eq(id.uuid())).to_owned();
    let row = tx.conn().query_one(&select).await?;
    row.map(|row| EventRow::from_query_result(&row, "")?.view()).transpose()
}

/// All subscribers with their lag and failures; `tx` reaches all tenants.
pub(crate) async fn subscribers(
    tx: &Tx,
    request: &ListRequest,
    dead_from: i32,
) -> Result<Vec<SubscriberView>, Problem> {
    let parked = |what: &str, more: &str| {
        format!("(SELECT {what} FROM events_parked p WHERE p.subscriber = events_subscriber.name{more})")
    };
    let lag = format!(
        "(SELECT COUNT(*) FROM (SELECT 1 FROM events_log l WHERE \
         (l.txid, l.seq) > (events_subscriber.txid, events_subscriber.seq) LIMIT {MAX_LAG}) AS beyond)"
    );
    let mut select = Query::select()
        .columns(["name", "txid", "seq", "updated_at"].map(Alias::new))
        .expr_as(Expr::cust(lag), "lag")
        .expr_as(Expr::cust(parked("COUNT(*)", "")), "parked")
        .expr_as(Expr::cust(parked("COUNT(*)", &format!(" AND p.attempts >= {dead_from}"))), "dead")
        .expr_as(
            Expr::cust(parked("p.last_error", " AND p.last_error IS NOT NULL ORDER BY p.txid, p.seq LIMIT 1")),
            "last_error",
        )
        .from("events_subscriber")
        .to_owned();
    request.apply(&mut select)?;
    let rows = tx.conn().query_all(&select).await?;
    rows.iter().map(|row| Ok(SubscriberRow::from_query_result(row, "")?.into())).collect()
}

impl From<SubscriberRow> for SubscriberView {
    fn from(row: SubscriberRow) -> Self {
        Self {
            name: row.name,
            cursor: format!("{}:{}", row.txid, row.seq),
            lag: row.lag,
            parked: row.parked,
            dead: row.dead,
            last_error: row.last_error,
            updated_at: row.updated_at,
        }
    }
}
