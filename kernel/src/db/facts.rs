//! Facts about the installation. One of them: under which root key it was made.

use sea_orm::FromQueryResult;

use crate::caller::Caller;
use crate::db::Db;
use crate::problem::{Kind, Problem};

const INSERT: &str = "INSERT INTO kernel_fact (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
const FIND: &str = "SELECT value FROM kernel_fact WHERE name = $1";
const ROOT_KEY_CHECK: &str = "root_key_check";

#[derive(FromQueryResult)]
struct Fact {
    value: Vec<u8>,
}

impl Db {
    /// Notes the root key's check value at the first run, and compares it ever after: with another key, nothing that
    /// is sealed would open, and every signature would fail one by one instead of here.
    ///
    /// # Errors
    /// The database was made under another root key, or does not answer.
    pub async fn verify_root_key(&self) -> Result<(), Problem> {
        let check = self.keys().mac("root key check").tag(&[]).to_vec();
        let caller = Caller::platform("start");
        let found: Option<Fact> =
            self.read(&caller, async |tx| Ok::<_, Problem>(tx.one(FIND, [ROOT_KEY_CHECK.into()]).await?)).await?;
        match found {
            Some(fact) if fact.value == check => Ok(()),
            Some(_) => Err(Problem::new(
                Kind::Conflict,
                "kernel.root_key_differs",
                "This database was made under another root key; give the right one by HOLDFAST_ROOT_KEY or root.key in the data folder.",
            )),
            None => {
                self.write(&caller, async |tx| {
                    tx.execute(INSERT, [ROOT_KEY_CHECK.into(), check.clone().into()]).await?;
                    Ok(())
                })
                .await
            }
        }
    }
}
