//! Roles. Reading one and making one are hot: one prepared statement each.

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{Level, ListRequest, PermissionSet, Problem, TenantId, Tx};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::catalogue::{BUILT_IN, Catalogue};
use crate::error::Error;
use crate::model::{Role, RoleId, RoleRef, level_name, level_named};
use crate::store::{clash, dangling};

const COLUMNS: &str = "id, name, description, level, permissions, created_at, updated_at, version";
const FIND: &str = "SELECT id, name, description, level, permissions, created_at, updated_at, version \
     FROM tenancy_role WHERE tenant_id = $1 AND id = $2";
const FIND_LEVEL: &str = "SELECT id, name, description, level, permissions, created_at, updated_at, version \
     FROM tenancy_role WHERE tenant_id = $1 AND level = $2";
const INSERT: &str = "INSERT INTO tenancy_role \
     (tenant_id, id, name, name_key, description, level, permissions, created_at, updated_at, version) \
     VALUES ($1, $2, $3, $4, $5, NULL, $6, $7, $7, 1)";
const INSERT_BUILT_IN: &str = "INSERT INTO tenancy_role \
     (tenant_id, id, name, name_key, description, level, permissions, created_at, updated_at, version) \
     VALUES ($1, $2, $3, $3, $4, $3, '[]', $5, $5, 1)";
const UPDATE: &str = "UPDATE tenancy_role SET name = $3, name_key = $4, description = $5, permissions = $6, \
     updated_at = $7, version = version + 1 WHERE tenant_id = $1 AND id = $2";
const DELETE: &str = "DELETE FROM tenancy_role WHERE tenant_id = $1 AND id = $2";
const USE: &str = "SELECT \
     (SELECT COUNT(*) FROM tenancy_member WHERE tenant_id = $1 AND role_id = $2) AS members, \
     (SELECT COUNT(*) FROM tenancy_invitation \
      WHERE tenant_id = $1 AND role_id = $2 AND state = 'pending' AND expires_at > $3) AS invitations";
const OF_ACCOUNT: &str = "SELECT r.id, r.name, r.description, r.level, r.permissions, r.created_at, r.updated_at, \
     r.version FROM tenancy_member m JOIN tenancy_role r ON r.tenant_id = m.tenant_id AND r.id = m.role_id \
     WHERE m.tenant_id = $1 AND m.account_id = $2";

#[derive(FromQueryResult)]
struct Row {
    id: RoleId,
    name: String,
    description: String,
    level: Option<String>,
    permissions: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i64,
}

#[derive(FromQueryResult)]
struct Use {
    members: i64,
    invitations: i64,
}

/// A role with its level, if it is built in.
pub(crate) struct Kept {
    pub(crate) role: Role,
    pub(crate) level: Option<Level>,
}

impl Kept {
    /// What somebody who has it holds.
    pub(crate) fn held(&self) -> PermissionSet {
        PermissionSet::of(&self.role.permissions)
    }

    pub(crate) fn to_ref(&self) -> RoleRef {
        RoleRef { id: self.role.id, name: self.role.name.clone() }
    }
}

impl Row {
    fn kept(self, catalogue: &Catalogue, tenant: TenantId) -> Result<Kept, Problem> {
        let level = self.level.as_deref().map(|name| level_named(name).ok_or_else(|| Problem::internal(name)));
        let level = level.transpose()?;
        let permissions = if let Some(level) = level {
            catalogue.built_in(tenant, level).names().map(str::to_owned).collect()
        } else {
            // A permission whose module is gone grants nothing and is not shown.
            let mut names: Vec<String> = serde_json::from_str(&self.permissions).map_err(Problem::internal)?;
            names.retain(|name| catalogue.grantable(tenant, name));
            names
        };
        let role = Role {
            id: self.id,
            name: self.name,
            description: self.description,
            built_in: level.is_some(),
            permissions,
            created_at: self.created_at,
            updated_at: self.updated_at,
            version: self.version,
        };
        Ok(Kept { role, level })
    }
}

/// One role.
pub(crate) async fn find(tx: &Tx, catalogue: &Catalogue, id: RoleId) -> Result<Option<Kept>, Problem> {
    let row: Option<Row> = tx.one(FIND, [tx.tenant().into(), id.into()]).await?;
    row.map(|row| row.kept(catalogue, tx.tenant())).transpose()
}

/// The built-in role of this level.
pub(crate) async fn find_level(tx: &Tx, catalogue: &Catalogue, level: Level) -> Result<Option<Kept>, Problem> {
    let row: Option<Row> = tx.one(FIND_LEVEL, [tx.tenant().into(), level_name(level).into()]).await?;
    row.map(|row| row.kept(catalogue, tx.tenant())).transpose()
}

/// The role that this account holds as a member.
pub(crate) async fn of_account(
    tx: &Tx,
    catalogue: &Catalogue,
    account: kernel::AccountId,
) -> Result<Option<Kept>, Problem> {
    let row: Option<Row> = tx.one(OF_ACCOUNT, [tx.tenant().into(), account.into()]).await?;
    row.map(|row| row.kept(catalogue, tx.tenant())).transpose()
}

/// These roles, by id.
pub(crate) async fn by_ids(tx: &Tx, catalogue: &Catalogue, ids: &[RoleId]) -> Result<Vec<Role>, Problem> {
    let mut select = Query::select();
    select
        .expr(Expr::cust(COLUMNS))
        .from(Alias::new("tenancy_role"))
        .and_where(Expr::cust("tenant_id").eq(tx.tenant().uuid()))
        .and_where(Expr::cust("id").is_in(ids.iter().map(|id| id.uuid())));
    let rows = tx.conn().query_all(&select).await?;
    let roles = rows.iter().map(|row| Row::from_query_result(row, "")?.kept(catalogue, tx.tenant()).map(|it| it.role));
    roles.collect()
}

/// A page of roles.
pub(crate) async fn list(tx: &Tx, catalogue: &Catalogue, request: &ListRequest) -> Result<Vec<Role>, Problem> {
    let mut select = Query::select();
    select
        .expr(Expr::cust(COLUMNS))
        .from(Alias::new("tenancy_role"))
        .and_where(Expr::cust("tenant_id").eq(tx.tenant().uuid()));
    request.apply(&mut select)?;
    let rows = tx.conn().query_all(&select).await?;
    let roles = rows.iter().map(|row| Row::from_query_result(row, "")?.kept(catalogue, tx.tenant()).map(|it| it.role));
    roles.collect()
}

/// Adds a custom role.
pub(crate) async fn insert(tx: &Tx, role: &Role) -> Result<(), Error> {
    let values = [
        tx.tenant().into(),
        role.id.into(),
        role.name.clone().into(),
        role.name.to_lowercase().into(),
        role.description.clone().into(),
        stored(&role.permissions)?.into(),
        role.created_at.into(),
    ];
    let inserted = tx.execute(INSERT, values).await;
    inserted.map(|_| ()).map_err(|error| clash(error, || Error::RoleNameTaken(role.name.clone())))
}

/// Adds the built-in roles of a new tenant; the owner's.
pub(crate) async fn insert_built_in(tx: &Tx, tenant: TenantId) -> Result<RoleRef, Problem> {
    let mut owner = None;
    for (place, (level, description)) in (0..).zip(BUILT_IN) {
        let id: RoleId = tx.new_id();
        // A microsecond apart, so that lists show them in their order.
        let created_at = tx.now() + TimeDelta::microseconds(place);
        let name = level_name(level);
        tx.execute(INSERT_BUILT_IN, [tenant.into(), id.into(), name.into(), description.into(), created_at.into()])
            .await?;
        if level == Level::Owner {
            owner = Some(RoleRef { id, name: name.to_owned() });
        }
    }
    owner.ok_or_else(|| Problem::internal("no owner among the built-in roles"))
}

/// Writes what can change of a role.
pub(crate) async fn update(tx: &Tx, role: &Role) -> Result<(), Error> {
    let values = [
        tx.tenant().into(),
        role.id.into(),
        role.name.clone().into(),
        role.name.to_lowercase().into(),
        role.description.clone().into(),
        stored(&role.permissions)?.into(),
        role.updated_at.into(),
    ];
    let updated = tx.execute(UPDATE, values).await;
    updated.map(|_| ()).map_err(|error| clash(error, || Error::RoleNameTaken(role.name.clone())))
}

/// How many members hold a role, and how many pending invitations name it.
pub(crate) async fn uses(tx: &Tx, id: RoleId) -> Result<(u64, u64), Problem> {
    let found: Option<Use> = tx.one(USE, [tx.tenant().into(), id.into(), tx.now().into()]).await?;
    let count = |number: i64| u64::try_from(number).unwrap_or(0);
    Ok(found.map_or((0, 0), |it| (count(it.members), count(it.invitations))))
}

/// Deletes a role.
pub(crate) async fn delete(tx: &Tx, id: RoleId) -> Result<(), Error> {
    let deleted = tx.execute(DELETE, [tx.tenant().into(), id.into()]).await;
    // Somebody was given the role after its uses were counted.
    deleted.map(|_| ()).map_err(|error| dangling(error, || Error::RoleInUse { members: 1, invitations: 0 }))
}

fn stored(permissions: &[String]) -> Result<String, Problem> {
    serde_json::to_string(permissions).map_err(Problem::internal)
}
