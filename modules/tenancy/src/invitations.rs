//! Invitations: bound to an address, with a token that is shown once and holds once.

use chrono::TimeDelta;
use kernel::{Caller, Expected, ListParams, ListRequest, Page, Problem, Tx};

use crate::Tenancy;
use crate::announce::{Target, announce};
use crate::error::Error;
use crate::listing;
use crate::membership::Invited;
use crate::model::{CreatedInvitation, Invitation, InvitationId, InvitationState, NewInvitation, RoleRef, Tenant};
use crate::permissions::{INVITATIONS_READ, INVITATIONS_WRITE};
use crate::store;
use crate::words::parse_email;

const TOKEN_PREFIX: &str = "hfi_";

fn target(invitation: &Invitation) -> Target {
    ("invitation", invitation.id.to_string())
}

impl Tenancy {
    /// A page of the tenant's invitations.
    ///
    /// # Errors
    /// 400 for a wrong parameter, or the caller lacks [`INVITATIONS_READ`].
    pub async fn list_invitations(
        &self,
        caller: &Caller,
        params: &ListParams,
    ) -> Result<(ListRequest, Page<Invitation>), Error> {
        caller.require(INVITATIONS_READ)?;
        let request = ListRequest::new(&listing::INVITATIONS, params, caller, self.db().keys())?;
        let list = async |tx: &Tx| store::invitations::list(tx, &request).await;
        let invitations: Vec<_> = self.db().read(caller, list).await?;
        let page = request.page(invitations)?;
        Ok((request, page))
    }

    /// One invitation.
    ///
    /// # Errors
    /// The 404, or the caller lacks [`INVITATIONS_READ`].
    pub async fn get_invitation(&self, caller: &Caller, id: InvitationId) -> Result<Invitation, Error> {
        caller.require(INVITATIONS_READ)?;
        let find = async |tx: &Tx| store::invitations::find(tx, id).await;
        let found: Option<Invitation> = self.db().read(caller, find).await?;
        Ok(found.ok_or_else(Problem::not_found)?)
    }

    /// Invites an address.
    ///
    /// # Errors
    /// [`Error::EmailInvalid`], [`Error::RoleUnknown`], [`Error::PermissionNotHeld`], [`Error::OwnersOnly`],
    /// [`Error::AlreadyMember`], [`Error::InvitationPending`], or the caller lacks [`INVITATIONS_WRITE`].
    pub async fn create_invitation(&self, caller: &Caller, new: NewInvitation) -> Result<CreatedInvitation, Error> {
        caller.require(INVITATIONS_WRITE)?;
        let email = parse_email("email", &new.email)?;

        self.db()
            .write_once(caller, "tenancy.create_invitation", &new, async |tx| {
                let role = self.role_of(tx, new.role_id).await?;
                self.outranks(tx, caller, &role).await?;
                if store::members::has_email(tx, &email).await? {
                    return Err(Error::AlreadyMember(email.clone()));
                }
                let tenant = store::tenants::find(tx, self.config(), tx.tenant()).await?;
                let tenant = tenant.ok_or_else(Problem::not_found)?;
                self.invite(tx, caller, &tenant, &email, role.to_ref()).await
            })
            .await
    }

    /// Takes a pending invitation back.
    ///
    /// # Errors
    /// [`Error::InvitationSettled`] when it is not pending, 412, the 404, or the caller lacks [`INVITATIONS_WRITE`].
    pub async fn revoke_invitation(&self, caller: &Caller, id: InvitationId, expected: Expected) -> Result<(), Error> {
        caller.require(INVITATIONS_WRITE)?;

        self.db()
            .write_once(caller, "tenancy.revoke_invitation", &id, async |tx| {
                let mut invitation = store::invitations::find(tx, id).await?.ok_or_else(Problem::not_found)?;
                expected.check(invitation.version)?;
                if !store::invitations::revoke(tx, id).await? {
                    return Err(Error::InvitationSettled);
                }
                invitation.state = InvitationState::Revoked;
                invitation.version += 1;
                announce(tx, caller, "tenancy.invitation_revoked", target(&invitation), &invitation).await?;
                Ok(())
            })
            .await
    }

    /// Uses an invitation up, in the transaction that makes its account and member.
    ///
    /// Of many at once one succeeds. Token and address are checked together by one keyed hash, so neither the answer
    /// nor its time tells which of them was wrong.
    ///
    /// # Errors
    /// [`Error::InvitationInvalid`] in every case.
    pub async fn consume_invitation(
        &self,
        tx: &Tx,
        caller: &Caller,
        token: &str,
        email: &str,
    ) -> Result<Invited, Error> {
        let email = parse_email("email", email)?;
        let hash = self.invitation_hash(tx.tenant(), token, &email);
        let id = store::invitations::consume(tx, &hash).await?.ok_or(Error::InvitationInvalid)?;
        let invitation = store::invitations::find(tx, id).await?.ok_or(Error::InvitationInvalid)?;
        announce(tx, caller, "tenancy.invitation_accepted", target(&invitation), &invitation).await?;
        Ok(Invited { role_id: invitation.role.id, invitation_id: id })
    }

    /// Writes an invitation to a tenant that need not be the transaction's own.
    pub(crate) async fn invite(
        &self,
        tx: &Tx,
        caller: &Caller,
        tenant: &Tenant,
        email: &str,
        role: RoleRef,
    ) -> Result<CreatedInvitation, Error> {
        let now = tx.now();
        let invitation = Invitation {
            id: tx.new_id(),
            email: email.to_owned(),
            role,
            state: InvitationState::Pending,
            expires_at: now + TimeDelta::hours(self.config().invitation_lifetime_hours.into()),
            created_at: now,
            version: 1,
        };
        let token = format!("{TOKEN_PREFIX}{}", hex::encode(tx.random().bytes::<32>()));
        let hash = self.invitation_hash(tenant.id, &token, email);
        store::invitations::insert(tx, tenant.id, &invitation, &hash).await?;
        announce(tx, caller, "tenancy.invitation_created", target(&invitation), &invitation).await?;
        let url = format!("{}/console/invitation#token={token}", tenant.url);
        Ok(CreatedInvitation { invitation, token, url })
    }

    fn invitation_hash(&self, tenant: kernel::TenantId, token: &str, email: &str) -> [u8; 32] {
        self.0.invitation_mac.tag(&[tenant.uuid().as_bytes(), token.as_bytes(), email.as_bytes()])
    }
}
