//! Roles: what they may hold, who may change them, and how they end.

use kernel::{Caller, Expected, Patch, SYSTEM_TENANT};
use testkit::{Engine, on_both_engines};

use super::{all, code, house, new_role, status};
use crate::{Error, Role, UpdateRole};

fn permissions(names: &[&str]) -> UpdateRole {
    let names = names.iter().map(|&name| name.to_owned()).collect();
    UpdateRole { permissions: Patch::Set(names), ..UpdateRole::default() }
}

fn at(role: &Role) -> Expected {
    Expected::Version(role.version)
}

async fn built_in_roles_take_their_permissions_from_the_catalogue(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let holds = async |role: &str, permission: &str| {
        house.role(acme.id, role).await.permissions.contains(&permission.to_owned())
    };

    assert!(holds("viewer", "vault.read").await && !holds("viewer", "vault.write").await);
    assert!(holds("editor", "vault.write").await && !holds("editor", "vault.share").await);
    assert!(holds("admin", "vault.share").await && !holds("admin", "vault.shred").await);
    assert!(holds("owner", "vault.shred").await);
    assert!(!holds("owner", "tenancy.tenants.read").await && !holds("owner", "system.read").await);
    let operators = house.role(SYSTEM_TENANT, "owner").await;
    assert!(operators.permissions.contains(&"tenancy.tenants.write".to_owned()));
    let system = house.role(SYSTEM_TENANT, "viewer").await;
    assert!(system.permissions.contains(&"system.read".to_owned()));
}

async fn the_catalogue_shows_operators_permissions_to_operators_only(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let names = async |tenant| {
        let caller = house.member(tenant, "viewer").await;
        let (_, page) = house.tenancy.list_permissions(&caller, &all()).await.unwrap();
        page.items
    };

    let ours = names(acme.id).await;
    let share = ours.iter().find(|it| it.name == "vault.share").unwrap();
    assert_eq!((share.module.as_str(), share.granted_to.join(" ")), ("vault", "owner admin".to_owned()));
    assert!(!ours.iter().any(|it| it.name.starts_with("tenancy.tenants.") || it.module == "system"));
    let theirs = names(SYSTEM_TENANT).await;
    assert_eq!(theirs.len(), ours.len() + 3);
}

async fn a_role_holds_only_what_exists_and_what_its_author_holds(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let admin = house.member(acme.id, "admin").await;
    let create = async |permissions: &[&str]| house.tenancy.create_role(&admin, new_role("Clerk", permissions)).await;

    assert_eq!(code(create(&["vault.read", "vault.fly"]).await.unwrap_err()), "tenancy.permission_unknown");
    assert_eq!(code(create(&["tenancy.tenants.write"]).await.unwrap_err()), "tenancy.permission_unknown");
    let not_held = create(&["vault.shred"]).await.unwrap_err();
    assert!(matches!(&not_held, Error::PermissionNotHeld(name) if name == "vault.shred"));
    let many = vec!["vault.read"; 201];
    assert!(matches!(create(&many).await.unwrap_err(), Error::TooManyPermissions));
    let role = create(&["vault.write", "vault.read", "vault.read"]).await.unwrap();
    assert_eq!(role.permissions, ["vault.read", "vault.write"]);
    assert_eq!(house.tenancy.get_role(&admin, role.id).await.unwrap(), role);

    let more = house.tenancy.update_role(&admin, role.id, at(&role), permissions(&["vault.shred"])).await;
    assert!(matches!(more.unwrap_err(), Error::PermissionNotHeld(_)));
}

async fn nobody_changes_a_role_that_holds_more_than_they_do(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let owner = house.member(acme.id, "owner").await;
    let admin = house.member(acme.id, "admin").await;
    let role = house.tenancy.create_role(&owner, new_role("Shredder", &["vault.shred"])).await.unwrap();

    let weaken = house.tenancy.update_role(&admin, role.id, at(&role), permissions(&[])).await;
    assert!(matches!(weaken.unwrap_err(), Error::PermissionNotHeld(_)));
    let delete = house.tenancy.delete_role(&admin, role.id, at(&role)).await;
    assert!(matches!(delete.unwrap_err(), Error::PermissionNotHeld(_)));
    assert!(house.tenancy.delete_role(&owner, role.id, at(&role)).await.is_ok());
}

async fn names_are_unique_whatever_their_case(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let other = house.tenant("globex").await;
    let owner = house.member(acme.id, "owner").await;
    let role = house.tenancy.create_role(&owner, new_role("Clerk", &[])).await.unwrap();

    for taken in ["clerk", " CLERK ", "Owner"] {
        let error = house.tenancy.create_role(&owner, new_role(taken, &[])).await.unwrap_err();
        assert!(matches!(error, Error::RoleNameTaken(_)), "{taken}");
    }
    let rename = UpdateRole { name: Patch::Set("viewer".to_owned()), ..UpdateRole::default() };
    let renamed = house.tenancy.update_role(&owner, role.id, at(&role), rename).await;
    assert!(matches!(renamed.unwrap_err(), Error::RoleNameTaken(_)));
    let theirs = Caller::system("test", other.id);
    assert!(house.tenancy.create_role(&theirs, new_role("Clerk", &[])).await.is_ok());
}

async fn a_change_needs_the_current_version_and_is_felt_at_once(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let owner = house.member(acme.id, "owner").await;
    let role = house.tenancy.create_role(&owner, new_role("Clerk", &["vault.read"])).await.unwrap();
    let clerk = house.join(acme.id, role.id).await.account_id;
    let update =
        async |expected| house.tenancy.update_role(&owner, role.id, expected, permissions(&["vault.write"])).await;

    assert_eq!(status(update(Expected::Unnamed).await.unwrap_err()), 428);
    assert_eq!(status(update(Expected::Version(7)).await.unwrap_err()), 412);
    let changed = update(at(&role)).await.unwrap();
    assert_eq!((changed.version, changed.description.as_str()), (2, ""));
    let now = house.caller(acme.id, clerk).await;
    assert!(now.permissions.contains("vault.write") && !now.permissions.contains("vault.read"));
    assert_eq!(status(house.tenancy.delete_role(&owner, role.id, Expected::Unnamed).await.unwrap_err()), 428);
}

async fn built_in_and_used_roles_stay(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let owner = house.member(acme.id, "owner").await;
    let viewer = house.role(acme.id, "viewer").await;
    let role = house.tenancy.create_role(&owner, new_role("Clerk", &[])).await.unwrap();
    house.join(acme.id, role.id).await;
    let invite = crate::NewInvitation { email: "b@example.com".to_owned(), role_id: role.id };
    house.tenancy.create_invitation(&owner, invite).await.unwrap();

    let changed = house.tenancy.update_role(&owner, viewer.id, at(&viewer), permissions(&[])).await;
    assert_eq!(code(changed.unwrap_err()), "tenancy.role_built_in");
    let deleted = house.tenancy.delete_role(&owner, viewer.id, at(&viewer)).await;
    assert_eq!(code(deleted.unwrap_err()), "tenancy.role_built_in");
    let used = house.tenancy.delete_role(&owner, role.id, at(&role)).await.unwrap_err();
    assert!(matches!(used, Error::RoleInUse { members: 1, invitations: 1 }), "{used}");
}

/// A role that is being given away while it is deleted: one of the two happens, never both.
async fn a_role_is_not_deleted_under_a_new_member(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let owner = house.member(acme.id, "owner").await;

    for round in 0..8 {
        let role = house.tenancy.create_role(&owner, new_role(&format!("Clerk {round}"), &[])).await.unwrap();
        let account = house.db.random().id(house.db.clock().now());
        let joins = house.db.write(&owner, async |tx| {
            house.tenancy.add_member(tx, &owner, account, "c@example.com", "C", role.id).await
        });
        let deletes = house.tenancy.delete_role(&owner, role.id, at(&role));
        let (joined, deleted) = tokio::join!(joins, deletes);

        assert_ne!(joined.is_ok(), deleted.is_ok(), "{joined:?} {deleted:?}");
        for error in joined.err().into_iter().chain(deleted.err()) {
            assert!(matches!(error, Error::RoleUnknown | Error::RoleInUse { .. }), "{error}");
        }
    }
}

on_both_engines!(
    built_in_roles_take_their_permissions_from_the_catalogue,
    the_catalogue_shows_operators_permissions_to_operators_only,
    a_role_holds_only_what_exists_and_what_its_author_holds,
    nobody_changes_a_role_that_holds_more_than_they_do,
    names_are_unique_whatever_their_case,
    a_change_needs_the_current_version_and_is_felt_at_once,
    built_in_and_used_roles_stay,
    a_role_is_not_deleted_under_a_new_member,
);
