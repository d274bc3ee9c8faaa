//! The first operator, made by whoever can read the server's output.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use kernel::{Caller, Problem, Random, SYSTEM_TENANT, Secret, Tx};
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use crate::Identity;
use crate::accounts::display_name;
use crate::announce::{self, News};
use crate::email::Email;
use crate::error::Error;
use crate::input::CompleteSetup;
use crate::model::{Account, Setup};
use crate::secrets;
use crate::store;

/// The number under which processes that make the first operator take turns.
const TURN: i64 = i64::from_be_bytes(*b"hf setup");

/// What this process knows about the setup.
pub(crate) struct SetupState {
    token: Zeroizing<String>,
    done: AtomicBool,
    /// One at a time: the others need not hash a password in vain.
    turn: Mutex<()>,
}

impl SetupState {
    pub(crate) fn new(random: &Random) -> Self {
        Self { token: secrets::opaque(random), done: AtomicBool::new(false), turn: Mutex::default() }
    }
}

/// Who becomes the first operator.
struct Operator<'a> {
    email: Email,
    display_name: String,
    password: &'a Secret,
}

impl Identity {
    /// Whether the first operator is still to be made. It is asked of the system tenant; elsewhere nothing is needed.
    ///
    /// # Errors
    /// What the database says.
    pub async fn get_setup(&self, caller: &Caller) -> Result<Setup, Error> {
        Ok(Setup { needed: caller.tenant == SYSTEM_TENANT && self.setup_needed().await? })
    }

    /// What makes the first operator, the same for as long as this process runs; `None` once there is one.
    ///
    /// # Errors
    /// What the database says.
    pub async fn setup_token(&self) -> Result<Option<String>, Problem> {
        Ok(self.setup_needed().await?.then(|| self.0.setup.token.to_string()))
    }

    /// Makes the first operator: an account that owns the system tenant.
    ///
    /// # Errors
    /// [`Error::SetupDone`], [`Error::SetupTokenWrong`], or an address, name or password that is not taken.
    pub async fn complete_setup(&self, caller: &Caller, new: CompleteSetup) -> Result<Account, Error> {
        if caller.tenant != SYSTEM_TENANT {
            return Err(Problem::not_found().into());
        }
        if verify_slices_are_equal(new.token.expose().as_bytes(), self.0.setup.token.as_bytes()).is_err() {
            let needed = self.setup_needed().await?;
            return Err(if needed { Error::SetupTokenWrong } else { Error::SetupDone });
        }
        let email = Email::parse(&new.email)?;
        let display_name = display_name(new.display_name.as_deref(), &email)?;
        let operator = Operator { email, display_name, password: &new.password };
        self.make_operator(caller, "identity.complete_setup", &new, operator).await
    }

    /// Makes the first operator without anybody there; does nothing once there is one.
    ///
    /// # Errors
    /// An address or password that is not taken, or what the database says.
    pub async fn setup_unattended(&self, email: &str, password: &Secret) -> Result<(), Error> {
        if !self.setup_needed().await? {
            return Ok(());
        }
        let email = Email::parse(email)?;
        let display_name = display_name(None, &email)?;
        let operator = Operator { email, display_name, password };
        let caller = Caller::system("setup", SYSTEM_TENANT);
        match self.make_operator(&caller, "identity.setup_unattended", &(), operator).await {
            Ok(_) | Err(Error::SetupDone) => Ok(()),
            Err(other) => Err(other),
        }
    }

    async fn make_operator<I: serde::Serialize>(
        &self,
        caller: &Caller,
        operation: &'static str,
        input: &I,
        operator: Operator<'_>,
    ) -> Result<Account, Error> {
        let password = self.new_password(caller, "password", operator.password, &operator.email).await?;
        let _turn = self.0.setup.turn.lock().await;
        // A repeated request may still get its stored answer, below.
        if caller.request.idempotency_key.is_none() && !self.setup_needed().await? {
            return Err(Error::SetupDone);
        }
        let hash = self.0.pool.hash(caller, &password).await?;
        let make = async |tx: &Tx| self.insert_operator(tx, caller, &operator, &hash).await;
        let account = self.0.db.write_once(caller, operation, input, make).await?;
        self.0.setup.done.store(true, Ordering::Release);
        Ok(account)
    }

    async fn insert_operator(
        &self,
        tx: &Tx,
        caller: &Caller,
        operator: &Operator<'_>,
        hash: &str,
    ) -> Result<Account, Error> {
        tx.lock(TURN).await.map_err(Problem::from)?;
        if store::accounts::any(tx, SYSTEM_TENANT).await? {
            return Err(Error::SetupDone);
        }
        let account = store::accounts::insert(tx, &operator.email, operator.display_name.clone(), hash).await?;
        let owner = self.0.tenancy.owner_role(tx).await?;
        self.0.tenancy.add_member(tx, caller, account.id, &account.email, &account.display_name, owner).await?;
        let news = News {
            action: "identity.setup_completed",
            account: Some(account.id),
            target: ("account", account.id.to_string()),
            details: json!({ "email": account.email }),
        };
        announce::done(tx, caller, news).await?;
        Ok(account)
    }

    async fn setup_needed(&self) -> Result<bool, Problem> {
        if self.0.setup.done.load(Ordering::Acquire) {
            return Ok(false);
        }
        let caller = Caller::system("setup", SYSTEM_TENANT);
        let done = self.0.db.read(&caller, async |tx| store::accounts::any(tx, SYSTEM_TENANT).await).await?;
        self.0.setup.done.fetch_or(done, Ordering::AcqRel);
        Ok(!done)
    }
}
