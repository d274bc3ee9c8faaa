//! The account at a CA: made once, kept sealed in the store, shared by all replicas.

use std::{path::PathBuf, sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use instant_acme::{Account, AccountCredentials, ExternalAccountKey, HttpClient, NewAccount};
use secrecy::ExposeSecret;
use zeroize::Zeroizing;

use super::{
    heard::{self, Listening},
    refusals::{self, Call},
};
use crate::{
    authority::{Refusal, RefusalKind},
    ports::{Clock, Sealer},
    sealing::account_place,
    settings::IssuerSettings,
    store::{CertificateStore, StoreError},
};

/// How long a replica may take to make the account.
const LEASE: Duration = Duration::from_mins(1);

/// An issuer can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum AcmeError {
    #[error("The root {} of an issuer can't be used: {cause}. Give a PEM file.", .path.display())]
    Root { path: PathBuf, cause: String },
    #[error("There is no HTTP client: {0}")]
    Client(String),
    #[error("The issuer {0} needs eab_key_id and eab_key together, the key in base64url.")]
    Binding(String),
}

/// The id and the key of an external account.
pub(crate) type Binding = (String, Zeroizing<Vec<u8>>);

/// What opens an account.
pub(crate) struct Opener {
    pub(crate) issuer: IssuerSettings,
    pub(crate) binding: Option<Binding>,
    pub(crate) transport: Arc<dyn HttpClient>,
    pub(crate) whole: Duration,
    pub(crate) store: Arc<dyn CertificateStore>,
    pub(crate) sealer: Arc<dyn Sealer>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) holder: String,
}

/// The external account binding of the settings.
pub(crate) fn binding(issuer: &IssuerSettings) -> Result<Option<Binding>, AcmeError> {
    let wrong = || AcmeError::Binding(issuer.id.clone());
    match (&issuer.eab_key_id, &issuer.eab_key) {
        (None, None) => Ok(None),
        (Some(id), Some(key)) => {
            let text = key.expose_secret().trim_end_matches('=');
            let key = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong())?;
            Ok(Some((id.clone(), Zeroizing::new(key))))
        }
        _ => Err(wrong()),
    }
}

impl Opener {
    fn http(&self) -> Box<dyn HttpClient> {
        Box::new(Listening { transport: Arc::clone(&self.transport), whole: self.whole })
    }

    /// The account from the store, or a new one, made by one replica only.
    pub(crate) async fn open(&self) -> Result<Account, Refusal> {
        if let Some(account) = self.stored().await? {
            return Ok(account);
        }
        let key = format!("account:{}", self.issuer.id);
        let lease = self.store.lease(&key, &self.holder, self.clock.now(), LEASE).await.map_err(store_down)?;
        let Some(lease) = lease else {
            return Err(Refusal::new(RefusalKind::Unavailable, "another replica is making the ACME account"));
        };
        let made = self.make().await;
        self.store.release(&lease).await.map_err(store_down)?;
        made
    }

    async fn stored(&self) -> Result<Option<Account>, Refusal> {
        let Some(sealed) = self.store.account(&self.issuer.id).await.map_err(store_down)? else { return Ok(None) };
        let place = account_place(&self.issuer.id);
        let unusable = |_| Refusal::new(RefusalKind::Account, "the ACME account was sealed with another root key");
        let plain = Zeroizing::new(self.sealer.open(place.as_bytes(), &sealed).map_err(unusable)?);
        let credentials: AccountCredentials = serde_json::from_slice(&plain)
            .map_err(|error| Refusal::new(RefusalKind::Account, format!("the ACME account is unreadable: {error}")))?;
        let call = Account::builder_with_http(self.http()).from_credentials(credentials);
        let (account, heard) = heard::listen(call).await;
        account.map(Some).map_err(|error| refusals::refusal(&error, heard, Call::Account))
    }

    async fn make(&self) -> Result<Account, Refusal> {
        // Another replica may have made it between the first look and the lease.
        if let Some(account) = self.stored().await? {
            return Ok(account);
        }
        let contact: Vec<&str> = self.issuer.contact.iter().map(String::as_str).collect();
        let new = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
        let binding = self.binding.as_ref().map(|(id, key)| ExternalAccountKey::new(id.clone(), key));
        let builder = Account::builder_with_http(self.http());
        let call = builder.create(&new, self.issuer.directory.clone(), binding.as_ref());
        let (made, heard) = heard::listen(call).await;
        let (account, credentials) = made.map_err(|error| refusals::refusal(&error, heard, Call::Account))?;
        let plain = Zeroizing::new(serde_json::to_vec(&credentials).unwrap_or_default());
        let sealed = self.sealer.seal(account_place(&self.issuer.id).as_bytes(), &plain);
        let kept = self.store.put_account(&self.issuer.id, None, &sealed).await.map_err(store_down)?;
        if kept {
            return Ok(account);
        }
        let lost = || Refusal::new(RefusalKind::Unavailable, "another replica made the ACME account");
        self.stored().await?.ok_or_else(lost)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the form that map_err takes")]
fn store_down(error: StoreError) -> Refusal {
    Refusal::new(RefusalKind::Unavailable, error.to_string())
}
