//! The catalogue as rows, so that its list has the filters, orders and cursors of every other list.

use kernel::{ListRequest, Problem, Tx};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query, SelectStatement, UnionType};
use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::model::PermissionEntry;

#[derive(FromQueryResult)]
struct Row {
    name: String,
}

/// The names of those permissions that belong on the page, in its order. No table is read.
pub(crate) async fn list(tx: &Tx, entries: &[PermissionEntry], request: &ListRequest) -> Result<Vec<String>, Problem> {
    let row = |entry: &PermissionEntry| -> SelectStatement {
        let column = |value: &str| Expr::val(value).cast_as("TEXT");
        let mut select = Query::select();
        select.expr_as(column(&entry.name), Alias::new("name")).expr_as(column(&entry.module), Alias::new("module"));
        select
    };
    let mut rows = entries.iter().map(row);
    let Some(mut all) = rows.next() else { return Ok(Vec::new()) };
    all.unions(rows.map(|row| (UnionType::All, row)));
    let mut select = Query::select();
    select.expr(Expr::cust("name")).from_subquery(all, Alias::new("permission"));
    request.apply(&mut select)?;
    let rows = tx.conn().query_all(&select).await?;
    let names = rows.iter().map(|row| Ok(Row::from_query_result(row, "")?.name));
    names.collect()
}
