//! What this module guards.

use kernel::{Level, Permission, PermissionSpec};

/// See one's own conversations.
pub const READ: Permission = Permission("chat.read");
/// Ask: in conversations, and over the OpenAI wire.
pub const WRITE: Permission = Permission("chat.write");
/// See the providers of models, without their keys.
pub const PROVIDERS_READ: Permission = Permission("chat.providers.read");
/// Add, change, test and remove providers of models.
pub const PROVIDERS_WRITE: Permission = Permission("chat.providers.write");

const fn spec(permission: Permission, level: Level, description: &'static str) -> PermissionSpec {
    PermissionSpec { permission, level, description }
}

/// All of them, for the catalogue.
pub const PERMISSIONS: &[PermissionSpec] = &[
    spec(READ, Level::Viewer, "See one's own conversations."),
    spec(WRITE, Level::Viewer, "Ask questions: in conversations, and by programs over the OpenAI wire."),
    spec(PROVIDERS_READ, Level::Admin, "See the providers of models, without their keys."),
    spec(PROVIDERS_WRITE, Level::Admin, "Add, change, test and remove providers of models."),
];
