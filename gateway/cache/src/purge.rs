//! What a purge covers.

use std::sync::Arc;

use uuid::Uuid;

use crate::{key::Key, stored::Head};

/// Whether a purged answer goes, or stays as a stale one: to be confirmed by a 304, or to stand in for a failing
/// origin (RFC 5861).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PurgeMode {
    Hard,
    Soft,
}

/// A set of answers, always within one tenant.
#[derive(Clone, Debug)]
pub(crate) enum Purge {
    /// All that one target answers.
    Key(Arc<Key>),
    /// All whose path and query begin so, on one host or on all.
    Prefix {
        tenant: Uuid,
        host: Option<String>,
        prefix: String,
    },
    /// All that carry a name (see [`crate::tags`]).
    Tag {
        tenant: Uuid,
        tag: String,
    },
    Tenant(Uuid),
}

impl Purge {
    pub(crate) fn covers(&self, key: &Key, head: &Head) -> bool {
        match self.tag_in(key) {
            Some(tag) => head.tags.iter().any(|own| **own == *tag),
            None => self.covers_key(key),
        }
    }

    /// The name by which it looks, if it could cover answers of this key.
    pub(crate) fn tag_in(&self, key: &Key) -> Option<&str> {
        match self {
            Self::Tag { tenant, tag } if key.scope.tenant() == *tenant => Some(tag),
            _ => None,
        }
    }

    /// Whether it covers all answers of a key.
    pub(crate) fn covers_key(&self, key: &Key) -> bool {
        match self {
            Self::Key(own) => **own == *key,
            Self::Prefix { tenant, host, prefix } => {
                let same_host = host.as_ref().is_none_or(|host| host.eq_ignore_ascii_case(key.scope.host()));
                key.scope.tenant() == *tenant && same_host && key.target.starts_with(prefix.as_str())
            }
            Self::Tag { .. } => false,
            Self::Tenant(tenant) => key.scope.tenant() == *tenant,
        }
    }
}
