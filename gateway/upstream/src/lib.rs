//! Upstream servers of the edge: pools of them, to which requests are forwarded.
//!
//! Start at [`Pools`]: `replace` puts pools there from their [`config::PoolConfig`]s, `get` finds one, and
//! [`Pool::send`] forwards a request and gives the answer, frame by frame. An upgraded connection goes through
//! [`tunnel`].
//!
//! On the way a request is written anew ([RFC 9110, section 7.6]); it goes to a target chosen by peak EWMA and the
//! power of two choices (or another [`config::Balance`]), on a connection that is kept for the next one; each phase
//! has its timeout. What fails goes again to another target only if that can't do harm: not a byte was sent, or the
//! method is idempotent and there is no body; and only within a budget. Targets that fail are taken out for a
//! while, never the last one; health checks, slow start, circuit breakers and load shedding stand beside it. What a
//! tenant names may lead to public addresses only ([`AddressPolicy`]).
//!
//! HTTP/1.1 connections are hyper's, driven by the task of the request that uses them: no task and no channel is
//! between the client and the upstream, and when the client leaves, its connection goes with it. HTTP/2 connections
//! are shared and run on their own.
//!
//! Where the ideas come from: peak EWMA and retry budgets are Finagle's (`PeakEwma.scala`,
//! <https://finagle.github.io/blog/2016/02/08/retry-budgets>) by way of Linkerd, outlier ejection, slow start and the
//! three limits of the circuit breaker are Envoy's (`config.cluster.v3.OutlierDetection`, "Circuit breaking"), the
//! adaptive limit is Gradient2 of Netflix's `concurrency-limits`.
//!
//! It knows no module, no database and not the gateway. Deliberately absent: routes, rewriting of paths, caches and
//! the words of problem documents; they are the gateway's. It does not follow redirects, does not use the
//! environment's proxies, and never sends a `POST` twice.
//!
//! [RFC 9110, section 7.6]: https://www.rfc-editor.org/rfc/rfc9110#section-7.6

mod address;
mod balance;
mod body;
mod budget;
pub mod config;
mod connect;
mod error;
mod exchange;
mod forwarding;
mod headers;
mod pool;
mod pools;
mod resolve;
mod shed;
mod target;
mod telemetry;
mod tls;
mod tunnel;

pub use address::{AddressPolicy, PublicAddresses};
pub use body::UpstreamBody;
pub use error::{Phase, UpstreamError};
pub use forwarding::{Forwarding, Priority, ServedBy};
pub use pool::{Pool, PoolStatus};
pub use pools::{Environment, Pools};
pub use resolve::{Resolver, Resolving, SystemResolver};
pub use target::{LastError, TargetState, TargetStatus};
pub use tunnel::{Tunnelled, tunnel};
