//! The edge: everything between the network and the application behind it.
//!
//! Start at [`Edge`]. It owns its accept loop, speaks TLS, HTTP/1.1, HTTP/2 and HTTP/3, refuses what two readers could
//! understand differently, keeps time, counts, and hands what is left to an [`App`]. It knows no module, no database
//! and no web framework; certificates come from a [`CertificateSource`], by default the [`LocalCa`].
//!
//! Routes to other services, folders, redirects and fixed answers stand in front of the application: see [`Routing`]
//! and [`Router`]. Who asks, where a route wants to know, an [`Authenticator`] tells.
//!
//! Before the routes stands the [`Threshold`]: challenges of CAs, the redirect to HTTPS, HSTS.
//!
//! Deliberately absent: which names are whose, and the store of certificates; `edge-certificates` says what is served.

mod alarm;
mod app;
mod authenticator;
mod body;
mod config;
mod connection;
mod connections;
mod edge;
mod exchange;
mod flood;
mod forwarded;
mod framing;
mod guard;
mod host;
mod identity_field;
mod issued;
mod journal;
mod late;
mod leftover;
mod limits;
mod listener;
mod local_ca;
mod local_ca_files;
mod proxy_header;
mod quic;
mod refusal;
mod routing;
mod service;
mod source;
mod stream;
mod telemetry;
mod threshold;
mod tls;
mod trace;
mod tracked;
mod units;
mod wire;

pub use edge_routes::Problem as RouteProblem;
pub use edge_upstream::PoolStatus;

pub use app::{App, ClientCertificate, EdgeInfo, ListenerKind, RequestId, ResponseBody, Scheme};
pub use authenticator::{Authenticator, Denial, Identity, Verdict, Voucher};
pub use body::{BodyError, EdgeBody};
pub use config::{Config, ConfigError, ForwardedHeader, HEADERS_CEILING, Http2};
pub use edge::{Drained, Edge};
pub use issued::IssuedCertificates;
pub use journal::{AccessLine, AccessLines, AccessLog, Batch, CacheOutcome, Journal, Particulars, Record, Tail};
pub use late::Late;
pub use limits::{
    Allowances, Charges, Claim, Client, Grant, Hypothesis, KeyName, LimitFigures, Meter, NamedLimit, Rate, RateLimits,
    Settled, Simulated, Subject,
};
pub use listener::{BindError, Listener};
pub use local_ca::LocalCa;
pub use local_ca_files::LocalCaError;
pub use routing::{Ask, CacheConfig, Purge, Router, RoutesError, RoutesFile, Routing, RoutingConfig};
pub use threshold::{Https, Threshold};
pub use tls::{CertificateSource, ClientCertificates, Tls, TlsError};
pub use trace::TraceContext;
