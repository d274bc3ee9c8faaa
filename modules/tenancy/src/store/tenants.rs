//! Tenants.

use chrono::{DateTime, Utc};
use jobs::JobId;
use kernel::{ListRequest, Problem, SYSTEM_TENANT, TenantId, Tx};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::config::TenancyConfig;
use crate::error::Error;
use crate::model::{Tenant, TenantState};
use crate::store::clash;
use crate::words::Slug;

const COLUMNS: &str = "tenant_id, slug, name, state, suspended_reason, suspended_at, purge_at, purge_job, \
     created_at, updated_at, version";
const INSERT: &str = "INSERT INTO tenancy_tenant (tenant_id, slug, name, state, created_at, updated_at, version) \
     VALUES ($1, $2, $3, 'active', $4, $4, 1)";
const INSERT_SYSTEM: &str = "INSERT INTO tenancy_tenant \
     (tenant_id, slug, name, state, created_at, updated_at, version) \
     VALUES ($1, $2, $3, 'active', $4, $4, 1) ON CONFLICT DO NOTHING";
const UPDATE: &str = "UPDATE tenancy_tenant SET name = $2, state = $3, suspended_reason = $4, suspended_at = $5, \
     purge_at = $6, purge_job = $7, updated_at = $8, version = version + 1 WHERE tenant_id = $1";
const LOCK: &str = "SELECT tenant_id FROM tenancy_tenant WHERE tenant_id = $1";
const PURGE: &[&str] = &[
    "DELETE FROM tenancy_domain WHERE tenant_id = $1",
    "DELETE FROM tenancy_invitation WHERE tenant_id = $1",
    "DELETE FROM tenancy_member WHERE tenant_id = $1",
    "DELETE FROM tenancy_role WHERE tenant_id = $1",
    "DELETE FROM tenancy_tenant WHERE tenant_id = $1",
];

#[derive(FromQueryResult)]
struct Row {
    tenant_id: TenantId,
    slug: String,
    name: String,
    state: String,
    suspended_reason: Option<String>,
    suspended_at: Option<DateTime<Utc>>,
    purge_at: Option<DateTime<Utc>>,
    purge_job: Option<JobId>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i64,
}

#[derive(FromQueryResult)]
struct Locked {
    #[expect(dead_code, reason = "the row is locked, not read")]
    tenant_id: TenantId,
}

/// A tenant with what only this module knows of it.
pub(crate) struct Kept {
    pub(crate) tenant: Tenant,
    pub(crate) suspended_at: Option<DateTime<Utc>>,
    pub(crate) purge_job: Option<JobId>,
}

impl Row {
    fn kept(self, config: &TenancyConfig) -> Result<Kept, Problem> {
        let state = TenantState::named(&self.state).ok_or_else(|| Problem::internal(&self.state))?;
        let origin = config.origin(&self.slug);
        let tenant = Tenant {
            id: self.tenant_id,
            slug: self.slug,
            name: self.name,
            state,
            suspended_reason: self.suspended_reason,
            purge_at: self.purge_at,
            url: origin.clone(),
            issuer: origin,
            created_at: self.created_at,
            updated_at: self.updated_at,
            version: self.version,
        };
        Ok(Kept { tenant, suspended_at: self.suspended_at, purge_job: self.purge_job })
    }
}

/// Adds a tenant. The caller's reach is the platform: its row is not the caller's own.
pub(crate) async fn insert(
    tx: &Tx,
    config: &TenancyConfig,
    id: TenantId,
    slug: &Slug,
    name: String,
) -> Result<Tenant, Error> {
    let now = tx.now();
    let values = [id.into(), slug.as_str().into(), name.clone().into(), now.into()];
    let inserted = tx.execute(INSERT, values).await;
    inserted.map_err(|error| clash(error, || Error::SlugTaken(slug.to_string())))?;
    let origin = config.origin(slug.as_str());
    Ok(Tenant {
        id,
        slug: slug.to_string(),
        name,
        state: TenantState::Active,
        suspended_reason: None,
        purge_at: None,
        url: origin.clone(),
        issuer: origin,
        created_at: now,
        updated_at: now,
        version: 1,
    })
}

/// Adds the operators' tenant unless it is there; whether it was added.
pub(crate) async fn insert_system(tx: &Tx, slug: &str, name: &str) -> Result<bool, Problem> {
    let values = [SYSTEM_TENANT.into(), slug.into(), name.into(), tx.now().into()];
    Ok(tx.execute(INSERT_SYSTEM, values).await? == 1)
}

/// One tenant.
pub(crate) async fn find(tx: &Tx, config: &TenancyConfig, id: TenantId) -> Result<Option<Tenant>, Problem> {
    let row: Option<Row> =
        tx.one(&format!("SELECT {COLUMNS} FROM tenancy_tenant WHERE tenant_id = $1"), [id.into()]).await?;
    Ok(row.map(|row| row.kept(config)).transpose()?.map(|kept| kept.tenant))
}

/// One tenant, which nobody else changes until the commit.
pub(crate) async fn find_for_update(tx: &Tx, config: &TenancyConfig, id: TenantId) -> Result<Option<Kept>, Problem> {
    let lock = tx.engine().for_update();
    let sql = format!("SELECT {COLUMNS} FROM tenancy_tenant WHERE tenant_id = $1{lock}");
    let row: Option<Row> = tx.one(&sql, [id.into()]).await?;
    row.map(|row| row.kept(config)).transpose()
}

/// One tenant by its slug, in whatever scope the transaction has.
pub(crate) async fn find_by_slug(tx: &Tx, config: &TenancyConfig, slug: &Slug) -> Result<Option<Tenant>, Problem> {
    let row: Option<Row> =
        tx.one(&format!("SELECT {COLUMNS} FROM tenancy_tenant WHERE slug = $1"), [slug.as_str().into()]).await?;
    Ok(row.map(|row| row.kept(config)).transpose()?.map(|kept| kept.tenant))
}

/// A page of tenants: one only, or all that the transaction reaches.
pub(crate) async fn list(
    tx: &Tx,
    config: &TenancyConfig,
    only: Option<TenantId>,
    request: &ListRequest,
) -> Result<Vec<Tenant>, Problem> {
    let mut select = Query::select();
    select.expr(Expr::cust(COLUMNS)).from(Alias::new("tenancy_tenant"));
    if let Some(id) = only {
        select.and_where(Expr::cust("tenant_id").eq(id.uuid()));
    }
    request.apply(&mut select)?;
    let rows = tx.conn().query_all(&select).await?;
    let tenants = rows.iter().map(|row| Row::from_query_result(row, "")?.kept(config).map(|kept| kept.tenant));
    tenants.collect()
}

/// Writes what can change of a tenant, and its new version and time into it.
pub(crate) async fn update(tx: &Tx, kept: &mut Kept) -> Result<(), Problem> {
    let now = tx.now();
    let tenant = &mut kept.tenant;
    let values = [
        tenant.id.into(),
        tenant.name.clone().into(),
        tenant.state.as_str().into(),
        tenant.suspended_reason.clone().into(),
        kept.suspended_at.into(),
        tenant.purge_at.into(),
        kept.purge_job.map(JobId::uuid).into(),
        now.into(),
    ];
    tx.execute(UPDATE, values).await?;
    tenant.updated_at = now;
    tenant.version += 1;
    Ok(())
}

/// Makes all who change members and roles of the transaction's tenant take turns until they commit.
pub(crate) async fn lock(tx: &Tx) -> Result<(), Problem> {
    let sql = format!("{LOCK}{}", tx.engine().for_update());
    let _locked: Option<Locked> = tx.one(&sql, [tx.tenant().into()]).await?;
    Ok(())
}

/// Deletes every row of this module that belongs to the transaction's tenant, and the tenant.
pub(crate) async fn purge(tx: &Tx) -> Result<(), Problem> {
    for sql in PURGE {
        tx.execute(sql, [tx.tenant().into()]).await?;
    }
    Ok(())
}
