//! The edge: names with their certificates, leases, limits of issuers, budgets that replicas share.

use crate::step::Step;

pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "m20261122_000001_create",
        up: include_str!("m20261122_000001_create.up.sql"),
        down: include_str!("m20261122_000001_create.down.sql"),
        // The process works through all names; a tenant's faces ask by its domains.
        tenant_tables: &[],
    },
    Step {
        name: "m20261123_000001_own_names",
        up: include_str!("m20261123_000001_own_names.up.sql"),
        down: include_str!("m20261123_000001_own_names.down.sql"),
        tenant_tables: &[],
    },
    Step {
        name: "m20261124_000001_routes",
        up: include_str!("m20261124_000001_routes.up.sql"),
        down: include_str!("m20261124_000001_routes.down.sql"),
        // The operators' alone.
        tenant_tables: &[],
    },
    Step {
        name: "m20261125_000001_allowances",
        up: include_str!("m20261125_000001_allowances.up.sql"),
        down: include_str!("m20261125_000001_allowances.down.sql"),
        tenant_tables: &[],
    },
    Step {
        name: "m20261126_000001_purges",
        up: include_str!("m20261126_000001_purges.up.sql"),
        down: include_str!("m20261126_000001_purges.down.sql"),
        // The operators' alone.
        tenant_tables: &[],
    },
];
