//! All SQL of this module.

pub(crate) mod changes;
pub(crate) mod documents;
pub(crate) mod embeddings;
pub(crate) mod passages;
pub(crate) mod terms;

use std::fmt::Write;

use kernel::{Problem, TenantId, Tx};
use sea_orm::{FromQueryResult, Value};

/// Rows of one statement. To bind parameters costs SQLite the square of their number, and a statement two context
/// switches: this is between.
const ROWS_AT_ONCE: usize = 32;

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

/// `($1, $2, $3), ($1, $4, $5)`: placeholders for so many rows, which share the first few columns.
fn rows(count: usize, shared: usize, own: usize) -> String {
    let mut text = String::with_capacity(count * (shared + own) * 6);
    for row in 0..count {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..shared + own {
            let comma = if column == 0 { "" } else { ", " };
            let number = if column < shared { column + 1 } else { row * own + column + 1 };
            // Writing to a text can't fail.
            write!(text, "{comma}${number}").ok();
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

#[cfg(test)]
mod tests {
    #[test]
    fn rows_share_the_first_columns_and_count_on_from_there() {
        assert_eq!(super::rows(2, 1, 2), "($1, $2, $3), ($1, $4, $5)");
        assert_eq!(super::rows(3, 2, 1), "($1, $2, $3), ($1, $2, $4), ($1, $2, $5)");
    }
}
