//! What this module guards.

use kernel::{Level, Permission, PermissionSpec};

/// Read what one owns or was granted.
pub const READ: Permission = Permission("vault.read");
/// Make collections, and change what one owns or was granted for writing.
pub const WRITE: Permission = Permission("vault.write");
/// Grant others access to what one owns.
pub const SHARE: Permission = Permission("vault.share");
/// Read and change everything in the vault, whoever owns it.
pub const MANAGE: Permission = Permission("vault.manage");

const fn spec(permission: Permission, level: Level, description: &'static str) -> PermissionSpec {
    PermissionSpec { permission, level, description }
}

/// All of them, for the catalogue.
pub const PERMISSIONS: &[PermissionSpec] = &[
    spec(READ, Level::Viewer, "Read the documents and records that you own or that were granted to you."),
    spec(WRITE, Level::Editor, "Make collections; change what you own or may write to."),
    spec(SHARE, Level::Editor, "Grant others access to what you own."),
    spec(MANAGE, Level::Owner, "Read, change and share everything in the vault, whoever owns it."),
];
