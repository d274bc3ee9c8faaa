//! Domains. Most statements are in a tenant's scope; those that look at a name across tenants say so.

use chrono::{DateTime, Utc};
use kernel::{ListRequest, Problem, TenantId, Tx};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::config::TenancyConfig;
use crate::domains::State;
use crate::domains::model::{Domain, DomainId, DomainPart, DomainStatus, HeldDomain};
use crate::error::Error;
use crate::store::clash;

const COLUMNS: &str = "id, name, token, status, proof, address, caa, findings, ready, tries, checked_at, next_check_at, \
     asked_at, verified_at, ready_at, proof_missing_since, created_at, updated_at, version";
const HELD: &str = "status IN ('verified', 'failing')";
const INSERT: &str = "INSERT INTO tenancy_domain (tenant_id, id, name, token, status, proof, address, caa, findings, \
         ready, tries, next_check_at, created_at, updated_at, version) \
     VALUES ($1, $2, $3, $4, 'pending', 'unknown', 'unknown', 'unknown', '[]', $5, 0, $6, $6, $6, 1)";
const COUNT: &str = "SELECT COUNT(*) AS number FROM tenancy_domain WHERE tenant_id = $1";
const DELETE: &str = "DELETE FROM tenancy_domain WHERE tenant_id = $1 AND id = $2";
const BEGIN: &str = "UPDATE tenancy_domain SET asked_at = $3 \
     WHERE tenant_id = $1 AND id = $2 AND (asked_at IS NULL OR asked_at <= $4) RETURNING tenant_id, id, name, token";
const BEGIN_DUE: &str = "UPDATE tenancy_domain SET asked_at = $3 \
     WHERE tenant_id = $1 AND id = $2 AND next_check_at <= $3 AND (asked_at IS NULL OR asked_at <= $4) \
     RETURNING tenant_id, id, name, token";
const DUE: &str = "SELECT tenant_id, id FROM tenancy_domain \
     WHERE next_check_at <= $1 AND (asked_at IS NULL OR asked_at <= $2) ORDER BY next_check_at LIMIT $3";
const UPDATE: &str = "UPDATE tenancy_domain SET token = $3, status = $4, proof = $5, address = $6, caa = $7, \
     findings = $8, tries = $9, checked_at = $10, next_check_at = $11, verified_at = $12, ready_at = $13, \
     proof_missing_since = $14, updated_at = $15, ready = $16, version = version + 1 WHERE tenant_id = $1 AND id = $2";
/// Whoever waits for a name that became free, of all tenants.
const WAKE: &str = "UPDATE tenancy_domain SET next_check_at = $2, tries = 0 \
     WHERE name = $1 AND status = 'pending' AND next_check_at > $2";

#[derive(FromQueryResult)]
struct Row {
    id: DomainId,
    name: String,
    token: String,
    status: String,
    proof: String,
    address: String,
    caa: String,
    findings: String,
    ready: bool,
    tries: i32,
    checked_at: Option<DateTime<Utc>>,
    next_check_at: DateTime<Utc>,
    asked_at: Option<DateTime<Utc>>,
    verified_at: Option<DateTime<Utc>>,
    ready_at: Option<DateTime<Utc>>,
    proof_missing_since: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i64,
}

#[derive(FromQueryResult)]
struct Count {
    number: i64,
}

#[derive(FromQueryResult)]
struct Due {
    tenant_id: TenantId,
    id: DomainId,
}

#[derive(FromQueryResult)]
struct Holder {
    tenant_id: TenantId,
}

#[derive(FromQueryResult)]
struct HeldRow {
    tenant_id: TenantId,
    id: DomainId,
    name: String,
    ready: bool,
}

/// A check that was begun.
#[derive(Clone, Debug)]
pub(crate) struct Begun {
    pub(crate) tenant: TenantId,
    pub(crate) id: DomainId,
    pub(crate) name: String,
    pub(crate) token: String,
}

#[derive(FromQueryResult)]
struct BegunRow {
    tenant_id: TenantId,
    id: DomainId,
    name: String,
    token: String,
}

impl From<BegunRow> for Begun {
    fn from(row: BegunRow) -> Self {
        Self { tenant: row.tenant_id, id: row.id, name: row.name, token: row.token }
    }
}

/// A domain with what only this module knows of it.
pub(crate) struct Kept {
    pub(crate) domain: Domain,
    pub(crate) token: String,
    pub(crate) tries: i32,
    pub(crate) asked_at: Option<DateTime<Utc>>,
    pub(crate) ready_at: Option<DateTime<Utc>>,
}

impl Kept {
    /// What a check is judged by.
    pub(crate) fn state(&self) -> State {
        State {
            name: self.domain.name.clone(),
            status: self.domain.status,
            ready: self.domain.ready,
            ready_at: self.ready_at,
            verified_at: self.domain.verified_at,
            proof_missing_since: self.domain.proof_missing_since,
            tries: self.tries,
            created_at: self.domain.created_at,
        }
    }
}

fn part(text: &str) -> Result<DomainPart, Problem> {
    DomainPart::named(text).ok_or_else(|| Problem::internal(text))
}

impl Row {
    fn kept(self, config: &TenancyConfig) -> Result<Kept, Problem> {
        let status = DomainStatus::named(&self.status).ok_or_else(|| Problem::internal(&self.status))?;
        let domain = Domain {
            id: self.id,
            display_name: crate::domains::shown(&self.name),
            status,
            ready: self.ready,
            records: crate::domains::records(&config.domains, &self.name, &self.token),
            name: self.name,
            proof: part(&self.proof)?,
            address: part(&self.address)?,
            caa: part(&self.caa)?,
            findings: serde_json::from_str(&self.findings).map_err(Problem::internal)?,
            certificate: None,
            checked_at: self.checked_at,
            next_check_at: self.next_check_at,
            verified_at: self.verified_at,
            proof_missing_since: self.proof_missing_since,
            created_at: self.created_at,
            updated_at: self.updated_at,
            version: self.version,
        };
        let (token, tries, asked_at, ready_at) = (self.token, self.tries, self.asked_at, self.ready_at);
        Ok(Kept { domain, token, tries, asked_at, ready_at })
    }
}

/// Adds a claim, to be checked at once.
pub(crate) async fn insert(tx: &Tx, config: &TenancyConfig, name: &str, token: &str) -> Result<Domain, Error> {
    let (id, now): (DomainId, _) = (tx.new_id(), tx.now());
    let values = [tx.tenant().into(), id.into(), name.into(), token.into(), false.into(), now.into()];
    let inserted = tx.execute(INSERT, values).await;
    inserted.map_err(|error| clash(error, || Error::DomainClaimed(name.to_owned())))?;
    Ok(find(tx, config, id).await?.ok_or_else(|| Problem::internal("a domain that was just claimed"))?.domain)
}

/// One domain of the tenant.
pub(crate) async fn find(tx: &Tx, config: &TenancyConfig, id: DomainId) -> Result<Option<Kept>, Problem> {
    let sql = format!("SELECT {COLUMNS} FROM tenancy_domain WHERE tenant_id = $1 AND id = $2");
    let row: Option<Row> = tx.one(&sql, [tx.tenant().into(), id.into()]).await?;
    row.map(|row| row.kept(config)).transpose()
}

/// One domain of the tenant, which nobody else changes until the commit.
pub(crate) async fn find_for_update(tx: &Tx, config: &TenancyConfig, id: DomainId) -> Result<Option<Kept>, Problem> {
    let lock = tx.engine().for_update();
    let sql = format!("SELECT {COLUMNS} FROM tenancy_domain WHERE tenant_id = $1 AND id = $2{lock}");
    let row: Option<Row> = tx.one(&sql, [tx.tenant().into(), id.into()]).await?;
    row.map(|row| row.kept(config)).transpose()
}

/// A page of the tenant's domains.
pub(crate) async fn list(tx: &Tx, config: &TenancyConfig, request: &ListRequest) -> Result<Vec<Domain>, Problem> {
    let mut select = Query::select();
    select
        .expr(Expr::cust(COLUMNS))
        .from(Alias::new("tenancy_domain"))
        .and_where(Expr::cust("tenant_id").eq(tx.tenant().uuid()));
    request.apply(&mut select)?;
    let rows = tx.conn().query_all(&select).await?;
    let domains = rows.iter().map(|row| Row::from_query_result(row, "")?.kept(config).map(|kept| kept.domain));
    domains.collect()
}

/// How many the tenant claims.
pub(crate) async fn count(tx: &Tx) -> Result<usize, Problem> {
    let found: Option<Count> = tx.one(COUNT, [tx.tenant().into()]).await?;
    Ok(found.map_or(0, |it| usize::try_from(it.number).unwrap_or(usize::MAX)))
}

/// Deletes a domain and its steps.
pub(crate) async fn delete(tx: &Tx, id: DomainId) -> Result<(), Problem> {
    tx.execute(DELETE, [tx.tenant().into(), id.into()]).await?;
    Ok(())
}

/// Begins a check, unless one began after `before`.
pub(crate) async fn begin(tx: &Tx, id: DomainId, before: DateTime<Utc>) -> Result<Option<Begun>, Problem> {
    let values = [tx.tenant().into(), id.into(), tx.now().into(), before.into()];
    let row: Option<BegunRow> = tx.one(BEGIN, values).await?;
    Ok(row.map(Begun::from))
}

/// Begins a check of any tenant's domain if it is still due, unless one began after `before`.
pub(crate) async fn begin_due(
    tx: &Tx,
    tenant: TenantId,
    id: DomainId,
    before: DateTime<Utc>,
) -> Result<Option<Begun>, Problem> {
    let values = [tenant.into(), id.into(), tx.now().into(), before.into()];
    let row: Option<BegunRow> = tx.one(BEGIN_DUE, values).await?;
    Ok(row.map(Begun::from))
}

/// Domains of all tenants whose time has come and whose last check began at `before` or earlier.
pub(crate) async fn due(tx: &Tx, before: DateTime<Utc>, most: usize) -> Result<Vec<(TenantId, DomainId)>, Problem> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let rows: Vec<Due> = tx.all(DUE, [tx.now().into(), before.into(), most.into()]).await?;
    Ok(rows.into_iter().map(|row| (row.tenant_id, row.id)).collect())
}

/// Whether another tenant holds the name; the transaction reaches all of them.
pub(crate) async fn held_elsewhere(tx: &Tx, name: &str) -> Result<bool, Problem> {
    let sql = format!("SELECT tenant_id FROM tenancy_domain WHERE name = $1 AND tenant_id <> $2 AND {HELD}");
    let found: Option<Holder> = tx.one(&sql, [name.into(), tx.tenant().into()]).await?;
    Ok(found.is_some())
}

/// Writes what a check changes, and its new version and time into it.
///
/// # Errors
/// [`Error::DomainHeld`] when another tenant became the holder meanwhile.
pub(crate) async fn update(tx: &Tx, kept: &mut Kept) -> Result<(), Error> {
    let now = tx.now();
    let domain = &mut kept.domain;
    let values = [
        tx.tenant().into(),
        domain.id.into(),
        kept.token.clone().into(),
        domain.status.as_str().into(),
        domain.proof.as_str().into(),
        domain.address.as_str().into(),
        domain.caa.as_str().into(),
        serde_json::to_string(&domain.findings).map_err(Problem::internal)?.into(),
        kept.tries.into(),
        domain.checked_at.into(),
        domain.next_check_at.into(),
        domain.verified_at.into(),
        kept.ready_at.into(),
        domain.proof_missing_since.into(),
        now.into(),
        domain.ready.into(),
    ];
    tx.execute(UPDATE, values).await.map_err(|error| clash(error, || Error::DomainHeld))?;
    domain.updated_at = now;
    domain.version += 1;
    Ok(())
}

/// Lets those of all tenants who wait for a name be checked now.
pub(crate) async fn wake(tx: &Tx, name: &str) -> Result<(), Problem> {
    tx.execute(WAKE, [name.into(), tx.now().into()]).await?;
    Ok(())
}

/// The tenant that holds a host, by its own name or else by the wildcard that covers it; over all tenants.
pub(crate) async fn holder(tx: &Tx, host: &str, wildcard: &str) -> Result<Option<TenantId>, Problem> {
    let sql = format!(
        "SELECT tenant_id FROM tenancy_domain WHERE name IN ($1, $2) AND {HELD} \
         ORDER BY CASE WHEN name = $1 THEN 0 ELSE 1 END LIMIT 1"
    );
    let found: Option<Holder> = tx.one(&sql, [host.into(), wildcard.into()]).await?;
    Ok(found.map(|it| it.tenant_id))
}

/// Held domains of all tenants after this id.
pub(crate) async fn held_after(tx: &Tx, after: Option<DomainId>, limit: u64) -> Result<Vec<HeldDomain>, Problem> {
    let columns = "tenant_id, id, name, ready";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows: Vec<HeldRow> = if let Some(after) = after {
        let sql = format!("SELECT {columns} FROM tenancy_domain WHERE id > $1 AND {HELD} ORDER BY id LIMIT $2");
        tx.all(&sql, [after.into(), limit.into()]).await?
    } else {
        let sql = format!("SELECT {columns} FROM tenancy_domain WHERE {HELD} ORDER BY id LIMIT $1");
        tx.all(&sql, [limit.into()]).await?
    };
    let held = |row: HeldRow| HeldDomain { id: row.id, tenant: row.tenant_id, name: row.name, ready: row.ready };
    Ok(rows.into_iter().map(held).collect())
}

/// All that the tenant holds.
pub(crate) async fn held(tx: &Tx, config: &TenancyConfig) -> Result<Vec<Kept>, Problem> {
    let sql = format!("SELECT {COLUMNS} FROM tenancy_domain WHERE tenant_id = $1 AND {HELD} ORDER BY id");
    let rows: Vec<Row> = tx.all(&sql, [tx.tenant().into()]).await?;
    rows.into_iter().map(|row| row.kept(config)).collect()
}
