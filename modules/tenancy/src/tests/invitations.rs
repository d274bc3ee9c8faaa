//! Invitations: bound to an address, holding once and for a while.

use chrono::TimeDelta;
use kernel::{Caller, Expected, ListParams, TenantId};
use testkit::{Engine, on_both_engines};
use tokio::task::JoinSet;

use super::{House, all, code, house, request, status};
use crate::{CreatedInvitation, Error, InvitationState, Invited, NewInvitation, NewTenant, RoleId};

async fn invite(house: &House, caller: &Caller, email: &str, role: &str) -> Result<CreatedInvitation, Error> {
    let role_id = house.role(caller.tenant, role).await.id;
    house.tenancy.create_invitation(caller, NewInvitation { email: email.to_owned(), role_id }).await
}

async fn consume(house: &House, tenant: TenantId, token: &str, email: &str) -> Result<Invited, Error> {
    let visitor = Caller::anonymous(tenant, request());
    let consume = async |tx: &kernel::Tx| house.tenancy.consume_invitation(tx, &visitor, token, email).await;
    house.db.write(&visitor, consume).await
}

async fn an_invitation_holds_once_for_its_address(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let admin = house.member(acme.id, "admin").await;
    let made = invite(&house, &admin, "Ada@Example.com", "editor").await.unwrap();

    assert!(made.token.starts_with("hfi_") && made.token.len() == 68);
    assert_eq!(made.url, format!("https://acme.localhost:8443/console/invitation#token={}", made.token));
    for (token, email) in [("hfi_00", "ada@example.com"), ("", "ada@example.com"), (&made.token, "bob@example.com")] {
        assert_eq!(code(consume(&house, acme.id, token, email).await.unwrap_err()), "tenancy.invitation_invalid");
    }
    let invited = consume(&house, acme.id, &made.token, " ADA@example.com").await.unwrap();
    assert_eq!((invited.role_id, invited.invitation_id), (made.invitation.role.id, made.invitation.id));
    let again = consume(&house, acme.id, &made.token, "ada@example.com").await.unwrap_err();
    assert_eq!(code(again), "tenancy.invitation_invalid");
    let shown = house.tenancy.get_invitation(&admin, made.invitation.id).await.unwrap();
    assert_eq!((shown.state, shown.version), (InvitationState::Accepted, 2));
    assert!(house.audited(acme.id).await.contains(&"tenancy.invitation_accepted".to_owned()));
}

async fn an_invitation_of_one_tenant_does_not_hold_in_another(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let other = house.tenant("globex").await;
    let admin = house.member(acme.id, "admin").await;
    let made = invite(&house, &admin, "ada@example.com", "viewer").await.unwrap();

    assert!(consume(&house, other.id, &made.token, "ada@example.com").await.is_err());
    assert!(consume(&house, acme.id, &made.token, "ada@example.com").await.is_ok());
}

async fn of_64_who_accept_at_once_one_does(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let admin = house.member(acme.id, "admin").await;
    let token = invite(&house, &admin, "ada@example.com", "viewer").await.unwrap().token;
    let mut race = JoinSet::new();
    for _ in 0..64 {
        let (db, tenancy, token) = (house.db.clone(), house.tenancy.clone(), token.clone());
        race.spawn(async move {
            let visitor = Caller::anonymous(acme.id, request());
            let accept = async |tx: &kernel::Tx| {
                let invited = tenancy.consume_invitation(tx, &visitor, &token, "ada@example.com").await?;
                let account = tx.new_id();
                tenancy.add_member(tx, &visitor, account, "ada@example.com", "Ada", invited.role_id).await
            };
            db.write(&visitor, accept).await
        });
    }

    let outcomes = race.join_all().await;

    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(outcomes.iter().filter_map(|it| it.as_ref().err()).all(|it| matches!(it, Error::InvitationInvalid)));
    let params = ListParams { filter: Some("email eq \"ada@example.com\"".to_owned()), ..all() };
    assert_eq!(house.tenancy.list_members(&admin, &params).await.unwrap().1.items.len(), 1);
}

async fn an_invitation_expires_and_makes_room_for_another(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let made = invite(&house, &house.member(acme.id, "admin").await, "ada@example.com", "viewer").await.unwrap();
    let admin = house.member(acme.id, "admin").await;
    let pending = invite(&house, &admin, "ADA@example.com", "editor").await.unwrap_err();
    assert_eq!(code(pending), "tenancy.invitation_pending");

    house.db.clock().shift(TimeDelta::hours(48));

    assert!(consume(&house, acme.id, &made.token, "ada@example.com").await.is_err());
    let listed = async |state: &str| {
        let params = ListParams { filter: Some(format!("state eq \"{state}\"")), ..all() };
        house.tenancy.list_invitations(&admin, &params).await.unwrap().1.items.len()
    };
    assert_eq!((listed("pending").await, listed("expired").await), (0, 1));
    let shown = house.tenancy.get_invitation(&admin, made.invitation.id).await.unwrap();
    assert_eq!(shown.state, InvitationState::Expired);
    let revoked = house.tenancy.revoke_invitation(&admin, made.invitation.id, Expected::Unnamed).await;
    assert_eq!(code(revoked.unwrap_err()), "tenancy.invitation_settled");
    let next = invite(&house, &admin, "ada@example.com", "viewer").await.unwrap();
    assert!(consume(&house, acme.id, &next.token, "ada@example.com").await.is_ok());
}

async fn a_revoked_invitation_does_not_hold(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let admin = house.member(acme.id, "admin").await;
    let made = invite(&house, &admin, "ada@example.com", "viewer").await.unwrap();
    let revoke = async |expected| house.tenancy.revoke_invitation(&admin, made.invitation.id, expected).await;

    assert_eq!(status(revoke(Expected::Version(5)).await.unwrap_err()), 412);
    revoke(Expected::Version(1)).await.unwrap();
    assert_eq!(code(revoke(Expected::Unnamed).await.unwrap_err()), "tenancy.invitation_settled");
    assert!(consume(&house, acme.id, &made.token, "ada@example.com").await.is_err());
    assert!(invite(&house, &admin, "ada@example.com", "viewer").await.is_ok());
}

async fn nobody_invites_to_more_than_they_hold(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let admin = house.member(acme.id, "admin").await;
    let member = house.own(&admin).await;

    let owner = invite(&house, &admin, "ada@example.com", "owner").await.unwrap_err();
    assert!(matches!(owner, Error::PermissionNotHeld(_)));
    let known = invite(&house, &admin, &member.email, "viewer").await.unwrap_err();
    assert_eq!(code(known), "tenancy.already_member");
    let unknown: RoleId = house.db.random().id(house.db.clock().now());
    let new = NewInvitation { email: "ada@example.com".to_owned(), role_id: unknown };
    assert_eq!(code(house.tenancy.create_invitation(&admin, new).await.unwrap_err()), "tenancy.role_unknown");
    let long = format!("{}@example.com", "a".repeat(250));
    for bad in ["", "ada", "@example.com", "ada@", "a@b@c", "a da@example.com", "ada@exa\u{0}mple.com", &long] {
        assert_eq!(code(invite(&house, &admin, bad, "viewer").await.unwrap_err()), "tenancy.email_invalid", "{bad:?}");
    }
}

async fn the_first_owner_of_a_new_tenant_accepts_inside_it(engine: Engine) {
    let house = house(engine).await;
    let operator = house.operator().await;
    let new = NewTenant { owner_email: Some("ada@example.com".to_owned()), ..super::new_tenant("acme") };
    let made = house.tenancy.create_tenant(&operator, new).await.unwrap();
    let token = made.invitation.unwrap().token;

    assert!(consume(&house, operator.tenant, &token, "ada@example.com").await.is_err());
    let invited = consume(&house, made.tenant.id, &token, "ada@example.com").await.unwrap();
    assert_eq!(invited.role_id, house.role(made.tenant.id, "owner").await.id);
}

on_both_engines!(
    an_invitation_holds_once_for_its_address,
    an_invitation_of_one_tenant_does_not_hold_in_another,
    of_64_who_accept_at_once_one_does,
    an_invitation_expires_and_makes_room_for_another,
    a_revoked_invitation_does_not_hold,
    nobody_invites_to_more_than_they_hold,
    the_first_owner_of_a_new_tenant_accepts_inside_it,
);
