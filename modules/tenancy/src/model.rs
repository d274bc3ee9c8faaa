//! The words of this domain, as both faces and other modules see them.

use std::fmt;

use chrono::{DateTime, Utc};
use kernel::rest::Etag;
use kernel::{AccountId, Id, IdKind, Level, Patch, TenantId};
use serde::{Deserialize, Serialize};

/// Names a role: `rol_…`.
pub enum RoleKind {}
impl IdKind for RoleKind {
    const PREFIX: &'static str = "rol";
}
/// Names a role.
pub type RoleId = Id<RoleKind>;

/// Names a member: `mem_…`.
pub enum MemberKind {}
impl IdKind for MemberKind {
    const PREFIX: &'static str = "mem";
}
/// Names a member.
pub type MemberId = Id<MemberKind>;

/// Names an invitation: `inv_…`.
pub enum InvitationKind {}
impl IdKind for InvitationKind {
    const PREFIX: &'static str = "inv";
}
/// Names an invitation.
pub type InvitationId = Id<InvitationKind>;

/// How a level is called as a role.
pub(crate) const fn level_name(level: Level) -> &'static str {
    match level {
        Level::Viewer => "viewer",
        Level::Editor => "editor",
        Level::Admin => "admin",
        Level::Owner => "owner",
    }
}

/// The level with this name.
pub(crate) fn level_named(name: &str) -> Option<Level> {
    [Level::Viewer, Level::Editor, Level::Admin, Level::Owner].into_iter().find(|level| level_name(*level) == name)
}

/// How a tenant stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Enum, async_graphql::Enum)]
#[serde(rename_all = "snake_case")]
#[oai(rename_all = "snake_case")]
pub enum TenantState {
    /// In use.
    Active,
    /// Closed by an operator; its data stays.
    Suspended,
    /// Its data goes at `purge_at` unless it is restored before.
    Deleting,
}

impl TenantState {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Deleting => "deleting",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Active, Self::Suspended, Self::Deleting].into_iter().find(|state| state.as_str() == name)
    }
}

/// One customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct Tenant {
    /// Names the tenant.
    pub id: TenantId,
    /// Short name in addresses, unique.
    pub slug: String,
    /// Name for people.
    pub name: String,
    /// How it stands.
    pub state: TenantState,
    /// Why it is suspended, if somebody said so.
    pub suspended_reason: Option<String>,
    /// When its data goes, if it is being deleted.
    pub purge_at: Option<DateTime<Utc>>,
    /// Where it is reached.
    pub url: String,
    /// Its name as an issuer of tokens.
    pub issuer: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Grows with every change; the entity tag.
    pub version: i64,
}

/// What a tenant is made of.
#[derive(Clone, Debug, Serialize, poem_openapi::Object, async_graphql::InputObject)]
#[oai(deny_unknown_fields)]
pub struct NewTenant {
    /// 3 to 40 characters of a-z, 0-9 and -, not at the ends; unique, and it stays.
    #[oai(validator(max_length = 40))]
    pub slug: String,
    /// Name for people, 1 to 100 characters.
    #[oai(validator(max_length = 200))]
    pub name: String,
    /// Invites this address as the first owner.
    #[oai(validator(max_length = 254))]
    pub owner_email: Option<String>,
}

/// A tenant that was just made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct CreatedTenant {
    /// The tenant.
    pub tenant: Tenant,
    /// The first owner's invitation, if an address was given.
    pub invitation: Option<CreatedInvitation>,
}

/// What can be changed of a tenant.
#[derive(Clone, Debug, Default, Serialize, poem_openapi::Object, async_graphql::InputObject)]
#[oai(deny_unknown_fields)]
pub struct UpdateTenant {
    /// Name for people, 1 to 100 characters.
    #[graphql(default)]
    pub name: Patch<String>,
}

/// Why a tenant is suspended.
#[derive(Clone, Debug, Default, Serialize, poem_openapi::Object, async_graphql::InputObject)]
#[oai(deny_unknown_fields)]
pub struct SuspendTenant {
    /// For its members and other operators, at most 500 characters.
    #[oai(validator(max_length = 500))]
    pub reason: Option<String>,
}

/// A role by id and name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct RoleRef {
    /// Names the role.
    pub id: RoleId,
    /// Its name.
    pub name: String,
}

/// What somebody who holds it may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct Role {
    /// Names the role.
    pub id: RoleId,
    /// Unique in the tenant, whatever its case.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Whether it came with the tenant and can't be changed.
    pub built_in: bool,
    /// The permissions that it holds, by name.
    pub permissions: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Grows with every change; the entity tag.
    pub version: i64,
}

/// What a role is made of.
#[derive(Clone, Debug, Serialize, poem_openapi::Object, async_graphql::InputObject)]
#[oai(deny_unknown_fields)]
pub struct NewRole {
    /// Unique in the tenant, 1 to 100 characters.
    #[oai(validator(max_length = 200))]
    pub name: String,
    /// What it is for, at most 500 characters.
    #[oai(validator(max_length = 1000))]
    pub description: Option<String>,
    /// Permissions of the catalogue, which you must hold yourself.
    #[oai(validator(max_items = 200))]
    pub permissions: Vec<String>,
}

/// What can be changed of a role.
#[derive(Clone, Debug, Default, Serialize, poem_openapi::Object, async_graphql::InputObject)]
#[oai(deny_unknown_fields)]
pub struct UpdateRole {
    /// Unique in the tenant, 1 to 100 characters.
    #[graphql(default)]
    pub name: Patch<String>,
    /// What it is for, at most 500 characters.
    #[graphql(default)]
    pub description: Patch<String>,
    /// Permissions of the catalogue, which you must hold yourself.
    #[graphql(default)]
    pub permissions: Patch<Vec<String>>,
}

/// An account's place in a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
#[graphql(complex)]
pub struct Member {
    /// Names the membership.
    pub id: MemberId,
    /// The account.
    pub account_id: AccountId,
    /// The account's address.
    pub email: String,
    /// The account's name for people.
    pub display_name: String,
    /// What it may do.
    #[graphql(skip)]
    pub role: RoleRef,
    /// Since when.
    pub created_at: DateTime<Utc>,
    /// Grows with every change; the entity tag.
    pub version: i64,
}

/// What can be changed of a member.
#[derive(Clone, Debug, Default, Serialize, poem_openapi::Object, async_graphql::InputObject)]
#[oai(deny_unknown_fields)]
pub struct UpdateMember {
    /// The new role.
    #[graphql(default)]
    pub role_id: Patch<RoleId>,
}

/// How an invitation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Enum, async_graphql::Enum)]
#[serde(rename_all = "snake_case")]
#[oai(rename_all = "snake_case")]
pub enum InvitationState {
    /// It can be accepted.
    Pending,
    /// It was.
    Accepted,
    /// Somebody took it back.
    Revoked,
    /// Its time has passed.
    Expired,
}

impl InvitationState {
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "pending" => Some(Self::Pending),
            "accepted" => Some(Self::Accepted),
            "revoked" => Some(Self::Revoked),
            "expired" => Some(Self::Expired),
            _ => None,
        }
    }
}

/// An invitation to become a member, bound to one address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct Invitation {
    /// Names the invitation.
    pub id: InvitationId,
    /// Who is invited, in lower case.
    pub email: String,
    /// What they will be.
    pub role: RoleRef,
    /// How it stands.
    pub state: InvitationState,
    /// Until when it can be accepted.
    pub expires_at: DateTime<Utc>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Grows with every change; the entity tag.
    pub version: i64,
}

/// Who is invited as what.
#[derive(Clone, Debug, Serialize, poem_openapi::Object, async_graphql::InputObject)]
#[oai(deny_unknown_fields)]
pub struct NewInvitation {
    /// The only address that can accept it.
    #[oai(validator(max_length = 254))]
    pub email: String,
    /// A role whose permissions you all hold yourself.
    pub role_id: RoleId,
}

/// An invitation that was just made, with its token, which is shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct CreatedInvitation {
    /// The invitation.
    pub invitation: Invitation,
    /// What proves the invitation; not shown again.
    pub token: String,
    /// The page that accepts it, with the token in the fragment.
    pub url: String,
}

impl fmt::Debug for CreatedInvitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CreatedInvitation({})", self.invitation.id)
    }
}

/// A permission that roles can hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
#[oai(rename = "Permission")]
#[graphql(name = "Permission")]
pub struct PermissionEntry {
    /// Its name.
    pub name: String,
    /// What it allows.
    pub description: String,
    /// The module that guards it.
    pub module: String,
    /// The built-in roles that hold it.
    pub granted_to: Vec<String>,
}

macro_rules! etags {
    ($($version:expr => $type:ty),+ $(,)?) => {
        $(impl Etag for $type {
            fn version(&self) -> Option<i64> {
                let version: fn(&$type) -> i64 = $version;
                Some(version(self))
            }
        })+
    };
}

etags! {
    |it| it.version => Tenant,
    |it| it.tenant.version => CreatedTenant,
    |it| it.version => Role,
    |it| it.version => Member,
    |it| it.version => Invitation,
    |it| it.invitation.version => CreatedInvitation,
}
