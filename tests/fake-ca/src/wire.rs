//! The face of RFC 8555 and RFC 9773: requests in, answers out, in process.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use chrono::SecondsFormat;
use edge_certificates::{ChallengeKind, Name, OrderStatus};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use instant_acme::{BodyWrapper, BytesResponse, HttpClient};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    ca::{Ca, Order, Problem},
    faults::{CaStep, Fault},
    issue::Signer,
    jws::{self, Jwk, Signed, malformed},
    validate::Validator,
};

/// [`Ca`] over HTTP.
pub struct WireCa {
    pub ca: Arc<Ca>,
    pub signer: Signer,
    validator: Arc<dyn Validator>,
    /// The address before the paths, such as `https://ca.test`.
    base: Mutex<String>,
    keys: Mutex<HashMap<String, Jwk>>,
}

/// An answer before it is written: a status, a body, and where the thing made stands.
struct Answer {
    status: u16,
    body: Body,
    location: Option<String>,
    retry_after: Option<Duration>,
}

enum Body {
    Json(Value),
    Problem(Value),
    Pem(String),
    Empty,
}

impl Answer {
    fn json(status: u16, body: Value) -> Self {
        Self { status, body: Body::Json(body), location: None, retry_after: None }
    }

    fn at(mut self, location: String) -> Self {
        self.location = Some(location);
        self
    }
}

impl From<Problem> for Answer {
    fn from(problem: Problem) -> Self {
        let body = problem_json(&problem);
        Self { status: problem.status, body: Body::Problem(body), location: None, retry_after: problem.retry_after }
    }
}

fn problem_json(problem: &Problem) -> Value {
    json!({
        "type": format!("urn:ietf:params:acme:error:{}", problem.word),
        "detail": problem.detail,
        "status": problem.status,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewAccount {
    #[serde(default)]
    terms_of_service_agreed: bool,
    external_account_binding: Option<Value>,
}

#[derive(Deserialize)]
struct NewOrder {
    identifiers: Vec<Identifier>,
    replaces: Option<String>,
    profile: Option<String>,
}

#[derive(Deserialize)]
struct Identifier {
    r#type: String,
    value: String,
}

#[derive(Deserialize)]
struct Finalize {
    csr: String,
}

impl WireCa {
    /// A face below `base`.
    pub fn new(ca: Arc<Ca>, validator: Arc<dyn Validator>, base: impl Into<String>) -> Self {
        let (base, keys) = (Mutex::new(base.into()), Mutex::default());
        Self { ca, signer: Signer::new(), validator, base, keys }
    }

    /// The address of the directory.
    pub fn directory(&self) -> String {
        self.url("/directory")
    }

    pub(crate) fn set_base(&self, base: String) {
        *self.base.lock().unwrap_or_else(PoisonError::into_inner) = base;
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Answers a request; it may never answer.
    pub async fn answer(&self, method: &Method, path: &str, body: &[u8]) -> Response<Full<Bytes>> {
        let Some((step, id)) = route(path) else { return self.write(malformed("no such address").into(), None) };
        let fault = self.ca.begin(step, path);
        match fault {
            Some(Fault::Hang) => return std::future::pending().await,
            Some(Fault::RateLimited(seconds)) => {
                let mut problem = Problem::acme(429, "rateLimited", "slow down");
                problem.retry_after = Some(Duration::from_secs(u64::from(seconds)));
                return self.write(problem.into(), None);
            }
            Some(Fault::Status(status)) => {
                let page = Full::new(Bytes::from_static(b"<html><h1>Oops</h1></html>"));
                let mut response = Response::new(page);
                *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                return response;
            }
            Some(Fault::BadNonce) => return self.write(Problem::acme(400, "badNonce", "scripted").into(), None),
            _ => {}
        }
        let answer = match step {
            CaStep::Directory => Ok(self.directory_object()),
            CaStep::NewNonce => Ok(Answer { status: 200, body: Body::Empty, location: None, retry_after: None }),
            CaStep::RenewalInfo => self.renewal_info(id),
            _ if method == Method::POST => self.signed(step, path, id, body, fault).await,
            _ => Err(Problem::acme(405, "malformed", "POST")),
        };
        if fault == Some(Fault::HangAfter) {
            return std::future::pending().await;
        }
        self.write(answer.unwrap_or_else(Answer::from), fault)
    }

    fn write(&self, answer: Answer, fault: Option<Fault>) -> Response<Full<Bytes>> {
        let (kind, mut bytes) = match answer.body {
            Body::Json(body) => ("application/json", body.to_string().into_bytes()),
            Body::Problem(body) => ("application/problem+json", body.to_string().into_bytes()),
            Body::Pem(text) => ("application/pem-certificate-chain", text.into_bytes()),
            Body::Empty => ("text/plain", Vec::new()),
        };
        if fault == Some(Fault::Truncated) {
            bytes.truncate(bytes.len() / 2);
        }
        let nonce = format!("n{:016x}", self.ca.random().next());
        self.ca.state().nonces.insert(nonce.clone());
        let mut response = Response::builder()
            .status(answer.status)
            .header("content-type", kind)
            .header("replay-nonce", nonce)
            .header("date", self.ca.now().format("%a, %d %b %Y %H:%M:%S GMT").to_string());
        if let Some(location) = answer.location {
            response = response.header("location", location);
        }
        if let Some(wait) = answer.retry_after {
            response = response.header("retry-after", wait.as_secs());
        }
        response.body(Full::new(bytes.into())).unwrap_or_default()
    }

    fn directory_object(&self) -> Answer {
        let profiles: serde_json::Map<String, Value> =
            self.ca.config.profiles.iter().map(|(name, life)| (name.clone(), json!(life.to_string()))).collect();
        let mut directory = json!({
            "newNonce": self.url("/new-nonce"),
            "newAccount": self.url("/new-account"),
            "newOrder": self.url("/new-order"),
            "revokeCert": self.url("/revoke"),
            "meta": { "profiles": profiles, "externalAccountRequired": !self.ca.config.external_accounts.is_empty() },
        });
        if self.ca.config.ari.is_some() {
            directory["renewalInfo"] = json!(self.url("/renewal-info"));
        }
        Answer::json(200, directory)
    }

    fn renewal_info(&self, id: &str) -> Result<Answer, Problem> {
        let (start, end, wait) = self.ca.renewal(id)?;
        let time = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let window = json!({ "suggestedWindow": { "start": time(start), "end": time(end) } });
        Ok(Answer { retry_after: Some(wait), ..Answer::json(200, window) })
    }

    async fn signed(
        &self,
        step: CaStep,
        path: &str,
        id: &str,
        body: &[u8],
        fault: Option<Fault>,
    ) -> Result<Answer, Problem> {
        let key_of = |kid: &str| self.keys.lock().unwrap_or_else(PoisonError::into_inner).get(kid).cloned();
        let signed = jws::verify(body, &self.url(path), key_of)?;
        if !self.ca.state().nonces.remove(&signed.nonce) {
            return Err(Problem::acme(400, "badNonce", "unknown or used"));
        }
        if step == CaStep::NewAccount {
            return self.new_account(&signed);
        }
        if signed.kid.is_none() {
            return Err(malformed("an account is needed"));
        }
        let account = self.ca.account(&signed.jwk.thumbprint());
        match step {
            CaStep::NewOrder => self.new_order(account, &signed, fault),
            CaStep::Order => {
                let order = self.ca.look(account, number(id)?, false)?;
                let waits = order.status == OrderStatus::Processing;
                Ok(Answer { retry_after: waits.then_some(Duration::from_secs(3)), ..self.order(200, &order) })
            }
            CaStep::Authorization => {
                let order = self.ca.look(account, number(id)?, true)?;
                Ok(Answer::json(200, self.authorization(&order)))
            }
            CaStep::Challenge => self.challenge(account, id, &signed).await,
            CaStep::Finalize => self.finalize(account, number(id)?, &signed, fault),
            _ => self.certificate(account, number(id)?),
        }
    }

    fn new_account(&self, signed: &Signed) -> Result<Answer, Problem> {
        let new: NewAccount = signed.read()?;
        if !new.terms_of_service_agreed {
            return Err(Problem::acme(403, "userActionRequired", "agree to the terms"));
        }
        let external = &self.ca.config.external_accounts;
        match &new.external_account_binding {
            None if external.is_empty() => {}
            None => return Err(Problem::acme(403, "externalAccountRequired", "bind an external account")),
            Some(binding) => jws::verify_binding(binding, &signed.jwk, &self.url("/new-account"), external)?,
        }
        let thumbprint = signed.jwk.thumbprint();
        let url = self.url(&format!("/account/{}", self.ca.account(&thumbprint)));
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).insert(url.clone(), signed.jwk.clone());
        Ok(Answer::json(201, json!({ "status": "valid" })).at(url))
    }

    fn new_order(&self, account: u64, signed: &Signed, fault: Option<Fault>) -> Result<Answer, Problem> {
        let new: NewOrder = signed.read()?;
        if let Some(Fault::ReplacesRefused(status)) = fault.filter(|_| new.replaces.is_some()) {
            let word = if status == 409 { "alreadyReplaced" } else { "unauthorized" };
            return Err(Problem::acme(status, word, "scripted"));
        }
        let [Identifier { r#type, value }] = new.identifiers.as_slice() else { return Err(malformed("one name")) };
        let name = Name::parse(value).map_err(|_| Problem::acme(400, "rejectedIdentifier", "no name"))?;
        if r#type != "dns" {
            return Err(Problem::acme(400, "unsupportedIdentifier", "dns only"));
        }
        let order = self.ca.order(account, &name, new.replaces.as_deref(), new.profile.as_deref())?;
        Ok(self.order(201, &order))
    }

    fn order(&self, status: u16, order: &Order) -> Answer {
        let id = order.id;
        let mut body = json!({
            "status": word(order.status),
            "identifiers": [{ "type": "dns", "value": order.name.as_str() }],
            "authorizations": [self.url(&format!("/authorization/{id}"))],
            "finalize": self.url(&format!("/finalize/{id}")),
        });
        if let Some(replaces) = &order.replaces {
            body["replaces"] = json!(replaces);
        }
        if let Some(Err(problem)) = &order.validated {
            body["error"] = problem_json(problem);
        }
        if order.status == OrderStatus::Valid {
            body["certificate"] = json!(self.url(&format!("/certificate/{id}")));
        }
        Answer::json(status, body).at(self.url(&format!("/order/{id}")))
    }

    fn authorization(&self, order: &Order) -> Value {
        let state = match &order.validated {
            None => "pending",
            Some(Ok(())) => "valid",
            Some(Err(_)) => "invalid",
        };
        let wildcard = order.name.is_wildcard();
        let kinds = if wildcard { &["dns-01"][..] } else { &["http-01", "tls-alpn-01", "dns-01"] };
        let challenges: Vec<Value> = kinds.iter().map(|kind| self.challenge_json(order, kind)).collect();
        json!({
            "status": state,
            "identifier": { "type": "dns", "value": order.name.host() },
            "challenges": challenges,
            "wildcard": wildcard,
        })
    }

    fn challenge_json(&self, order: &Order, kind: &str) -> Value {
        let told = order.told.is_some_and(|told| kind_word(told) == kind);
        let state = match &order.validated {
            Some(Ok(())) if told => "valid",
            Some(Err(_)) if told => "invalid",
            _ if told => "processing",
            _ => "pending",
        };
        let url = self.url(&format!("/challenge/{}/{kind}", order.id));
        let mut body = json!({ "type": kind, "url": url, "status": state, "token": order.token });
        if let Some(Err(problem)) = order.validated.as_ref().filter(|_| told) {
            body["error"] = problem_json(problem);
        }
        body
    }

    /// The CA validates before it answers: no time passes in between.
    async fn challenge(&self, account: u64, id: &str, signed: &Signed) -> Result<Answer, Problem> {
        let (id, kind) = id.split_once('/').ok_or_else(|| malformed("no such challenge"))?;
        let order = self.ca.look(account, number(id)?, true)?;
        let kinds = [ChallengeKind::Http01, ChallengeKind::TlsAlpn01, ChallengeKind::Dns01];
        let found = kinds.into_iter().find(|one| kind_word(*one) == kind);
        let found = found.ok_or_else(|| malformed("no such challenge"))?;
        if self.ca.told(order.id, found) {
            let expected = format!("{}.{}", order.token, signed.jwk.thumbprint());
            let ended = self.validator.validate(found, order.name.host(), &order.token, &expected).await;
            self.ca.validated(order.id, ended);
        }
        // As CAs do: the answer says that it is under way, and a later look how it ended.
        let body = json!({
            "type": kind,
            "url": self.url(&format!("/challenge/{id}/{kind}")),
            "status": "processing",
            "token": order.token,
        });
        Ok(Answer::json(200, body))
    }

    fn finalize(&self, account: u64, id: u64, signed: &Signed, fault: Option<Fault>) -> Result<Answer, Problem> {
        let asked: Finalize = signed.read()?;
        let csr = jws::decode(&asked.csr)?;
        let (names, public_key) = Signer::asked(&csr)?;
        let order = self.ca.look(account, id, true)?;
        if names != [order.name.as_str()] {
            return Err(Problem::acme(400, "badCSR", "other names than the order's"));
        }
        let order = self.ca.finalize(account, id, (&csr, public_key), fault)?;
        Ok(self.order(200, &order))
    }

    fn certificate(&self, account: u64, id: u64) -> Result<Answer, Problem> {
        let order = self.ca.look(account, id, true)?;
        let gone = || Problem::acme(404, "malformed", "no certificate");
        let certificate = order.certificate.as_ref().ok_or_else(gone)?;
        let pem = self.signer.sign(&order.csr, certificate)?;
        Ok(Answer { status: 200, body: Body::Pem(pem), location: None, retry_after: None })
    }
}

fn route(path: &str) -> Option<(CaStep, &str)> {
    let (first, rest) = path.strip_prefix('/')?.split_once('/').unwrap_or((path.strip_prefix('/')?, ""));
    let step = match first {
        "directory" => CaStep::Directory,
        "new-nonce" => CaStep::NewNonce,
        "new-account" => CaStep::NewAccount,
        "new-order" => CaStep::NewOrder,
        "order" => CaStep::Order,
        "authorization" => CaStep::Authorization,
        "challenge" => CaStep::Challenge,
        "finalize" => CaStep::Finalize,
        "certificate" => CaStep::Certificate,
        "renewal-info" => CaStep::RenewalInfo,
        _ => return None,
    };
    Some((step, rest))
}

fn number(id: &str) -> Result<u64, Problem> {
    id.parse().map_err(|_| Problem::acme(404, "malformed", "no such thing"))
}

fn word(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Pending => "pending",
        OrderStatus::Ready => "ready",
        OrderStatus::Processing => "processing",
        OrderStatus::Valid => "valid",
        OrderStatus::Invalid => "invalid",
    }
}

fn kind_word(kind: ChallengeKind) -> &'static str {
    match kind {
        ChallengeKind::Http01 => "http-01",
        ChallengeKind::TlsAlpn01 => "tls-alpn-01",
        ChallengeKind::Dns01 => "dns-01",
    }
}

/// In process, as a transport for instant-acme.
pub struct InProcess(pub Arc<WireCa>);

impl HttpClient for InProcess {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, instant_acme::Error>> + Send>> {
        let wire = Arc::clone(&self.0);
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            let response = wire.answer(&parts.method, parts.uri.path(), &body).await;
            Ok(BytesResponse::from(response))
        })
    }
}

/// The challenge's digest, as DNS-01 wants it.
pub fn txt_value(key_authorization: &str) -> String {
    use aws_lc_rs::digest::{SHA256, digest};
    BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, key_authorization.as_bytes()))
}
