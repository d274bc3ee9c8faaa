//! The steps of domains.

use chrono::{DateTime, Utc};
use kernel::{ListRequest, Problem, Tx};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query, SelectStatement, UnionType};
use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::domains::NewStep;
use crate::domains::model::{DomainId, DomainStep, DomainStepId};

const COLUMNS: &str = "id, at, last_at, times, status, code, sentence, evidence, mend, next_try_at";
const INSERT: &str = "INSERT INTO tenancy_domain_step (tenant_id, domain_id, id, at, last_at, times, status, code, \
         sentence, evidence, mend, next_try_at) \
     VALUES ($1, $2, $3, $4, $4, 1, $5, $6, $7, $8, $9, $10)";
const REPEAT: &str = "UPDATE tenancy_domain_step SET last_at = $4, times = times + 1, next_try_at = $5 \
     WHERE tenant_id = $1 AND domain_id = $2 AND id = $3";
/// The last steps are kept, as many as one list can hold.
const TRIM: &str = "DELETE FROM tenancy_domain_step WHERE tenant_id = $1 AND domain_id = $2 AND id NOT IN ( \
     SELECT id FROM tenancy_domain_step WHERE tenant_id = $1 AND domain_id = $2 ORDER BY id DESC LIMIT 200)";

#[derive(FromQueryResult)]
struct Row {
    id: DomainStepId,
    at: DateTime<Utc>,
    last_at: DateTime<Utc>,
    times: i64,
    status: String,
    code: Option<String>,
    sentence: String,
    evidence: String,
    mend: Option<String>,
    next_try_at: Option<DateTime<Utc>>,
}

#[derive(FromQueryResult)]
struct Named {
    id: DomainStepId,
}

impl TryFrom<Row> for DomainStep {
    type Error = Problem;

    fn try_from(row: Row) -> Result<Self, Problem> {
        Ok(Self {
            id: row.id,
            about: "domain".to_owned(),
            at: row.at,
            last_at: row.last_at,
            times: row.times,
            status: row.status,
            sentence: row.sentence,
            code: row.code,
            evidence: serde_json::from_str(&row.evidence).map_err(Problem::internal)?,
            mend: row.mend,
            next_try_at: row.next_try_at,
        })
    }
}

/// Writes a step down. One that says what the last one said counts that one up.
pub(crate) async fn append(tx: &Tx, domain: DomainId, step: &NewStep) -> Result<(), Problem> {
    let (tenant, now) = (tx.tenant(), tx.now());
    let evidence = serde_json::to_string(&step.evidence).map_err(Problem::internal)?;
    let sql = format!(
        "SELECT {COLUMNS} FROM tenancy_domain_step WHERE tenant_id = $1 AND domain_id = $2 ORDER BY id DESC LIMIT 1"
    );
    let last: Option<Row> = tx.one(&sql, [tenant.into(), domain.into()]).await?;
    let same = |last: &Row| {
        last.status == step.status.as_str()
            && last.code == step.code
            && last.sentence == step.sentence
            && last.evidence == evidence
    };
    if let Some(last) = last.filter(same) {
        let values = [tenant.into(), domain.into(), last.id.into(), now.into(), step.next_try_at.into()];
        tx.execute(REPEAT, values).await?;
        return Ok(());
    }
    let id: DomainStepId = tx.new_id();
    let values = [
        tenant.into(),
        domain.into(),
        id.into(),
        now.into(),
        step.status.as_str().into(),
        step.code.clone().into(),
        step.sentence.clone().into(),
        evidence.into(),
        step.mend.clone().into(),
        step.next_try_at.into(),
    ];
    tx.execute(INSERT, values).await?;
    tx.execute(TRIM, [tenant.into(), domain.into()]).await?;
    Ok(())
}

/// All steps that are kept.
pub(crate) async fn all(tx: &Tx, domain: DomainId) -> Result<Vec<DomainStep>, Problem> {
    let sql = format!("SELECT {COLUMNS} FROM tenancy_domain_step WHERE tenant_id = $1 AND domain_id = $2 ORDER BY id");
    let rows: Vec<Row> = tx.all(&sql, [tx.tenant().into(), domain.into()]).await?;
    rows.into_iter().map(DomainStep::try_from).collect()
}

/// The names of those steps that belong on the page, in its order. No table is read: some steps lie in none.
pub(crate) async fn page(tx: &Tx, steps: &[DomainStep], request: &ListRequest) -> Result<Vec<DomainStepId>, Problem> {
    let row = |step: &DomainStep| -> SelectStatement {
        let text = |value: &str| Expr::val(value).cast_as("TEXT");
        let mut select = Query::select();
        select
            .expr_as(Expr::val(step.id.uuid()), Alias::new("id"))
            .expr_as(Expr::val(step.at), Alias::new("at"))
            .expr_as(text(&step.about), Alias::new("about"))
            .expr_as(text(&step.status), Alias::new("status"))
            .expr_as(text(step.code.as_deref().unwrap_or_default()), Alias::new("code"));
        select
    };
    let mut rows = steps.iter().map(row);
    let Some(mut all) = rows.next() else { return Ok(Vec::new()) };
    all.unions(rows.map(|row| (UnionType::All, row)));
    let mut select = Query::select();
    select.expr(Expr::cust("id")).from_subquery(all, Alias::new("step"));
    request.apply(&mut select)?;
    let rows = tx.conn().query_all(&select).await?;
    rows.iter().map(|row| Ok(Named::from_query_result(row, "")?.id)).collect()
}
