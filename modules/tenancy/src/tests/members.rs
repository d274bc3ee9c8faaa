//! Members: who may change whom, and that an owner stays.

use kernel::{AccountId, Caller, Expected, Patch};
use testkit::{Engine, on_both_engines};
use tokio::task::JoinSet;

use super::{House, code, house, new_role, status};
use crate::{Error, Member, RoleId, UpdateMember};

fn to(role: RoleId) -> UpdateMember {
    UpdateMember { role_id: Patch::Set(role) }
}

async fn update(house: &House, caller: &Caller, member: &Member, role: RoleId) -> Result<Member, Error> {
    house.tenancy.update_member(caller, member.id, Expected::Unnamed, to(role)).await
}

async fn a_new_role_is_felt_with_the_next_request_and_on_record(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let owner = house.member(acme.id, "owner").await;
    let viewer = house.member(acme.id, "viewer").await;
    let member = house.own(&viewer).await;
    let editor = house.role(acme.id, "editor").await.id;

    let stale = house.tenancy.update_member(&owner, member.id, Expected::Version(9), to(editor)).await;
    assert_eq!(status(stale.unwrap_err()), 412);
    let changed = update(&house, &owner, &member, editor).await.unwrap();

    assert_eq!((changed.role.name.as_str(), changed.version), ("editor", 2));
    let now = house.caller(acme.id, member.account_id).await;
    assert!(now.permissions.contains("vault.write"));
    assert!(house.events(acme.id).await.contains(&"tenancy.member_updated".to_owned()));
    assert!(house.audited(acme.id).await.contains(&"tenancy.member_updated".to_owned()));
}

async fn nobody_gives_a_role_that_holds_more_than_they_do(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let owner = house.member(acme.id, "owner").await;
    let admin = house.member(acme.id, "admin").await;
    let viewer = house.own(&house.member(acme.id, "viewer").await).await;
    let shredder = house.tenancy.create_role(&owner, new_role("Shredder", &["vault.shred"])).await.unwrap();
    let owner_role = house.role(acme.id, "owner").await.id;

    for role in [shredder.id, owner_role] {
        let given = update(&house, &admin, &viewer, role).await;
        assert!(matches!(given.unwrap_err(), Error::PermissionNotHeld(_)));
    }
    let own = house.own(&admin).await;
    assert!(update(&house, &admin, &own, owner_role).await.is_err(), "nobody raises themselves");
    let unknown = update(&house, &admin, &viewer, house.db.random().id(house.db.clock().now())).await;
    assert_eq!(code(unknown.unwrap_err()), "tenancy.role_unknown");
}

/// Also where no permission is the owners' own, and where a custom role holds all that there is.
async fn an_admin_can_t_touch_an_owner(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let owner = house.member(acme.id, "owner").await;
    house.member(acme.id, "owner").await;
    let admin = house.member(acme.id, "admin").await;
    let everything: Vec<_> = owner.permissions.names().collect();
    let everything = house.tenancy.create_role(&owner, new_role("Everything", &everything)).await.unwrap();
    let mighty = house.join(acme.id, everything.id).await;
    let mighty = house.caller(acme.id, mighty.account_id).await;
    let target = house.own(&owner).await;
    let viewer = house.role(acme.id, "viewer").await.id;

    assert!(matches!(update(&house, &admin, &target, viewer).await.unwrap_err(), Error::PermissionNotHeld(_)));
    assert!(matches!(update(&house, &mighty, &target, viewer).await.unwrap_err(), Error::OwnersOnly));
    let removed = house.tenancy.remove_member(&mighty, target.id, Expected::Unnamed).await;
    assert!(matches!(removed.unwrap_err(), Error::OwnersOnly));
    assert!(house.tenancy.remove_member(&owner, target.id, Expected::Unnamed).await.is_ok());
}

async fn a_removed_member_holds_nothing_and_is_announced(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let admin = house.member(acme.id, "admin").await;
    let viewer = house.member(acme.id, "viewer").await;
    let member = house.own(&viewer).await;

    house.tenancy.remove_member(&admin, member.id, Expected::Unnamed).await.unwrap();

    let now = house.caller(acme.id, member.account_id).await;
    assert_eq!(now.permissions.names().count(), 0);
    assert!(house.events(acme.id).await.contains(&"tenancy.member_removed".to_owned()));
    assert_eq!(status(house.tenancy.get_member(&admin, member.id).await.unwrap_err()), 404);
    let again = house.tenancy.remove_member(&admin, member.id, Expected::Unnamed).await;
    assert_eq!(status(again.unwrap_err()), 404);
}

async fn an_account_joins_once_and_is_renamed(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let caller = Caller::system("test", acme.id);
    let member = house.own(&house.member(acme.id, "viewer").await).await;
    let account = member.account_id;

    let twice = house
        .db
        .write(&caller, async |tx| {
            house.tenancy.add_member(tx, &caller, account, "x@example.com", "X", member.role.id).await
        })
        .await;
    assert_eq!(code(twice.unwrap_err()), "tenancy.already_member");
    let rename = async |account: AccountId| {
        let rename =
            async |tx: &kernel::Tx| house.tenancy.rename_member(tx, &caller, account, "new@example.com", "New").await;
        house.db.write(&caller, rename).await.unwrap()
    };
    assert!(rename(account).await);
    assert!(!rename(house.db.random().id(house.db.clock().now())).await);
    let renamed = house.tenancy.get_member(&caller, member.id).await.unwrap();
    assert_eq!((renamed.email.as_str(), renamed.display_name.as_str()), ("new@example.com", "New"));
}

async fn the_last_owner_stays(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let owner = house.member(acme.id, "owner").await;
    let member = house.own(&owner).await;
    let viewer = house.role(acme.id, "viewer").await.id;

    assert!(matches!(update(&house, &owner, &member, viewer).await.unwrap_err(), Error::LastOwner));
    let removed = house.tenancy.remove_member(&owner, member.id, Expected::Unnamed).await;
    assert!(matches!(removed.unwrap_err(), Error::LastOwner));
    let left =
        house.db.write(&owner, async |tx| house.tenancy.remove_account(tx, &owner, member.account_id).await).await;
    assert!(matches!(left.unwrap_err(), Error::LastOwner));
}

async fn of_owners_who_all_leave_at_once_one_stays(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let viewer = house.role(acme.id, "viewer").await.id;
    let mut owners = Vec::new();
    for _ in 0..64 {
        let owner = house.member(acme.id, "owner").await;
        let member = house.own(&owner).await;
        owners.push((owner, member));
    }
    let mut race = JoinSet::new();
    for (number, (owner, member)) in owners.into_iter().enumerate() {
        let tenancy = house.tenancy.clone();
        race.spawn(async move {
            if number % 2 == 0 {
                tenancy.remove_member(&owner, member.id, Expected::Unnamed).await
            } else {
                tenancy.update_member(&owner, member.id, Expected::Unnamed, to(viewer)).await.map(|_| ())
            }
        });
    }

    let outcomes = race.join_all().await;

    let refused: Vec<_> = outcomes.into_iter().filter_map(Result::err).collect();
    assert!(matches!(refused[..], [Error::LastOwner]), "{refused:?}");
    let caller = Caller::system("test", acme.id);
    let owners = house.db.write(&caller, async |tx| house.tenancy.owners(tx).await).await.unwrap();
    assert_eq!(owners.len(), 1);
}

on_both_engines!(
    a_new_role_is_felt_with_the_next_request_and_on_record,
    nobody_gives_a_role_that_holds_more_than_they_do,
    an_admin_can_t_touch_an_owner,
    a_removed_member_holds_nothing_and_is_announced,
    an_account_joins_once_and_is_renamed,
    the_last_owner_stays,
    of_owners_who_all_leave_at_once_one_stays,
);
