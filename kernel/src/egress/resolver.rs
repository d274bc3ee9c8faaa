//! Names become addresses here, and those that may not be reached are thrown away.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::addresses::Allowed;

/// The most addresses of one name that are tried.
const MAX_ADDRESSES: usize = 8;

/// In the error of a connection, so that it can be told apart from a network that is down.
#[derive(Debug, thiserror::Error)]
#[error("no address of this name may be reached")]
pub(super) struct NoneAllowed;

/// The system's resolver behind the guard.
pub(super) struct Guarded {
    allowed: Arc<Allowed>,
}

impl Guarded {
    pub(super) const fn new(allowed: Arc<Allowed>) -> Self {
        Self { allowed }
    }
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = Arc::clone(&self.allowed);
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            let any = allowed.names(&host);
            let kept: Vec<SocketAddr> =
                found.into_iter().filter(|it| any || allowed.permits(it.ip())).take(MAX_ADDRESSES).collect();
            if kept.is_empty() {
                tracing::warn!(host, "a call to the outside was refused: no address of this name is public");
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, NoneAllowed).into());
            }
            Ok(Box::new(kept.into_iter()) as Addrs)
        })
    }
}
