//! What a caller needs here, beside what the vault lets it read.

use kernel::{Level, Permission, PermissionSpec};

/// Searching, and seeing how far documents are.
pub const READ: Permission = Permission("knowledge.read");
/// Having a document read again.
pub const WRITE: Permission = Permission("knowledge.write");

/// What roles can hold.
pub const PERMISSIONS: &[PermissionSpec] = &[
    PermissionSpec {
        permission: READ,
        level: Level::Viewer,
        description: "Search the documents that one may read, and see how far new ones are.",
    },
    PermissionSpec { permission: WRITE, level: Level::Editor, description: "Have a document read and indexed again." },
];
