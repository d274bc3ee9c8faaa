//! What this module guards.

use kernel::{Level, Permission, PermissionSpec};

/// See accounts.
pub const ACCOUNTS_READ: Permission = Permission("identity.accounts.read");
/// Rename and disable accounts.
pub const ACCOUNTS_WRITE: Permission = Permission("identity.accounts.write");
/// See the sessions of others.
pub const SESSIONS_READ: Permission = Permission("identity.sessions.read");
/// End the sessions of others.
pub const SESSIONS_WRITE: Permission = Permission("identity.sessions.write");
/// See the API keys of others.
pub const API_KEYS_READ: Permission = Permission("identity.api_keys.read");
/// Delete the API keys of others.
pub const API_KEYS_WRITE: Permission = Permission("identity.api_keys.write");
/// See the signing keys.
pub const SIGNING_KEYS_READ: Permission = Permission("identity.signing_keys.read");
/// Rotate the signing keys.
pub const SIGNING_KEYS_WRITE: Permission = Permission("identity.signing_keys.write");

const fn spec(permission: Permission, level: Level, description: &'static str) -> PermissionSpec {
    PermissionSpec { permission, level, description }
}

/// The permissions of this module.
pub const PERMISSIONS: &[PermissionSpec] = &[
    spec(ACCOUNTS_READ, Level::Admin, "See the accounts of the tenant"),
    spec(ACCOUNTS_WRITE, Level::Admin, "Rename, disable and enable accounts"),
    spec(SESSIONS_READ, Level::Admin, "See the sessions of others"),
    spec(SESSIONS_WRITE, Level::Admin, "End the sessions of others"),
    spec(API_KEYS_READ, Level::Admin, "See the API keys of others"),
    spec(API_KEYS_WRITE, Level::Admin, "Delete the API keys of others"),
    spec(SIGNING_KEYS_READ, Level::Admin, "See the keys that sign access tokens"),
    spec(SIGNING_KEYS_WRITE, Level::Owner, "Rotate the keys that sign access tokens"),
];
