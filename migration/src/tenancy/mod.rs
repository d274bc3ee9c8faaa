//! Tenants, their roles, members, invitations and domains.

use crate::step::Step;

pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "m20261122_000001_create",
        up: include_str!("m20261122_000001_create.up.sql"),
        down: include_str!("m20261122_000001_create.down.sql"),
        tenant_tables: &["tenancy_tenant", "tenancy_role", "tenancy_member", "tenancy_invitation"],
    },
    Step {
        name: "m20261123_000001_domains",
        up: include_str!("m20261123_000001_domains.up.sql"),
        down: include_str!("m20261123_000001_domains.down.sql"),
        tenant_tables: &["tenancy_domain", "tenancy_domain_step"],
    },
];
