//! The schema: one folder and one ledger a module, applied in floor order.
//!
//! Steps are SQL that both engines share; the few words in which they differ stand in braces (see [`step`]).
//! Deliberately absent: any query of a module, and any step that reads another module's tables.

mod audit;
mod chat;
mod edge;
mod events;
mod identity;
mod jobs;
mod kernel;
mod knowledge;
mod ledger;
mod step;
mod tenancy;
mod vault;

pub use ledger::{Ledger, MigrationError, StepStatus, down, grant, pending, status, up};
pub use step::Step;

/// All ledgers, the lowest floor first.
pub const LEDGERS: &[Ledger] = &[
    Ledger { module: "kernel", steps: kernel::STEPS },
    Ledger { module: "events", steps: events::STEPS },
    Ledger { module: "jobs", steps: jobs::STEPS },
    Ledger { module: "audit", steps: audit::STEPS },
    Ledger { module: "tenancy", steps: tenancy::STEPS },
    Ledger { module: "edge", steps: edge::STEPS },
    Ledger { module: "identity", steps: identity::STEPS },
    Ledger { module: "vault", steps: vault::STEPS },
    Ledger { module: "knowledge", steps: knowledge::STEPS },
    Ledger { module: "chat", steps: chat::STEPS },
];
