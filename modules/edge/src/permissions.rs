//! What this module guards.

use kernel::{Level, Permission, PermissionSpec};

/// See the certificates of one's domains and what happened to them.
pub const CERTIFICATES_READ: Permission = Permission("edge.certificates.read");
/// Have a certificate tried again or renewed now.
pub const CERTIFICATES_WRITE: Permission = Permission("edge.certificates.write");

/// See routes, pools and how they stand; in the system tenant only.
pub const ROUTES_READ: Permission = Permission("edge.routes.read");
/// Change routes and pools, and purge the cache; in the system tenant only.
pub const ROUTES_WRITE: Permission = Permission("edge.routes.write");

/// See the requests of all tenants with their addresses, and try limits on them; in the system tenant only.
pub const REQUESTS_READ: Permission = Permission("edge.requests.read");

/// All of them, for the catalogue.
pub const PERMISSIONS: &[PermissionSpec] = &[
    PermissionSpec {
        permission: CERTIFICATES_READ,
        level: Level::Viewer,
        description: "See the certificates of the tenant's domains and what happened to them.",
    },
    PermissionSpec {
        permission: CERTIFICATES_WRITE,
        level: Level::Admin,
        description: "Have certificates tried again or renewed now.",
    },
    PermissionSpec {
        permission: ROUTES_READ,
        level: Level::Viewer,
        description: "See the edge's routes, the pools behind them, and how they stand.",
    },
    PermissionSpec {
        permission: ROUTES_WRITE,
        level: Level::Admin,
        description: "Change the edge's routes and pools, and purge its cache.",
    },
    PermissionSpec {
        permission: REQUESTS_READ,
        level: Level::Admin,
        description: "See recent requests of all tenants with their clients' addresses, and try limits on them.",
    },
];
