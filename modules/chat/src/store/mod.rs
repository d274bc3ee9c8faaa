//! All SQL of this module. Rows are private to its files; what leaves them are the words of the model.

pub(crate) mod answers;
pub(crate) mod conversations;
pub(crate) mod events;
pub(crate) mod messages;
pub(crate) mod providers;

use kernel::{AccountId, Problem, Tx};

const PURGE: [&str; 2] =
    ["DELETE FROM chat_conversation WHERE tenant_id = $1", "DELETE FROM chat_provider WHERE tenant_id = $1"];
const FORGET: &str = "DELETE FROM chat_conversation WHERE tenant_id = $1 AND account_id = $2";

/// Deletes every row of this module that belongs to the transaction's tenant; what hangs on a conversation goes with it.
pub(crate) async fn purge(tx: &Tx) -> Result<(), Problem> {
    for sql in PURGE {
        tx.execute(sql, [tx.tenant().into()]).await?;
    }
    Ok(())
}

/// Deletes the conversations of one account.
pub(crate) async fn forget(tx: &Tx, account: AccountId) -> Result<(), Problem> {
    tx.execute(FORGET, [tx.tenant().into(), account.into()]).await?;
    Ok(())
}
