//! All that can go wrong in this module, each with its code and a sentence that helps.

use std::time::Duration;

use kernel::{Kind, Problem};

use crate::model::TenantState;

/// All that can go wrong in this module.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not a slug.
    #[error("A slug has 3 to 40 characters out of a-z, 0-9 and -, and no - at its ends or twice at its third place.")]
    SlugInvalid,
    /// A word that would look like a part of Holdfast.
    #[error("The slug {0:?} is reserved; choose another.")]
    SlugReserved(String),
    /// Another tenant has it.
    #[error("The slug {0:?} is taken; choose another.")]
    SlugTaken(String),
    /// Not a name; the field.
    #[error("{0} takes 1 to 100 characters, none of them a control character.")]
    NameInvalid(&'static str),
    /// Not a description.
    #[error("A description has at most 500 characters, none of them a control character but line breaks.")]
    DescriptionInvalid,
    /// Not an address; the field.
    #[error("{0} takes an e-mail address such as ada@example.com, at most 254 characters.")]
    EmailInvalid(&'static str),
    /// The tenant's state does not allow it; the state and what would.
    #[error("The tenant is {state}; {1}.", state = .0.as_str())]
    WrongState(TenantState, &'static str),
    /// The operators' tenant.
    #[error("The system tenant is where the operators live; it can't be suspended or deleted.")]
    SystemTenant,
    /// Another role has the name.
    #[error("A role is already called {0:?} (names differ in more than their case); choose another name.")]
    RoleNameTaken(String),
    /// A built-in role.
    #[error("The role {0:?} is built in and can't be changed or deleted; make a custom role instead.")]
    RoleBuiltIn(String),
    /// Somebody holds the role; members and pending invitations.
    #[error(
        "The role is held by {members} members and named by {invitations} pending invitations; \
         give them another role or revoke the invitations first."
    )]
    RoleInUse {
        /// Members who hold it.
        members: u64,
        /// Pending invitations that name it.
        invitations: u64,
    },
    /// The role does not exist in this tenant.
    #[error("There is no such role in this tenant; list the roles and take one of their ids.")]
    RoleUnknown,
    /// Not in the catalogue; where in the list, and the name.
    #[error("There is no permission {1:?}; list the permissions and take their names.")]
    PermissionUnknown(usize, String),
    /// More permissions than there are.
    #[error("A role takes at most 200 permissions.")]
    TooManyPermissions,
    /// The caller does not hold it.
    #[error("You don't hold the permission {0} yourself, so you can't give or take roles that hold it.")]
    PermissionNotHeld(String),
    /// Only owners deal with owners.
    #[error("Only an owner can make, change or remove an owner.")]
    OwnersOnly,
    /// Nobody would own the tenant.
    #[error("This is the last owner; make somebody else an owner first.")]
    LastOwner,
    /// The address belongs to a member.
    #[error("{0} is a member already; change the member's role instead.")]
    AlreadyMember(String),
    /// The account is a member.
    #[error("This account is a member already.")]
    AccountIsMember,
    /// The address has a pending invitation.
    #[error("{0} has a pending invitation already; revoke it first to send another.")]
    InvitationPending(String),
    /// No longer pending.
    #[error("The invitation was accepted, revoked or has expired, so it can't be revoked.")]
    InvitationSettled,
    /// Wrong token, other address, used, revoked, or too late: one answer for all.
    #[error("This invitation does not hold for this address, was used or revoked, or has expired; ask for a new one.")]
    InvitationInvalid,
    /// Not a name that can be claimed; why.
    #[error("{0}")]
    DomainInvalid(&'static str),
    /// A name of this installation.
    #[error("This name belongs to this installation; choose one of your own.")]
    DomainReserved,
    /// The tenant has claimed it already.
    #[error("{0} is claimed already; look for it in the list of domains.")]
    DomainClaimed(String),
    /// Another tenant became the holder at this very moment.
    #[error("Another tenant of this installation holds this name.")]
    DomainHeld,
    /// As many as a tenant may have.
    #[error("A tenant has at most {0} domains; release one first.")]
    TooManyDomains(usize),
    /// It was checked a moment ago; how long to wait.
    #[error("The domain was checked a moment ago; try again in {secs} s.", secs = .0.as_secs().max(1))]
    CheckTooSoon(Duration),
    /// What the kernel says.
    #[error("{}", .0.detail)]
    Kernel(Problem),
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Kernel(problem)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        let conflict = |code| Self::new(Kind::Conflict, code, detail.clone());
        let forbidden = |code| Self::new(Kind::Forbidden, code, detail.clone());
        match error {
            Error::SlugInvalid => Self::field("slug", "tenancy.slug_invalid", detail),
            Error::SlugReserved(_) => Self::field("slug", "tenancy.slug_reserved", detail),
            Error::SlugTaken(_) => conflict("tenancy.slug_taken"),
            Error::NameInvalid(path) => Self::field(path, "tenancy.name_invalid", detail),
            Error::DescriptionInvalid => Self::field("description", "tenancy.description_invalid", detail),
            Error::EmailInvalid(path) => Self::field(path, "tenancy.email_invalid", detail),
            Error::WrongState(..) => conflict("tenancy.wrong_state"),
            Error::SystemTenant => conflict("tenancy.system_tenant"),
            Error::RoleNameTaken(_) => conflict("tenancy.role_name_taken"),
            Error::RoleBuiltIn(_) => conflict("tenancy.role_built_in"),
            Error::RoleInUse { .. } => conflict("tenancy.role_in_use"),
            Error::RoleUnknown => Self::field("role_id", "tenancy.role_unknown", detail),
            Error::PermissionUnknown(index, _) => {
                Self::field(format!("permissions.{index}"), "tenancy.permission_unknown", detail)
            }
            Error::TooManyPermissions => Self::field("permissions", "tenancy.too_many_permissions", detail),
            Error::PermissionNotHeld(_) => forbidden("tenancy.permission_not_held"),
            Error::OwnersOnly => forbidden("tenancy.owners_only"),
            Error::LastOwner => conflict("tenancy.last_owner"),
            Error::AlreadyMember(_) | Error::AccountIsMember => conflict("tenancy.already_member"),
            Error::InvitationPending(_) => conflict("tenancy.invitation_pending"),
            Error::InvitationSettled => conflict("tenancy.invitation_settled"),
            Error::InvitationInvalid => Self::new(Kind::Invalid, "tenancy.invitation_invalid", detail),
            Error::DomainInvalid(_) => Self::field("name", "tenancy.domain_invalid", detail),
            Error::DomainReserved => Self::field("name", "tenancy.domain_reserved", detail),
            Error::DomainClaimed(_) => conflict("tenancy.domain_claimed"),
            Error::DomainHeld => conflict("tenancy.domain_held"),
            Error::TooManyDomains(_) => conflict("tenancy.too_many_domains"),
            Error::CheckTooSoon(wait) => {
                Self::new(Kind::RateLimited, "tenancy.check_too_soon", detail).after(wait.max(Duration::from_secs(1)))
            }
            Error::Kernel(problem) => problem,
        }
    }
}
