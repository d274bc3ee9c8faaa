//! All SQL of this module.

use chrono::{DateTime, Utc};
use kernel::{Caller, Db, ListRequest, Problem, TenantId, Tx};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Value};

use crate::commitment::SALT;
use crate::content::Content;
use crate::head::StoredHead;
use crate::merkle::Hash;
use crate::model::AuditId;

const INSERT: &str = "INSERT INTO audit_entry (id, tenant_id, sequence, leaf_hash, salt, canonical, occurred_at, \
     actor_id, action, target_kind, target_id, outcome) \
     VALUES ($1, $2, NULL, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
const PENDING: &str = "SELECT id, tenant_id, leaf_hash FROM audit_entry \
     WHERE sequence IS NULL ORDER BY id LIMIT $1";
/// The limit bounds the work and keeps to the index of what is pending.
const COUNT_PENDING: &str = "SELECT count(*) AS count FROM \
     (SELECT tenant_id FROM audit_entry WHERE sequence IS NULL ORDER BY id LIMIT 10000) AS pending \
     WHERE pending.tenant_id = $1";
const FORGET: &[&str] =
    &["DELETE FROM audit_entry WHERE tenant_id = $1", "DELETE FROM audit_head WHERE tenant_id = $1"];
const SAVE_HEAD: &str = "INSERT INTO audit_head (tenant_id, size, root_hash, peaks, tag, updated_at) \
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant_id) DO UPDATE SET size = excluded.size, \
     root_hash = excluded.root_hash, peaks = excluded.peaks, tag = excluded.tag, updated_at = excluded.updated_at";
const BY_SEQUENCE: &str = "SELECT id, tenant_id, sequence, leaf_hash, salt, canonical, occurred_at, actor_id, action, \
     target_kind, target_id, outcome FROM audit_entry \
     WHERE tenant_id = $1 AND sequence >= $2 ORDER BY sequence LIMIT $3";

/// An entry as it lies in the database, not yet believed.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct Row {
    pub(crate) id: AuditId,
    pub(crate) tenant_id: TenantId,
    pub(crate) sequence: Option<i64>,
    pub(crate) leaf_hash: Vec<u8>,
    pub(crate) salt: Option<Vec<u8>>,
    pub(crate) canonical: Option<String>,
    pub(crate) occurred_at: DateTime<Utc>,
    pub(crate) actor_id: Option<String>,
    pub(crate) action: String,
    pub(crate) target_kind: Option<String>,
    pub(crate) target_id: Option<String>,
    pub(crate) outcome: String,
}

/// An entry without a number.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct Pending {
    pub(crate) id: AuditId,
    pub(crate) tenant_id: TenantId,
    pub(crate) leaf_hash: Vec<u8>,
}

#[derive(FromQueryResult)]
struct HeadRow {
    tenant_id: TenantId,
    size: Option<i64>,
    root_hash: Option<Vec<u8>>,
    peaks: Option<Vec<u8>>,
    tag: Option<Vec<u8>>,
    last: Option<i64>,
}

#[derive(FromQueryResult)]
struct Count {
    count: i64,
}

/// A tenant's head, if it has one, and the number of its last numbered entry.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) tenant: TenantId,
    pub(crate) head: Option<StoredHead>,
    pub(crate) last: Option<i64>,
}

impl From<HeadRow> for Standing {
    fn from(row: HeadRow) -> Self {
        let head = match (row.size, row.root_hash, row.peaks, row.tag) {
            (Some(size), Some(root_hash), Some(peaks), Some(tag)) => Some(StoredHead { size, root_hash, peaks, tag }),
            _ => None,
        };
        Self { tenant: row.tenant_id, head, last: row.last }
    }
}

/// An entry as it is written.
pub(crate) struct NewRow([Value; 11]);

impl NewRow {
    pub(crate) fn new(content: &Content, text: String, salt: &[u8; SALT], leaf: &Hash) -> Self {
        let target = content.target.as_ref();
        Self([
            content.id.into(),
            content.tenant.into(),
            leaf.to_vec().into(),
            salt.to_vec().into(),
            text.into(),
            content.occurred_at.into(),
            content.actor.id.clone().into(),
            content.action.clone().into(),
            target.map(|target| target.kind.clone()).into(),
            target.map(|target| target.id.clone()).into(),
            content.outcome.name().into(),
        ])
    }
}

/// Writes an entry with what it tells of.
pub(crate) async fn insert(tx: &Tx, row: NewRow) -> Result<(), Problem> {
    tx.execute(INSERT, row.0).await?;
    Ok(())
}

/// Writes an entry on its own, and rings `bell` then.
pub(crate) async fn insert_alone(db: &Db, caller: &Caller, row: &NewRow, bell: &'static str) -> Result<(), Problem> {
    db.write_one(caller, INSERT, &row.0, bell).await
}

/// A page of the caller's tenant.
pub(crate) async fn page(tx: &Tx, request: &ListRequest) -> Result<Vec<Row>, Problem> {
    let mut select = select(tx.tenant());
    request.apply(&mut select)?;
    rows(tx, &select).await
}

/// Numbered entries from `first` up to but not including `end` that the request's filter lets through, in order.
pub(crate) async fn numbered(tx: &Tx, request: &ListRequest, first: i64, end: i64) -> Result<Vec<Row>, Problem> {
    let sequence = || Expr::col(Alias::new("sequence"));
    let mut select = select(tx.tenant());
    request.apply(&mut select)?;
    select.and_where(sequence().gte(first)).and_where(sequence().lt(end));
    select.clear_order_by().order_by(Alias::new("sequence"), sea_orm::sea_query::Order::Asc);
    rows(tx, &select).await
}

/// One entry of the caller's tenant.
pub(crate) async fn find(tx: &Tx, id: AuditId) -> Result<Option<Row>, Problem> {
    let mut select = select(tx.tenant());
    select.and_where(Expr::col(Alias::new("id")).eq(id));
    Ok(rows(tx, &select).await?.pop())
}

/// Numbered entries from `first` on, whatever they say.
pub(crate) async fn from_sequence(tx: &Tx, first: i64, limit: u32) -> Result<Vec<Row>, Problem> {
    Ok(tx.all(BY_SEQUENCE, [tx.tenant().into(), first.into(), i64::from(limit).into()]).await?)
}

/// How many of the tenant's entries have no number yet; more than 10 000 pending ones are not counted.
pub(crate) async fn count_pending(tx: &Tx) -> Result<i64, Problem> {
    let row: Option<Count> = tx.one(COUNT_PENDING, [tx.tenant().into()]).await?;
    Ok(row.map_or(0, |row| row.count))
}

/// Entries of all tenants that have no number yet, but for tenants left out.
pub(crate) async fn pending(tx: &Tx, limit: usize, left_out: &[TenantId]) -> Result<Vec<Pending>, Problem> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    if left_out.is_empty() {
        return Ok(tx.all(PENDING, [limit.into()]).await?);
    }
    let places = places(2, left_out.len(), 1);
    let sql = PENDING.replace("ORDER", &format!("AND tenant_id NOT IN ({places}) ORDER"));
    let values = std::iter::once(limit.into()).chain(left_out.iter().map(|tenant| (*tenant).into()));
    Ok(tx.all(&sql, values).await?)
}

/// Where each of these tenants stands. To keep the number of statements small, tenants are asked for in powers of
/// two, the last one repeated.
pub(crate) async fn standings(tx: &Tx, tenants: &[TenantId]) -> Result<Vec<Standing>, Problem> {
    let Some(last) = tenants.last() else { return Ok(Vec::new()) };
    let width = tenants.len().next_power_of_two();
    let sql = format!(
        "SELECT DISTINCT v.column1 AS tenant_id, h.size, h.root_hash, h.peaks, h.tag, \
         (SELECT e.sequence FROM audit_entry AS e WHERE e.tenant_id = v.column1 AND e.sequence IS NOT NULL \
          ORDER BY e.sequence DESC LIMIT 1) AS last \
         FROM (VALUES {}) AS v LEFT JOIN audit_head AS h ON h.tenant_id = v.column1",
        places(1, width, 1)
    );
    let padded = tenants.iter().chain(std::iter::repeat(last)).take(width);
    let found: Vec<HeadRow> = tx.all(&sql, padded.map(|tenant| Value::from(*tenant))).await?;
    Ok(found.into_iter().map(Standing::from).collect())
}

/// Where the caller's tenant stands.
pub(crate) async fn standing(tx: &Tx) -> Result<Standing, Problem> {
    let tenant = tx.tenant();
    let found = standings(tx, &[tenant]).await?.pop();
    Ok(found.unwrap_or(Standing { tenant, head: None, last: None }))
}

/// Gives numbers to entries that have none, in one statement for each of a few sizes; the last pair is repeated to
/// fill a size up. Returns how many got theirs.
pub(crate) async fn number(tx: &Tx, numbers: &[(AuditId, i64)]) -> Result<u64, Problem> {
    let Some(last) = numbers.last() else { return Ok(0) };
    let width = [1, 8, 64, 512].into_iter().find(|width| *width >= numbers.len()).unwrap_or(numbers.len());
    let sql = format!(
        "UPDATE audit_entry SET sequence = v.column2 FROM (VALUES {}) AS v \
         WHERE audit_entry.id = v.column1 AND audit_entry.sequence IS NULL",
        places(1, width, 2)
    );
    let padded = numbers.iter().chain(std::iter::repeat(last)).take(width);
    let values = padded.flat_map(|(id, number)| [Value::from(*id), Value::from(*number)]);
    Ok(tx.execute(&sql, values).await?)
}

pub(crate) async fn save_head(tx: &Tx, tenant: TenantId, head: StoredHead) -> Result<(), Problem> {
    let values: [Value; 6] =
        [tenant.into(), head.size.into(), head.root_hash.into(), head.peaks.into(), head.tag.into(), tx.now().into()];
    tx.execute(SAVE_HEAD, values).await?;
    Ok(())
}

pub(crate) async fn forget(tx: &Tx) -> Result<(), Problem> {
    for sql in FORGET {
        tx.execute(sql, [tx.tenant().into()]).await?;
    }
    Ok(())
}

/// `count` groups of `width` placeholders, from `$first` on: `($1,$2),($3,$4)`.
fn places(first: usize, count: usize, width: usize) -> String {
    let group = |group: usize| {
        let places: Vec<String> = (0..width).map(|place| format!("${}", first + group * width + place)).collect();
        format!("({})", places.join(","))
    };
    (0..count).map(group).collect::<Vec<_>>().join(",")
}

fn select(tenant: TenantId) -> SelectStatement {
    let columns = [
        "id",
        "tenant_id",
        "sequence",
        "leaf_hash",
        "salt",
        "canonical",
        "occurred_at",
        "actor_id",
        "action",
        "target_kind",
        "target_id",
        "outcome",
    ];
    let mut select = Query::select();
    select
        .columns(columns.map(Alias::new))
        .from(Alias::new("audit_entry"))
        .and_where(Expr::col(Alias::new("tenant_id")).eq(tenant));
    select
}

async fn rows(tx: &Tx, select: &SelectStatement) -> Result<Vec<Row>, Problem> {
    let found = tx.conn().query_all(select).await?;
    let rows: Result<Vec<Row>, DbErr> = found.iter().map(|row| Row::from_query_result(row, "")).collect();
    Ok(rows?)
}
