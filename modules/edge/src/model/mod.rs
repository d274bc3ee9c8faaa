//! The words of this domain.

mod certificates;
mod routes;

pub use certificates::{Certificate, CertificateFailure, CertificateStatus, CertificateStep};
pub use routes::{
    NewPool, NewRoute, Pool, PoolId, PoolKind, PoolStatus, Purged, Route, RouteId, RouteKind, RouteQuestion,
    RouteVerdict, RoutingStatus, UpdatePool, UpdateRoute, UpstreamStatus,
};
