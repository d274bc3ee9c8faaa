//! A plain HTTP client with defaults: where, as whom, in which tenant. It knows nothing of the server's types.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Method, RequestBuilder};
use serde_json::{Value, json};

use crate::{Answer, must};

const PATIENCE: Duration = Duration::from_mins(1);

/// A client with defaults. Clones share connections; each `with…` gives a changed copy.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    headers: HeaderMap,
}

/// Every name is this machine: `acme.localhost` and whatever else a test invents.
struct Loopback;

impl Resolve for Loopback {
    fn resolve(&self, _: Name) -> Resolving {
        let here: Addrs = Box::new(std::iter::once(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))));
        Box::pin(async move { Ok(here) })
    }
}

impl Client {
    /// A client of `base` that trusts only `ca` (PEM) and keeps no cookies.
    pub(crate) fn new(base: String, ca: Option<&[u8]>) -> Self {
        let trusted = ca.map(|pem| must(Certificate::from_pem(pem), "reading the local CA"));
        let builder = reqwest::Client::builder()
            .dns_resolver(Loopback)
            .no_proxy()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .tls_certs_only(trusted);
        let http = must(builder.build(), "building an HTTP client");
        Self { http, base, headers: HeaderMap::new() }
    }

    /// The same with one more header on every request.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut copy = self.clone();
        let name = must(name.parse::<HeaderName>(), "a header's name");
        copy.headers.insert(name, must(HeaderValue::from_str(value), "a header's value"));
        copy
    }

    /// The same without a header.
    #[must_use]
    pub fn without(&self, name: &str) -> Self {
        let mut copy = self.clone();
        copy.headers.remove(name);
        copy
    }

    /// The same, authenticated by an access token or an API key.
    #[must_use]
    pub fn bearer(&self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
    }

    /// The same, as nobody.
    #[must_use]
    pub fn anonymous(&self) -> Self {
        self.without("authorization")
    }

    /// The same in another tenant (slug or id), named by header.
    #[must_use]
    pub fn tenant(&self, tenant: &str) -> Self {
        self.with("holdfast-tenant", tenant)
    }

    /// The same at another host name of the same port, such as `acme.localhost`.
    #[must_use]
    pub fn host(&self, name: &str) -> Self {
        let mut copy = self.clone();
        let (scheme, rest) = must(self.base.split_once("://").ok_or("no scheme"), "a base address");
        let port = must(rest.rsplit_once(':').ok_or("no port"), "a base address").1;
        copy.base = format!("{scheme}://{name}:{port}");
        copy
    }

    /// Where it sends its requests: `http://127.0.0.1:34567`.
    pub fn base(&self) -> &str {
        &self.base
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path).send().await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.request(Method::POST, path).json(&body).send().await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.request(Method::PATCH, path).json(&body).send().await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.request(Method::DELETE, path).send().await
    }

    /// A GraphQL operation; see [`Answer::data`] and [`Answer::error`].
    pub async fn graphql(&self, query: &str, variables: Value) -> Answer {
        self.post("/graphql", json!({ "query": query, "variables": variables })).await
    }

    /// Signs in by password and returns the client with the access token.
    ///
    /// Panics with the answer when that is refused.
    pub async fn sign_in(&self, email: &str, password: &str) -> Self {
        let body = json!({ "email": email, "password": password });
        let answer = self.post("/api/v1/identity/sessions", body).await.expect(201);
        self.bearer(answer["access_token"].as_str().unwrap_or_default())
    }

    /// Makes an API key of the signed-in account and returns the client that uses it.
    pub async fn api_key(&self, name: &str) -> Self {
        let answer = self.post("/api/v1/identity/api_keys", json!({ "name": name })).await.expect(201);
        self.bearer(answer["secret"].as_str().unwrap_or_default())
    }

    /// The access token or API key it sends.
    pub fn credential(&self) -> Option<&str> {
        self.headers.get("authorization")?.to_str().ok()?.strip_prefix("Bearer ")
    }

    /// The tenant it names.
    pub fn tenant_name(&self) -> Option<&str> {
        self.headers.get("holdfast-tenant")?.to_str().ok()
    }

    /// Any other request.
    pub fn request(&self, method: Method, path: &str) -> Request {
        let asked = format!("{method} {path}");
        let builder = self.http.request(method, format!("{}{path}", self.base)).headers(self.headers.clone());
        Request { builder, asked }
    }
}

/// A request in the making.
pub struct Request {
    builder: RequestBuilder,
    asked: String,
}

impl Request {
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        Self { builder: self.builder.header(name, value), ..self }
    }

    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        Self { builder: self.builder.json(body), ..self }
    }

    /// A body as it is, with its content type.
    #[must_use]
    pub fn body(self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { builder: self.builder.header("content-type", content_type).body(body.into()), ..self }
    }

    /// Sends it; fails the test when no answer comes.
    pub async fn send(self) -> Answer {
        let asked = self.asked.clone();
        must(self.try_send().await, &asked)
    }

    /// Sends it; for tests in which the server may be gone.
    ///
    /// # Errors
    /// No connection, no answer within a minute, or one cut short.
    pub async fn try_send(self) -> Result<Answer, reqwest::Error> {
        Answer::read(self.asked, self.builder.send().await?).await
    }
}
