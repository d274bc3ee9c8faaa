//! Wrapped keys.

use kernel::{Problem, Tx};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, FromQueryResult};
use uuid::Uuid;

use crate::keys::Wrapped;

const INSERT: &str = "INSERT INTO vault_key (tenant_id, owner_id, version, parent_version, wrapped, created_at) \
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant_id, owner_id, version) DO NOTHING";
const DELETE: &str = "DELETE FROM vault_key WHERE tenant_id = $1 AND owner_id = $2";

#[derive(FromQueryResult)]
struct Row {
    owner_id: Uuid,
    version: i32,
    parent_version: i32,
    wrapped: Vec<u8>,
}

/// The keys of these owners.
pub(crate) async fn find(tx: &Tx, owners: &[Uuid]) -> Result<Vec<Wrapped>, Problem> {
    let mut select = Query::select();
    select
        .expr(Expr::cust("owner_id, version, parent_version, wrapped"))
        .from(Alias::new("vault_key"))
        .and_where(Expr::cust("tenant_id").eq(tx.tenant().uuid()))
        .and_where(Expr::cust("owner_id").is_in(owners.iter().copied()));
    let rows = tx.conn().query_all(&select).await?;
    rows.iter()
        .map(|row| {
            let row = Row::from_query_result(row, "")?;
            let Row { owner_id: owner, version, parent_version, wrapped: bytes } = row;
            Ok(Wrapped { owner, version, parent_version, bytes })
        })
        .collect()
}

/// Adds a key, unless its owner has one of this version; whether it was added.
pub(crate) async fn insert(tx: &Tx, key: &Wrapped) -> Result<bool, Problem> {
    let values = [
        tx.tenant().into(),
        key.owner.into(),
        key.version.into(),
        key.parent_version.into(),
        key.bytes.clone().into(),
        tx.now().into(),
    ];
    Ok(tx.execute(INSERT, values).await? == 1)
}

/// Deletes all keys of an owner, and with them the way to what they sealed.
pub(crate) async fn delete(tx: &Tx, owner: Uuid) -> Result<(), Problem> {
    tx.execute(DELETE, [tx.tenant().into(), owner.into()]).await?;
    Ok(())
}
