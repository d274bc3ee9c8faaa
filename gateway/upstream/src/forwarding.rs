//! What the edge knows about a request that is not in the request.

use std::{net::IpAddr, sync::Arc};

use http::HeaderMap;
use tokio::time::Instant;

/// How much a request matters when there is too much to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Turned away at three quarters of the limit.
    Low,
    /// Turned away at the limit.
    #[default]
    Normal,
    /// Turned away a tenth above the limit.
    High,
    /// Turned away a quarter above the limit.
    Critical,
}

impl Priority {
    /// How much of the limit it may fill, in percent.
    pub(crate) const fn percent(self) -> u64 {
        match self {
            Self::Low => 75,
            Self::Normal => 100,
            Self::High => 110,
            Self::Critical => 125,
        }
    }
}

/// The target that an answer is of, such as `http://10.0.0.7:3000`; in the answer's extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedBy(pub Arc<str>);

/// Goes with a request to [`crate::Pool::send`].
#[derive(Clone, Debug)]
pub struct Forwarding {
    /// The client.
    pub client: IpAddr,
    /// The scheme by which it sees us: `http` or `https`.
    pub scheme: &'static str,
    pub priority: Priority,
    /// When the answer's head must be there, whatever the pool allows. An answer that has begun may go on.
    pub deadline: Option<Instant>,
    /// Fields to set after the client's have been cleaned, replacing those of the same name: a verified identity, a
    /// request id. The client can't remove them by naming them in `Connection`.
    pub fields: HeaderMap,
    /// Whether an `Upgrade` is passed on. Then a 101 carries the connection as `hyper::upgrade::OnUpgrade`.
    pub upgrades: bool,
}

impl Forwarding {
    /// For a client, with everything else as usual: normal priority, no deadline, no more fields, no upgrades.
    pub fn new(client: IpAddr, scheme: &'static str) -> Self {
        Self {
            client,
            scheme,
            priority: Priority::default(),
            deadline: None,
            fields: HeaderMap::new(),
            upgrades: false,
        }
    }
}
