//! Purging what the cache keeps of the shared host.

use std::collections::BTreeSet;

use edge_cache::PurgeMode;
use uuid::Uuid;

use super::live::Routing;

/// What to purge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purge {
    /// What one URL answers, in all its variants and by whichever route.
    Url(String),
    /// All whose path and query begin with `prefix`: on one host (with its port, where that is not the scheme's own), or
    /// on all.
    Prefix {
        /// All hosts when there is none.
        host: Option<String>,
        /// `/` for everything.
        prefix: String,
    },
    /// All that carry one of these names in `Surrogate-Key` or `Cache-Tag`.
    Keys(Vec<String>),
}

impl Routing {
    /// Waits until answers are at hand that an earlier process kept on the disk; the last number that
    /// [`Routing::note_purge`] noted, -1 if it noted none. Without a disk it never returns.
    pub async fn kept_since(&self) -> i64 {
        self.cache.opened().await
    }

    /// Notes beside them that all purges up to this one were done. From the first time on they are used.
    pub async fn note_purge(&self, number: i64) {
        self.cache.note_purge(number).await;
    }

    /// Purges: what is covered goes, or counts as stale from now on if it is to be `soft`. Returns how many answers that
    /// were, of this process.
    pub async fn purge(&self, purge: &Purge, soft: bool) -> usize {
        let (mode, shared) = (if soft { PurgeMode::Soft } else { PurgeMode::Hard }, Uuid::nil());
        match purge {
            Purge::Url(url) => {
                let in_force = self.in_force();
                let ignored: BTreeSet<&[String]> =
                    in_force.policies().map(|policy| policy.ignored_query.as_slice()).collect();
                let ignored: Vec<&[String]> = ignored.into_iter().collect();
                self.cache.purge_url(shared, url, &ignored, mode).await
            }
            Purge::Prefix { host, prefix } => {
                let host = host.as_deref().map(|host| host.trim_end_matches(":443").trim_end_matches(":80"));
                self.cache.purge_prefix(shared, host, prefix, mode).await
            }
            Purge::Keys(keys) => self.cache.purge_tags(shared, keys, mode).await,
        }
    }
}
