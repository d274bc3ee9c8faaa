//! One tenant sees and changes nothing of another.

use kernel::{Caller, Expected, Patch, Problem};
use testkit::{Engine, on_both_engines};

use super::{House, all, house, new_role, status};
use crate::{
    Error, Invitation, Member, NewInvitation, Role, SuspendTenant, Tenant, UpdateMember, UpdateRole, UpdateTenant,
};

/// Everything that a tenant has, as it sees it itself.
async fn belongings(house: &House, tenant: &Tenant) -> (Tenant, Vec<Role>, Vec<Member>, Vec<Invitation>) {
    let caller = Caller::system("test", tenant.id);
    let tenancy = &house.tenancy;
    (
        tenancy.get_tenant(&caller, tenant.id).await.unwrap(),
        tenancy.list_roles(&caller, &all()).await.unwrap().1.items,
        tenancy.list_members(&caller, &all()).await.unwrap().1.items,
        tenancy.list_invitations(&caller, &all()).await.unwrap().1.items,
    )
}

fn hidden<T: std::fmt::Debug>(outcome: Result<T, Error>) {
    assert_eq!(Problem::from(outcome.unwrap_err()), Problem::not_found());
}

async fn a_foreign_id_is_the_same_404_for_every_function(engine: Engine) {
    let house = house(engine).await;
    let (acme, globex) = (house.tenant("acme").await, house.tenant("globex").await);
    let ours = house.member(acme.id, "owner").await;
    let role = house.tenancy.create_role(&ours, new_role("Clerk", &["vault.read"])).await.unwrap();
    let member = house.join(acme.id, role.id).await;
    let invite = NewInvitation { email: "b@example.com".to_owned(), role_id: role.id };
    let invitation = house.tenancy.create_invitation(&ours, invite).await.unwrap().invitation;
    let new = crate::NewDomain { name: "app.acme.example".to_owned() };
    let domain = house.tenancy.claim_domain(&ours, new).await.unwrap();
    let before = belongings(&house, &acme).await;
    let theirs = house.member(globex.id, "owner").await;
    let t = &house.tenancy;
    let any = Expected::Any;

    hidden(t.get_tenant(&theirs, acme.id).await);
    let rename = UpdateTenant { name: Patch::Set("Mine".to_owned()) };
    hidden(t.update_tenant(&theirs, acme.id, any, rename).await);
    hidden(t.get_role(&theirs, role.id).await);
    hidden(t.update_role(&theirs, role.id, any, UpdateRole::default()).await);
    hidden(t.delete_role(&theirs, role.id, any).await);
    hidden(t.get_member(&theirs, member.id).await);
    hidden(t.update_member(&theirs, member.id, any, UpdateMember::default()).await);
    hidden(t.remove_member(&theirs, member.id, any).await);
    hidden(t.get_invitation(&theirs, invitation.id).await);
    hidden(t.revoke_invitation(&theirs, invitation.id, any).await);
    hidden(t.get_domain(&theirs, domain.id).await);
    hidden(t.check_domain(&theirs, domain.id).await);
    hidden(t.release_domain(&theirs, domain.id, any).await);
    hidden(t.list_domain_timeline(&theirs, domain.id, &all()).await);
    for outcome in [
        t.suspend_tenant(&theirs, acme.id, any, SuspendTenant::default()).await,
        t.resume_tenant(&theirs, acme.id, any).await,
        t.delete_tenant(&theirs, acme.id, any).await,
        t.restore_tenant(&theirs, acme.id, any).await,
    ] {
        assert_eq!(status(outcome.unwrap_err()), 403);
    }
    assert_eq!(belongings(&house, &acme).await, before);
}

async fn a_foreign_role_is_given_to_nobody(engine: Engine) {
    let house = house(engine).await;
    let (acme, globex) = (house.tenant("acme").await, house.tenant("globex").await);
    let foreign = house.role(acme.id, "viewer").await.id;
    let theirs = house.member(globex.id, "owner").await;
    let member = house.own(&house.member(globex.id, "viewer").await).await;

    let update = UpdateMember { role_id: Patch::Set(foreign) };
    let updated = house.tenancy.update_member(&theirs, member.id, Expected::Any, update).await;
    assert!(matches!(updated.unwrap_err(), Error::RoleUnknown));
    let invite = NewInvitation { email: "b@example.com".to_owned(), role_id: foreign };
    assert!(matches!(house.tenancy.create_invitation(&theirs, invite).await.unwrap_err(), Error::RoleUnknown));
}

async fn lists_show_one_s_own_only(engine: Engine) {
    let house = house(engine).await;
    let (acme, globex) = (house.tenant("acme").await, house.tenant("globex").await);
    let ours = house.member(acme.id, "owner").await;
    let role = house.tenancy.create_role(&ours, new_role("Clerk", &[])).await.unwrap();
    let invite = NewInvitation { email: "b@example.com".to_owned(), role_id: role.id };
    house.tenancy.create_invitation(&ours, invite).await.unwrap();
    let theirs = house.member(globex.id, "owner").await;

    let (_, roles, members, invitations) = belongings(&house, &globex).await;
    assert_eq!((roles.len(), members.len(), invitations.len()), (4, 1, 0));
    let (_, tenants) = house.tenancy.list_tenants(&theirs, &all()).await.unwrap();
    assert_eq!(tenants.items, [globex]);
    let grants = async |tx: &kernel::Tx| house.tenancy.grants_of(tx, ours.account()?).await;
    let grants = house.db.read(&theirs, grants).await.unwrap();
    assert!(grants.roles.is_empty() && grants.permissions.names().count() == 0);
}

on_both_engines!(
    a_foreign_id_is_the_same_404_for_every_function,
    a_foreign_role_is_given_to_nobody,
    lists_show_one_s_own_only,
);

/// Even SQL that forgets the tenant reaches nothing of another one: the second wall, which only PostgreSQL has.
#[tokio::test]
async fn row_level_security_hides_what_a_statement_forgets() {
    const TABLES: [&str; 5] =
        ["tenancy_tenant", "tenancy_role", "tenancy_member", "tenancy_invitation", "tenancy_domain"];
    let house = house(Engine::Postgres).await;
    let (acme, globex) = (house.tenant("acme").await, house.tenant("globex").await);
    let ours = house.member(acme.id, "owner").await;
    let role_id = house.role(acme.id, "viewer").await.id;
    let invite = NewInvitation { email: "b@example.com".to_owned(), role_id };
    house.tenancy.create_invitation(&ours, invite).await.unwrap();
    let name = "app.acme.example".to_owned();
    house.tenancy.claim_domain(&ours, crate::NewDomain { name }).await.unwrap();
    let theirs = Caller::system("test", globex.id);
    let touched = async |caller: &Caller, table: &str| {
        let sql = format!("UPDATE {table} SET version = version WHERE tenant_id = $1");
        house.db.write(caller, async |tx| Ok::<_, Problem>(tx.execute(&sql, [acme.id.into()]).await?)).await.unwrap()
    };

    for table in TABLES {
        assert_eq!(touched(&theirs, table).await, 0, "{table}");
        assert!(touched(&Caller::system("test", acme.id), table).await > 0, "{table}");
        assert!(touched(&Caller::platform("test"), table).await > 0, "{table}");
    }
    let planted = house
        .db
        .write(&theirs, async |tx| {
            let sql = "INSERT INTO tenancy_role (tenant_id, id, name, name_key, description, permissions, created_at, \
                       updated_at, version) VALUES ($1, $1, 'x', 'x', '', '[]', now(), now(), 1)";
            Ok::<_, Problem>(tx.execute(sql, [acme.id.into()]).await?)
        })
        .await;
    assert!(planted.is_err(), "no row is written into another tenant");
}
