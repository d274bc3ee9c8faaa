//! Accounts, their sessions and keys, and the keys that sign tokens.

use crate::step::Step;

pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "m20261122_000001_create",
        up: include_str!("m20261122_000001_create.up.sql"),
        down: include_str!("m20261122_000001_create.down.sql"),
        tenant_tables: &[
            "identity_account",
            "identity_session",
            "identity_refresh",
            "identity_api_key",
            "identity_signing_key",
        ],
    },
    Step {
        name: "m20261123_000001_domains",
        up: include_str!("m20261123_000001_domains.up.sql"),
        down: include_str!("m20261123_000001_domains.down.sql"),
        tenant_tables: &[],
    },
];
