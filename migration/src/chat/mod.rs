//! Conversations, their messages, answers and the answers' logs; and who can be asked for an answer.

use crate::step::Step;

pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "m20261122_000001_create",
        up: include_str!("m20261122_000001_create.up.sql"),
        down: include_str!("m20261122_000001_create.down.sql"),
        tenant_tables: &["chat_conversation", "chat_message", "chat_answer", "chat_event", "chat_provider"],
    },
    Step {
        name: "m20261123_000001_reasons_and_branches",
        up: include_str!("m20261123_000001_reasons_and_branches.up.sql"),
        down: include_str!("m20261123_000001_reasons_and_branches.down.sql"),
        tenant_tables: &[],
    },
];
