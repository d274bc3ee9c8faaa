//! Names and where each stands.

use chrono::{DateTime, Utc};
use edge_certificates::{Due, Lane, Name, Progress, Record, Waiting, transition};
use kernel::{ListRequest, Problem, Tx};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::certificates::Fault;

const COLUMNS: &str = "name, owner, wanted, lane, due_at, progress";
const INSERT: &str = "INSERT INTO edge_name (name, owner, wanted, lane, due_at, progress) \
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name) DO NOTHING";
const WANT_AGAIN: &str = "UPDATE edge_name SET owner = $2, wanted = $3, lane = $4, due_at = $5 WHERE name = $1";
const UNWANT: &str = "UPDATE edge_name SET wanted = $2, lane = $3, due_at = $4 WHERE name = $1";
const ADVANCE: &str = "UPDATE edge_name SET progress = $2, \
     lane = CASE WHEN wanted THEN $3 ELSE lane END, due_at = CASE WHEN wanted THEN $4 ELSE due_at END WHERE name = $1";
/// Only what nobody has moved meanwhile.
const MAKE_DUE: &str = "UPDATE edge_name SET progress = $2, lane = $3, due_at = $4 WHERE name = $1 AND progress = $5";
const UNWANT_ALL: &str = "UPDATE edge_name SET wanted = $2, lane = $3, due_at = $4 WHERE owner = $1";
/// The installation's own names; a domain of the operators' tenant is not marked.
const OWN: &str = "SELECT name FROM edge_name WHERE owner = $1 AND from_settings AND wanted";
const MARK_OWN: &str = "UPDATE edge_name SET from_settings = $2 WHERE name = $1";
const FORGET: &str = "DELETE FROM edge_name WHERE name = $1 AND NOT wanted";
/// The first of every owner before the second of any.
const DUE: &str = "SELECT name, owner, due_at FROM ( \
     SELECT n.name AS name, n.owner AS owner, n.due_at AS due_at, ROW_NUMBER() OVER (PARTITION BY n.owner ORDER BY n.due_at, n.name) AS place \
     FROM edge_name n LEFT JOIN edge_lease l ON l.key = n.name \
     WHERE n.lane = $1 AND n.due_at <= $2 AND (l.held_until IS NULL OR l.held_until <= $2)) AS ranked \
     WHERE place <= $3 ORDER BY place, due_at, name LIMIT $4";

#[derive(FromQueryResult)]
struct Row {
    name: String,
    owner: String,
    wanted: bool,
    lane: String,
    due_at: DateTime<Utc>,
    progress: String,
}

#[derive(FromQueryResult)]
struct WaitingRow {
    name: String,
    owner: String,
    due_at: DateTime<Utc>,
}

#[derive(FromQueryResult)]
struct NameRow {
    name: String,
}

impl TryFrom<Row> for Record {
    type Error = Fault;

    fn try_from(row: Row) -> Result<Self, Fault> {
        let lane = Lane::ALL.into_iter().find(|lane| lane.as_str() == row.lane);
        Ok(Self {
            name: Name::parse(&row.name).map_err(Problem::internal)?,
            tenant: row.owner,
            wanted: row.wanted,
            progress: serde_json::from_str(&row.progress).map_err(Problem::internal)?,
            due: row.due_at,
            lane: lane.ok_or_else(|| Problem::internal("a name in an unknown lane"))?,
        })
    }
}

/// All that is known of a name.
pub(crate) async fn find(tx: &Tx, name: &Name) -> Result<Option<Record>, Fault> {
    let row: Option<Row> =
        tx.one(&format!("SELECT {COLUMNS} FROM edge_name WHERE name = $1"), [name.as_str().into()]).await?;
    row.map(Record::try_from).transpose()
}

/// From now on the name is wanted by this owner.
pub(crate) async fn want(tx: &Tx, name: &Name, owner: &str, now: DateTime<Utc>) -> Result<(), Fault> {
    let new = Record::new(name.clone(), owner, now);
    let values = [
        name.as_str().into(),
        owner.into(),
        true.into(),
        new.lane.as_str().into(),
        new.due.into(),
        text(&new.progress)?.into(),
    ];
    if tx.execute(INSERT, values).await? == 1 {
        return Ok(());
    }
    let Some(known) = find(tx, name).await? else { return Err(Problem::internal("the name went meanwhile").into()) };
    let (lane, due) = if known.wanted { (known.lane, known.due) } else { (transition::lane(&known.progress), now) };
    let values = [name.as_str().into(), owner.into(), true.into(), lane.as_str().into(), due.into()];
    tx.execute(WANT_AGAIN, values).await?;
    Ok(())
}

/// The name is wanted no more.
pub(crate) async fn unwant(tx: &Tx, name: &Name, now: DateTime<Utc>) -> Result<(), Fault> {
    tx.execute(UNWANT, [name.as_str().into(), false.into(), Lane::Working.as_str().into(), now.into()]).await?;
    Ok(())
}

/// All names of an owner are wanted no more.
pub(crate) async fn unwant_all(tx: &Tx, owner: &str, now: DateTime<Utc>) -> Result<(), Fault> {
    tx.execute(UNWANT_ALL, [owner.into(), false.into(), Lane::Working.as_str().into(), now.into()]).await?;
    Ok(())
}

/// The wanted names that the settings named.
pub(crate) async fn own(tx: &Tx, owner: &str) -> Result<Vec<Name>, Fault> {
    let rows: Vec<NameRow> = tx.all(OWN, [owner.into()]).await?;
    rows.into_iter().map(|row| Ok(Name::parse(&row.name).map_err(Problem::internal)?)).collect()
}

/// The settings name it: it is wanted, unless a tenant has it.
pub(crate) async fn want_own(tx: &Tx, name: &Name, owner: &str, now: DateTime<Utc>) -> Result<(), Fault> {
    let known = find(tx, name).await?;
    if known.as_ref().is_some_and(|known| known.wanted && known.tenant != owner) {
        tracing::warn!(name = name.as_str(), "edge.names has a name that is a tenant's domain; the tenant keeps it");
        return Ok(());
    }
    if known.is_none_or(|known| !known.wanted) {
        want(tx, name, owner, now).await?;
    }
    tx.execute(MARK_OWN, [name.as_str().into(), true.into()]).await?;
    Ok(())
}

/// A page of the wanted names; `owner` none: of all owners.
pub(crate) async fn list(tx: &Tx, request: &ListRequest, owner: Option<&str>) -> Result<Vec<Record>, Problem> {
    let mut select = Query::select()
        .columns(["name", "owner", "wanted", "lane", "due_at", "progress"].map(Alias::new))
        .from("edge_name")
        .and_where(Expr::col("wanted").eq(true))
        .to_owned();
    if let Some(owner) = owner {
        select.and_where(Expr::col("owner").eq(owner));
    }
    request.apply(&mut select)?;
    records(tx, &select).await
}

/// The wanted ones among these names.
pub(crate) async fn among(tx: &Tx, names: &[Name]) -> Result<Vec<Record>, Problem> {
    let select = Query::select()
        .columns(["name", "owner", "wanted", "lane", "due_at", "progress"].map(Alias::new))
        .from("edge_name")
        .and_where(Expr::col("wanted").eq(true))
        .and_where(Expr::col("name").is_in(names.iter().map(Name::as_str)))
        .to_owned();
    records(tx, &select).await
}

async fn records(tx: &Tx, select: &sea_orm::sea_query::SelectStatement) -> Result<Vec<Record>, Problem> {
    let rows = tx.conn().query_all(select).await?;
    rows.iter().map(|row| Ok(Record::try_from(Row::from_query_result(row, "")?)?)).collect()
}

/// Names of a lane that are due and that nobody works on, fairly among owners.
pub(crate) async fn due(tx: &Tx, asked: Due) -> Result<Vec<Waiting>, Fault> {
    let values = [
        asked.lane.as_str().into(),
        asked.now.into(),
        i64::from(asked.per_tenant).into(),
        i64::from(asked.limit).into(),
    ];
    let rows: Vec<WaitingRow> = tx.all(DUE, values).await?;
    let waiting = |row: WaitingRow| {
        let name = Name::parse(&row.name).map_err(Problem::internal)?;
        Ok(Waiting { name, tenant: row.owner, due: row.due_at, lane: asked.lane })
    };
    rows.into_iter().map(waiting).collect()
}

/// Brings a name forward; whether that changed anything.
pub(crate) async fn make_due(tx: &Tx, name: &Name, at: DateTime<Utc>, forgive: bool) -> Result<bool, Fault> {
    let Some(known) = find(tx, name).await? else { return Ok(false) };
    let before = text(&known.progress)?;
    let Some(moved) = known.made_due(at, forgive) else { return Ok(false) };
    let values = [
        name.as_str().into(),
        text(&moved.progress)?.into(),
        moved.lane.as_str().into(),
        moved.due.into(),
        before.into(),
    ];
    Ok(tx.execute(MAKE_DUE, values).await? == 1)
}

/// Notes how far a name is, and, while it is wanted, when to look again.
pub(super) async fn advance(
    tx: &Tx,
    name: &Name,
    progress: &Progress,
    (lane, due): (Lane, DateTime<Utc>),
) -> Result<(), Fault> {
    let values = [name.as_str().into(), text(progress)?.into(), lane.as_str().into(), due.into()];
    tx.execute(ADVANCE, values).await?;
    Ok(())
}

/// Forgets a name that is not wanted; whether it was so.
pub(super) async fn forget(tx: &Tx, name: &Name) -> Result<bool, Fault> {
    Ok(tx.execute(FORGET, [name.as_str().into()]).await? == 1)
}

fn text(progress: &Progress) -> Result<String, Fault> {
    Ok(serde_json::to_string(progress).map_err(Problem::internal)?)
}
