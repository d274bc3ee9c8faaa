//! HTTP to a CA: bounded in time and size, no redirects, only the roots that were said.

use std::{path::Path, pin::Pin, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use instant_acme::{BodyWrapper, BytesResponse, HttpClient};
use reqwest::{Certificate, Client, redirect::Policy};

use super::account::AcmeError;

type Answer = Result<BytesResponse, instant_acme::Error>;

/// Bounds of a request to a CA.
#[derive(Clone, Copy, Debug)]
pub struct TransportLimits {
    pub connect: Duration,
    pub whole: Duration,
    /// Bytes of an answer.
    pub body: usize,
}

impl Default for TransportLimits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), whole: Duration::from_secs(20), body: 256 * 1024 }
    }
}

/// The transport to a real CA, by reqwest.
#[derive(Clone, Debug)]
pub struct ReqwestTransport {
    client: Client,
    body: usize,
}

impl ReqwestTransport {
    /// A client with these bounds that trusts the system's roots, or only those in the PEM file `root`.
    ///
    /// # Errors
    /// [`AcmeError::Root`] if the file can't be read, [`AcmeError::Client`] if no client can be made.
    pub fn new(limits: TransportLimits, root: Option<&Path>) -> Result<Self, AcmeError> {
        let mut builder = Client::builder()
            .connect_timeout(limits.connect)
            .timeout(limits.whole)
            .redirect(Policy::none())
            .https_only(true)
            .user_agent("holdfast-edge");
        if let Some(path) = root {
            let unreadable = |cause: String| AcmeError::Root { path: path.to_owned(), cause };
            let pem = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
            let roots = Certificate::from_pem_bundle(&pem).map_err(|error| unreadable(error.to_string()))?;
            builder = builder.tls_certs_only(roots);
        }
        let client = builder.build().map_err(|error| AcmeError::Client(error.to_string()))?;
        Ok(Self { client, body: limits.body })
    }
}

impl HttpClient for ReqwestTransport {
    fn request(&self, request: Request<BodyWrapper<Bytes>>) -> Pin<Box<dyn Future<Output = Answer> + Send>> {
        let (client, cap) = (self.client.clone(), self.body);
        Box::pin(async move { send(client, request, cap).await.map_err(instant_acme::Error::Other) })
    }
}

async fn send(
    client: Client,
    request: Request<BodyWrapper<Bytes>>,
    cap: usize,
) -> Result<BytesResponse, Box<dyn std::error::Error + Send + Sync>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes)?;
    let request = client.request(parts.method, parts.uri.to_string()).headers(parts.headers).body(body);
    let mut response = request.send().await?;
    let mut whole = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        if whole.len() + chunk.len() > cap {
            return Err(format!("the answer is longer than {cap} bytes").into());
        }
        whole.extend_from_slice(&chunk);
    }
    let mut answer = Response::new(Full::new(whole.freeze()));
    *answer.status_mut() = response.status();
    *answer.headers_mut() = response.headers().clone();
    Ok(BytesResponse::from(answer))
}
