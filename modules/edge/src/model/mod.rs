//! The words of this domain.

mod certificates;
mod limits;
mod requests;
mod routes;

pub use certificates::{Certificate, CertificateFailure, CertificateStatus, CertificateStep};
pub use limits::{
    LimitHypothesis, LimitInForce, LimitSimulation, LimitSubject, LimitToll, LimitedBy, LimitedClient, LimitsInForce,
};
pub(crate) use requests::MissedRequests;
pub use requests::{EdgeRequest, RequestTold};
pub use routes::{
    CachePurge, NewPool, NewRoute, Pool, PoolId, PoolKind, PoolStatus, PurgeAnswers, PurgeWhat, Purged, Route, RouteId,
    RouteKind, RouteQuestion, RouteVerdict, RoutingStatus, UpdatePool, UpdateRoute, UpstreamStatus,
};
