//! The edge's rows: names and their certificates, as the gateway's crates need them kept, and what people see of them.
//!
//! Start at [`Edge`]. Owns the tables `edge_*`; stands on `kernel`, `audit` and `events`, and on the gateway's own crates:
//! it implements the store of certificates ([`CertificateRows`]) and the budgets of limits that replicas share
//! ([`SharedBudgets`]), which may lie in Redis or NATS instead of its tables.
//!
//! Hears `tenancy.domain.verified` and `.released`: a domain that is verified and leads here is to have a certificate, before
//! the first visitor comes. Publishes `edge.route_created`, `_updated`, `_deleted` and `edge.pool_created`, `_updated`, `_deleted` in the
//! operators' tenant. The audit trail uses the same names, and has `edge.certificate_renewal_asked` and
//! `edge.cache_purged`.
//!
//! Rows of routes are checked as a whole and put in force by whoever implements [`Steering`]. Operators look at recent
//! requests and at limits through a [`Lookout`], which lies in memory: each process tells its own.
//!
//! Deliberately absent: how certificates are ordered, renewed and served, which is `edge-certificates`', and which names
//! a tenant may have, which is `tenancy`'s.

mod allowances;
mod certificates;
mod config;
mod error;
pub mod graphql; // faces, for the composition root only
mod issuance;
mod listing;
mod model;
mod permissions;
mod ports;
mod purging;
pub mod rest;
mod routes;
mod service;
mod steering;
mod store;
mod subscribers;
#[cfg(test)]
mod tests;
mod traffic;

pub use allowances::SharedBudgets;
pub use certificates::CertificateRows;
pub use config::{DnsConfig, EdgeConfig, LimitStore, SharedLimitsConfig, WebhookSettings};
pub use error::{EdgeConfigError, Error, SharedLimitsError};
pub use model::{
    CachePurge, Certificate, CertificateFailure, CertificateStatus, CertificateStep, EdgeRequest, LimitHypothesis,
    LimitInForce, LimitSimulation, LimitSubject, LimitToll, LimitedBy, LimitedClient, LimitsInForce, NewPool, NewRoute,
    Pool, PoolId, PoolKind, PoolStatus, PurgeAnswers, PurgeWhat, Purged, RequestTold, Route, RouteId, RouteKind,
    RouteQuestion, RouteVerdict, RoutingStatus, UpdatePool, UpdateRoute, UpstreamStatus,
};
pub use permissions::{CERTIFICATES_READ, CERTIFICATES_WRITE, PERMISSIONS, REQUESTS_READ, ROUTES_READ, ROUTES_WRITE};
pub use ports::RootSealer;
pub use service::Edge;
pub use steering::{RoutingProblem, RoutingRows, Steering};
pub use traffic::{Lookout, RequestEvent};
