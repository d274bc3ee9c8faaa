//! The edge's shared HTTP cache.
//!
//! Start at [`Cache::serve`]: it takes a [`Scope`] (whose answer it is: tenant, scheme and host, which no key can do
//! without), the route's [`Policy`], a request, and a function that asks the origin. It knows no module, no database
//! and no gateway; time comes from a [`Clock`].
//!
//! It follows RFC 9111 (storing, freshness, validation, invalidation), RFC 5861 (`stale-while-revalidate`,
//! `stale-if-error`), RFC 8246 (`immutable`), RFC 9211 (`Cache-Status`, by the name `holdfast`), RFC 9213
//! (`Holdfast-Cache-Control` before `CDN-Cache-Control` before `Cache-Control`), RFC 9875 (groups), and serves ranges
//! (RFC 9110, section 14) and HEAD from a stored whole. Misses for one answer are fetched once; those who wait read
//! along while it comes in. Purging is by target, URL, prefix, `Surrogate-Key` (or `Cache-Tag`) or tenant, hard or soft,
//! and holds for answers under way too.
//!
//! Memory is bounded; beside it answers may lie on a disk ([`DiskConfig`]), a file each, where they outlast the process.
//!
//! Deliberately absent: storing partial answers (206), answers to other methods than GET, and trailers.

mod admission;
mod answer;
mod body;
mod budget;
mod cache;
mod cache_status;
mod clock;
mod date;
mod directives;
mod disk;
mod fields;
mod fill;
mod flights;
mod freshness;
mod invalidation;
mod key;
mod memory;
mod policy;
mod precondition;
mod purge;
mod range;
mod scope;
mod serve;
mod spool;
mod stats;
mod stored;
mod storing;
mod tags;
mod taking;
mod targeted;
mod vary;
mod visit;

pub use body::CacheBody;
pub use cache::{Cache, Config};
pub use clock::Clock;
pub use disk::DiskConfig;
pub use policy::Policy;
pub use purge::PurgeMode;
pub use scope::{Scheme, Scope};
pub use stats::Stats;
