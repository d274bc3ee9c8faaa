//! All SQL of this module.

pub(crate) mod changes;
pub(crate) mod documents;
pub(crate) mod embeddings;
pub(crate) mod passages;
pub(crate) mod terms;

use std::fmt::Write;

use kernel::{Problem, TenantId, Tx};
use sea_orm::{FromQueryResult, Value};

/// Rows of one statement: what both engines' bounds on parameters allow with room to spare.
const ROWS_AT_ONCE: usize = 100;

const FORGET: [&str; 5] = [
    "DELETE FROM knowledge_embedding WHERE tenant_id = $1",
    "DELETE FROM knowledge_term WHERE tenant_id = $1",
    "DELETE FROM knowledge_passage WHERE tenant_id = $1",
    "DELETE FROM knowledge_head WHERE tenant_id = $1",
    "DELETE FROM knowledge_document WHERE tenant_id = $1",
];

/// Removes all that the transaction's tenant has here.
pub(crate) async fn forget(tx: &Tx) -> Result<(), Problem> {
    for sql in FORGET {
        tx.execute(sql, [tx.tenant().into()]).await?;
    }
    Ok(())
}

/// `($1, $2), ($3, $4)`: placeholders for so many rows of so many columns.
fn rows(count: usize, columns: usize) -> String {
    let mut text = String::with_capacity(count * columns * 6);
    for row in 0..count {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..columns {
            let comma = if column == 0 { "" } else { ", " };
            // Writing to a text can't fail.
            write!(text, "{comma}${}", row * columns + column + 1).ok();
        }
        text.push(')');
    }
    text
}

/// `$2, $3, $4`: placeholders for a list that comes after `before` other parameters.
fn list(before: usize, count: usize) -> String {
    let names: Vec<String> = (1..=count).map(|number| format!("${}", before + number)).collect();
    names.join(", ")
}

/// A count.
#[derive(FromQueryResult)]
struct Count {
    count: i64,
}

/// The tenant first, then the rest.
fn scoped(tenant: TenantId, rest: impl IntoIterator<Item = Value>) -> Vec<Value> {
    std::iter::once(Value::from(tenant)).chain(rest).collect()
}
