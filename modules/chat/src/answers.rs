//! Looking at an answer, and stopping it.

use kernel::{Caller, Problem, Tx};

use crate::Chat;
use crate::error::Error;
use crate::model::{Answer, AnswerId, AnswerState};
use crate::permissions::{READ, WRITE};
use crate::store;

impl Chat {
    /// An answer of the caller's.
    ///
    /// # Errors
    /// The 404, or the caller lacks [`READ`].
    pub async fn get_answer(&self, caller: &Caller, id: AnswerId) -> Result<Answer, Error> {
        let account = self.account(caller, READ)?;
        let seal = self.seal(caller.tenant);
        let find = async |tx: &Tx| store::answers::find(tx, &seal, account, id).await;
        let kept: Option<store::answers::Kept> = self.db().read(caller, find).await?;
        Ok(kept.ok_or_else(Problem::not_found)?.answer)
    }

    /// Stops an answer of the caller's: the provider's call ends now when this process makes it, within about a second
    /// when another one does. What came until then is kept. To stop what has ended changes nothing.
    ///
    /// # Errors
    /// The 404, or the caller lacks [`WRITE`].
    pub async fn stop_answer(&self, caller: &Caller, id: AnswerId) -> Result<Answer, Error> {
        let account = self.account(caller, WRITE)?;
        let live = self.registry().get(id).filter(|live| live.account == account && live.tenant == caller.tenant);
        if let Some(live) = live {
            live.stop.cancel();
        }
        let seal = self.seal(caller.tenant);
        self.db()
            .write(caller, async |tx| {
                let kept = store::answers::find(tx, &seal, account, id).await?.ok_or_else(Problem::not_found)?;
                if kept.answer.state == AnswerState::Running {
                    store::answers::ask_to_stop(tx, id).await?;
                }
                Ok(kept.answer)
            })
            .await
    }
}
