//! [`Authority`] on the wire: each call begins with the order's address and asks the CA for what it needs.

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::DateTime;
use futures_util::{FutureExt, future::BoxFuture};
use instant_acme::{
    Account, AuthorizationStatus, CertificateIdentifier, ChallengeStatus, ChallengeType, Error, HttpClient, Identifier,
    NewOrder, Order,
};
use rustls_pki_types::Der;
use tokio::sync::Mutex;

use super::{
    account::{self, AcmeError, Opener},
    heard::{self, Heard},
    refusals::{self, Call},
};
use crate::{
    authority::{
        AskFor, Authority, Authorization, Challenge, OrderStatus, OrderView, Refusal, RefusalKind, RenewalAdvice,
    },
    bundle::Facts,
    ports::{Clock, Sealer},
    settings::{ChallengeKind, IssuerSettings},
    store::CertificateStore,
};

/// Requests for one call whose nonces are refused; instant-acme itself makes three of each.
const NONCES: usize = 4;
/// Orders kept between calls, to spare a request each.
const KEPT: usize = 256;

/// One issuer over ACME.
pub struct AcmeAuthority {
    opener: Opener,
    account: Mutex<Option<Account>>,
    orders: std::sync::Mutex<HashMap<String, Order>>,
}

impl AcmeAuthority {
    /// An issuer whose account rests in `store`, asked over `transport`; nothing is asked yet. A request is given up
    /// after `whole`. `holder` is this replica, as in [`crate::ManagerParts`].
    ///
    /// # Errors
    /// [`AcmeError::Binding`] if the external account binding is half given or not base64url.
    pub fn new(
        issuer: IssuerSettings,
        transport: Arc<dyn HttpClient>,
        whole: Duration,
        (store, sealer, clock): (Arc<dyn CertificateStore>, Arc<dyn Sealer>, Arc<dyn Clock>),
        holder: String,
    ) -> Result<Self, AcmeError> {
        let binding = account::binding(&issuer)?;
        let opener = Opener { issuer, binding, transport, whole, store, sealer, clock, holder };
        Ok(Self { opener, account: Mutex::new(None), orders: std::sync::Mutex::default() })
    }

    async fn account(&self) -> Result<Account, Refusal> {
        let mut held = self.account.lock().await;
        if let Some(account) = held.as_ref() {
            return Ok(account.clone());
        }
        let account = self.opener.open().await?;
        *held = Some(account.clone());
        Ok(account)
    }

    /// Makes a call, again if its nonces are refused.
    async fn call<'x, T>(
        &self,
        kind: Call,
        call: impl Fn(Account) -> BoxFuture<'x, Result<T, Error>> + Send + Sync,
    ) -> Result<(T, Heard), Refusal> {
        let account = self.account().await?;
        let mut tries = 0;
        loop {
            tries += 1;
            let (done, heard) = heard::listen(call(account.clone())).await;
            match done {
                Ok(done) => return Ok((done, heard)),
                Err(error) => self.judge(&error, heard, kind, tries).await?,
            }
        }
    }

    /// Does the same with an order at hand.
    async fn on<T>(
        &self,
        order: &mut Order,
        work: impl for<'o> Fn(&'o mut Order) -> BoxFuture<'o, Result<T, Error>> + Send + Sync,
    ) -> Result<(T, Heard), Refusal> {
        let mut tries = 0;
        loop {
            tries += 1;
            let (done, heard) = heard::listen(work(order)).await;
            match done {
                Ok(done) => return Ok((done, heard)),
                Err(error) => self.judge(&error, heard, Call::Other, tries).await?,
            }
        }
    }

    /// Whether to try again (`Ok`), or what the error means.
    async fn judge(&self, error: &Error, heard: Heard, kind: Call, tries: usize) -> Result<(), Refusal> {
        let refusal = refusals::refusal(error, heard, kind);
        if refusal.kind == RefusalKind::Account {
            // The directory or the account may have changed: read both again at the next call.
            *self.account.lock().await = None;
        }
        if refusal.kind == RefusalKind::BadNonce && tries < NONCES { Ok(()) } else { Err(refusal) }
    }

    fn keep(&self, order: Order) {
        let mut orders = self.orders.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if orders.len() >= KEPT {
            orders.clear();
        }
        orders.insert(order.url().to_owned(), order);
    }

    fn kept(&self, url: &str) -> Option<Order> {
        self.orders.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(url)
    }

    /// The order as the CA sees it now.
    async fn fresh(&self, url: &str) -> Result<(Order, Heard), Refusal> {
        let url = url.to_owned();
        let ask = |account: Account| {
            let url = url.clone();
            async move { account.order(url).await }.boxed()
        };
        self.call(Call::Other, ask).await
    }

    /// Runs `work` on the order as it was last seen, or as it is now.
    async fn with<T>(
        &self,
        url: &str,
        work: impl for<'o> Fn(&'o mut Order) -> BoxFuture<'o, Result<T, Error>> + Send + Sync,
    ) -> Result<T, Refusal> {
        let mut order = match self.kept(url) {
            Some(order) => order,
            None => self.fresh(url).await?.0,
        };
        let (done, _) = self.on(&mut order, work).await?;
        self.keep(order);
        Ok(done)
    }
}

fn view(order: &mut Order, heard: Heard) -> OrderView {
    let url = order.url().to_owned();
    let state = order.state();
    let status = match state.status {
        instant_acme::OrderStatus::Pending => OrderStatus::Pending,
        instant_acme::OrderStatus::Ready => OrderStatus::Ready,
        instant_acme::OrderStatus::Processing => OrderStatus::Processing,
        instant_acme::OrderStatus::Valid => OrderStatus::Valid,
        instant_acme::OrderStatus::Invalid => OrderStatus::Invalid,
    };
    OrderView { url, status, error: state.error.as_ref().map(ToString::to_string), retry_after: heard.retry_after }
}

fn kind_of(kind: &ChallengeType) -> Option<ChallengeKind> {
    match kind {
        ChallengeType::Http01 => Some(ChallengeKind::Http01),
        ChallengeType::TlsAlpn01 => Some(ChallengeKind::TlsAlpn01),
        ChallengeType::Dns01 => Some(ChallengeKind::Dns01),
        _ => None,
    }
}

fn type_of(kind: ChallengeKind) -> ChallengeType {
    match kind {
        ChallengeKind::Http01 => ChallengeType::Http01,
        ChallengeKind::TlsAlpn01 => ChallengeType::TlsAlpn01,
        ChallengeKind::Dns01 => ChallengeType::Dns01,
    }
}

/// Key authorizations are the token and the thumbprint of the account's key (RFC 8555, section 8.1).
async fn read_authorizations(order: &mut Order, thumbprint: Arc<str>) -> Result<Vec<Authorization>, Error> {
    let mut found = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let authorization = authorization?;
        let host = match authorization.identifier().identifier {
            Identifier::Dns(host) => host.clone(),
            other => format!("{other:?}"),
        };
        let valid = authorization.status == AuthorizationStatus::Valid;
        let challenges = authorization.challenges.iter().filter_map(|challenge| {
            let (kind, token) = (kind_of(&challenge.r#type)?, challenge.token.clone());
            let key_authorization = format!("{token}.{thumbprint}");
            Some(Challenge { kind, token, key_authorization })
        });
        let challenges = challenges.collect();
        found.push(Authorization { host, valid, challenges });
    }
    Ok(found)
}

async fn finalize(order: &mut Order, csr: Arc<[u8]>) -> Result<(), Error> {
    order.finalize_csr(&csr).await
}

/// Why an authorization failed; none if none did.
async fn read_failure(order: &mut Order) -> Result<Option<Refusal>, Error> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let authorization = authorization?;
        if authorization.status != AuthorizationStatus::Invalid {
            continue;
        }
        let problem = authorization.challenges.iter().find_map(|challenge| challenge.error.as_ref());
        let unsaid = || Refusal::new(RefusalKind::Validation, "The authorization is invalid.");
        return Ok(Some(problem.map_or_else(unsaid, refusals::failed_validation)));
    }
    Ok(None)
}

/// Tells the CA of each challenge that it does not know to be ready.
async fn tell(order: &mut Order, kind: ChallengeKind) -> Result<(), Error> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status != AuthorizationStatus::Pending {
            continue;
        }
        if let Some(mut challenge) = authorization.challenge(type_of(kind))
            && challenge.status == ChallengeStatus::Pending
        {
            challenge.set_ready().await?;
        }
    }
    Ok(())
}

#[async_trait]
impl Authority for AcmeAuthority {
    async fn order(&self, ask: AskFor<'_>) -> Result<OrderView, Refusal> {
        let identifiers = [Identifier::Dns(ask.name.as_str().to_owned())];
        let replaces = ask.replaces.and_then(ari_identifier);
        let kind = Call::Order { replaces: replaces.is_some() };
        let place = |account: Account| {
            let mut new = NewOrder::new(&identifiers);
            if let Some(replaces) = replaces.clone() {
                new = new.replaces(replaces);
            }
            if let Some(profile) = ask.profile {
                new = new.profile(profile);
            }
            async move { account.new_order(&new).await }.boxed()
        };
        let (mut order, heard) = self.call(kind, place).await?;
        let seen = view(&mut order, heard);
        self.keep(order);
        Ok(seen)
    }

    async fn look(&self, order: &str) -> Result<OrderView, Refusal> {
        let (mut order, heard) = self.fresh(order).await?;
        let seen = view(&mut order, heard);
        self.keep(order);
        Ok(seen)
    }

    async fn authorizations(&self, order: &str) -> Result<Vec<Authorization>, Refusal> {
        let thumbprint: Arc<str> = self.account().await?.key_thumbprint().into();
        self.with(order, move |order| read_authorizations(order, Arc::clone(&thumbprint)).boxed()).await
    }

    async fn ready(&self, order: &str, kind: ChallengeKind) -> Result<(), Refusal> {
        self.with(order, move |order| tell(order, kind).boxed()).await
    }

    async fn failed_validation(&self, order: &str) -> Result<Option<Refusal>, Refusal> {
        // Only a fresh look tells how the challenges ended.
        drop(self.kept(order));
        let found = self.with(order, |order| read_failure(order).boxed()).await;
        drop(self.kept(order));
        found
    }

    async fn finalize(&self, url: &str, csr_der: &[u8]) -> Result<OrderView, Refusal> {
        let (mut order, heard) = self.fresh(url).await?;
        let seen = view(&mut order, heard);
        if seen.status != OrderStatus::Ready {
            return Ok(seen);
        }
        let csr: Arc<[u8]> = csr_der.into();
        let send = self.on(&mut order, move |order| finalize(order, Arc::clone(&csr)).boxed());
        let ((), heard) = send.await?;
        let seen = view(&mut order, heard);
        self.keep(order);
        Ok(seen)
    }

    async fn download(&self, order: &str) -> Result<String, Refusal> {
        let chain = self.with(order, |order| order.certificate().boxed()).await?;
        drop(self.kept(order));
        chain.ok_or_else(|| Refusal::new(RefusalKind::Unreadable, "The CA has no certificate for a valid order."))
    }

    fn read(&self, chain_pem: &str) -> Result<Facts, Refusal> {
        let start: String = chain_pem.chars().take(80).collect();
        Facts::read(chain_pem).map_err(|error| Refusal::new(RefusalKind::Unreadable, format!("{error} {start}")))
    }

    async fn renewal_advice(&self, ari_id: &str) -> Result<RenewalAdvice, Refusal> {
        let unreadable = |words: &str| Refusal::new(RefusalKind::Unreadable, words);
        let identifier = ari_identifier(ari_id).ok_or_else(|| unreadable("no identifier for renewal information"))?;
        let ask = |account: Account| {
            let identifier = identifier.clone();
            async move { account.renewal_info(&identifier).await }.boxed()
        };
        let ((info, _), heard) = self.call(Call::Other, ask).await?;
        let window = info.suggested_window;
        let time = |seconds| DateTime::from_timestamp(seconds, 0).ok_or_else(|| unreadable("a time out of range"));
        let (start, end) = (time(window.start.unix_timestamp())?, time(window.end.unix_timestamp())?);
        Ok(RenewalAdvice { start, end, ask_after: heard.retry_after })
    }
}

/// `aki.serial` in the library's form.
fn ari_identifier(ari_id: &str) -> Option<CertificateIdentifier<'static>> {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    let (aki, serial) = ari_id.split_once('.')?;
    let decode = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).ok();
    let (aki, serial) = (decode(aki)?, decode(serial)?);
    Some(CertificateIdentifier::new(Der::from_slice(&aki), Der::from_slice(&serial)).into_owned())
}
