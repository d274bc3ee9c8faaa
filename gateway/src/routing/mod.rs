//! Routes in front of the application: other services, folders, redirects and fixed answers, from a file, live.
//!
//! Start at [`Routing`], which holds what is in force, and [`Router`], the [`crate::App`] that asks it and hands what no
//! route takes to the application. A request takes the table once, when its head is there, and keeps to it, pools
//! included, whatever is put in force meanwhile.
//!
//! The order: path in normal form, address, maintenance, CORS preflight, limits, basic auth, the requirement of a login,
//! limits by account and tenant, forward auth, rewrite, request headers, cache, deed; on the way out response headers,
//! CORS, security headers, compression.
//!

mod access;
mod basic;
mod config;
mod deed;
mod file;
mod finish;
mod forward;
mod forward_auth;
mod held;
mod in_force;
mod limited;
mod live;
mod note;
mod passage;
mod purge;
mod router;
mod tunnels;

pub use config::{CacheConfig, RoutingConfig};
pub use file::{Ask, RoutesError, RoutesFile};
pub use live::Routing;
pub use purge::Purge;
pub use router::Router;
