//! What a purge covers.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{key::Key, scope::Scheme, stored::Head};

/// Whether a purged answer goes, or stays as a stale one: to be confirmed by a 304, or to stand in for a failing
/// origin (RFC 5861).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PurgeMode {
    Hard,
    Soft,
}

/// A set of answers, always within one tenant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Purge {
    /// All that one target answers.
    Key(Arc<Key>),
    /// The same, by whichever route, in one of these spellings.
    Targets {
        tenant: Uuid,
        scheme: Scheme,
        host: String,
        targets: Vec<String>,
    },
    /// All whose path and query begin so, on one host or on all.
    Prefix {
        tenant: Uuid,
        host: Option<String>,
        prefix: String,
    },
    /// All that carry one of these names (see [`crate::tags`]).
    Tags {
        tenant: Uuid,
        tags: Vec<String>,
    },
    Tenant(Uuid),
}

impl Purge {
    pub(crate) fn covers(&self, key: &Key, head: &Head) -> bool {
        self.covers_tagged(key, &head.tags)
    }

    /// The same, by the names that the answer carries.
    pub(crate) fn covers_tagged(&self, key: &Key, own: &[Box<str>]) -> bool {
        match self.tags_in(key) {
            Some(tags) => own.iter().any(|own| tags.iter().any(|tag| **own == **tag)),
            None => self.covers_key(key),
        }
    }

    /// The names by which it looks, if it could cover answers of this key.
    pub(crate) fn tags_in(&self, key: &Key) -> Option<&[String]> {
        match self {
            Self::Tags { tenant, tags } if key.scope.tenant() == *tenant => Some(tags),
            _ => None,
        }
    }

    /// Whether it covers all answers of a key.
    pub(crate) fn covers_key(&self, key: &Key) -> bool {
        match self {
            Self::Key(own) => **own == *key,
            Self::Targets { tenant, scheme, host, targets } => {
                let same_scheme = key.scope.tenant() == *tenant && key.scope.scheme() == *scheme;
                same_scheme && key.scope.host() == host && targets.iter().any(|target| **target == *key.target)
            }
            Self::Prefix { tenant, host, prefix } => {
                let same_host = host.as_ref().is_none_or(|host| host.eq_ignore_ascii_case(key.scope.host()));
                key.scope.tenant() == *tenant && same_host && key.target.starts_with(prefix.as_str())
            }
            Self::Tags { .. } => false,
            Self::Tenant(tenant) => key.scope.tenant() == *tenant,
        }
    }
}
