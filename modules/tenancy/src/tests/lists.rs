//! Lists in the dialect of the API: pages, filters, orders, cursors.

use kernel::{Caller, ListParams};
use testkit::{Engine, on_both_engines};

use super::{House, all, code, house, new_role};
use crate::{Error, Role};

async fn roles(house: &House, caller: &Caller, params: ListParams) -> Result<Vec<Role>, Error> {
    Ok(house.tenancy.list_roles(caller, &params).await?.1.items)
}

fn names(roles: &[Role]) -> Vec<&str> {
    roles.iter().map(|role| role.name.as_str()).collect()
}

async fn pages_meet_without_gap_or_twin_in_every_order(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let owner = house.member(acme.id, "owner").await;
    for number in 0..9 {
        house.tenancy.create_role(&owner, new_role(&format!("Role {number}"), &[])).await.unwrap();
    }

    for sort in ["created_at", "-created_at", "name", "-name", "updated_at", "id"] {
        let sort = Some(sort.to_owned());
        let whole = roles(&house, &owner, ListParams { sort: sort.clone(), ..all() }).await.unwrap();
        let mut pieced = Vec::new();
        let mut cursor = None;
        loop {
            let params = ListParams { limit: Some(4), cursor, sort: sort.clone(), filter: None };
            let (_, page) = house.tenancy.list_roles(&owner, &params).await.unwrap();
            pieced.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(whole.len(), 13);
        assert_eq!(pieced, whole, "{sort:?}");
    }
}

async fn filters_are_typed_and_the_same_on_both_engines(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let owner = house.member(acme.id, "owner").await;
    for name in ["Alpha", "alphabet", "100%", "a_b"] {
        house.tenancy.create_role(&owner, new_role(name, &[])).await.unwrap();
    }
    let found = async |filter: &str| {
        let params = ListParams { filter: Some(filter.to_owned()), sort: Some("name".to_owned()), ..all() };
        roles(&house, &owner, params).await
    };

    assert_eq!(names(&found("built_in eq false").await.unwrap()), ["100%", "Alpha", "a_b", "alphabet"]);
    assert_eq!(names(&found("name sw \"alpha\"").await.unwrap()), ["alphabet"]);
    assert_eq!(names(&found("name co \"%\"").await.unwrap()), ["100%"]);
    assert_eq!(names(&found("name co \"_\"").await.unwrap()), ["a_b"]);
    assert_eq!(
        names(&found("built_in eq true and not name in (\"owner\", \"admin\")").await.unwrap()),
        ["editor", "viewer"]
    );
    let id = found("name eq \"Alpha\"").await.unwrap()[0].id;
    assert_eq!(names(&found(&format!("id eq \"{id}\"")).await.unwrap()), ["Alpha"]);
    assert!(found("created_at gt 2100-01-01T00:00:00Z").await.unwrap().is_empty());
    for wrong in ["permissions eq \"x\"", "level eq \"owner\"", "built_in eq 3", "name eq", "tenant_id eq \"x\""] {
        assert_eq!(code(found(wrong).await.unwrap_err()), "kernel.filter_invalid", "{wrong}");
    }
}

async fn every_list_takes_each_of_its_orders_and_filters(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let owner = house.member(acme.id, "owner").await;
    let role_id = house.role(acme.id, "viewer").await.id;
    for number in 0..3 {
        let email = format!("{number}@example.com");
        house.tenancy.create_invitation(&owner, crate::NewInvitation { email, role_id }).await.unwrap();
        house.member(acme.id, "viewer").await;
    }
    let params = |sort: &str, filter: Option<String>, cursor: Option<String>| ListParams {
        limit: Some(2),
        sort: Some(sort.to_owned()),
        filter,
        cursor,
    };

    for sort in ["email", "-display_name", "created_at", "id"] {
        let filter = Some(format!("role_id eq \"{role_id}\""));
        let (_, first) = house.tenancy.list_members(&owner, &params(sort, filter.clone(), None)).await.unwrap();
        let (_, second) = house.tenancy.list_members(&owner, &params(sort, filter, first.next)).await.unwrap();
        assert_eq!((first.items.len(), second.items.len(), second.next), (2, 1, None), "{sort}");
    }
    for sort in ["email", "-expires_at", "created_at", "id"] {
        let filter = Some("state eq \"pending\"".to_owned());
        let (_, first) = house.tenancy.list_invitations(&owner, &params(sort, filter.clone(), None)).await.unwrap();
        let (_, second) = house.tenancy.list_invitations(&owner, &params(sort, filter, first.next)).await.unwrap();
        assert_eq!((first.items.len(), second.items.len(), second.next), (2, 1, None), "{sort}");
    }
    let operator = house.operator().await;
    for sort in ["slug", "-name", "created_at", "updated_at", "id"] {
        let filter = Some("state eq \"active\"".to_owned());
        let (_, page) = house.tenancy.list_tenants(&operator, &params(sort, filter, None)).await.unwrap();
        assert_eq!((page.items.len(), page.next), (2, None), "{sort}");
    }
}

async fn the_catalogue_is_paged_and_filtered_like_any_list(engine: Engine) {
    let house = house(engine).await;
    let acme = house.tenant("acme").await;
    let owner = house.member(acme.id, "owner").await;
    let list = async |filter: Option<&str>, cursor, limit| {
        let params = ListParams { limit, filter: filter.map(str::to_owned), cursor, sort: Some("-name".to_owned()) };
        let (_, page) = house.tenancy.list_permissions(&owner, &params).await.unwrap();
        (page.items.into_iter().map(|it| it.name).collect::<Vec<_>>(), page.next)
    };

    let (vault, _) = list(Some("module eq \"vault\""), None, None).await;
    assert_eq!(vault, ["vault.write", "vault.shred", "vault.share", "vault.read"]);
    let (first, next) = list(Some("name sw \"vault\""), None, Some(3)).await;
    let (second, end) = list(Some("name sw \"vault\""), next, Some(3)).await;
    assert_eq!([first, second].concat(), vault);
    assert_eq!(end, None);
}

async fn a_cursor_belongs_to_its_list_filter_order_and_tenant(engine: Engine) {
    let house = house(engine).await;
    let (acme, globex) = (house.tenant("acme").await, house.tenant("globex").await);
    let owner = house.member(acme.id, "owner").await;
    let theirs = house.member(globex.id, "owner").await;
    let (_, page) =
        house.tenancy.list_roles(&owner, &ListParams { limit: Some(2), ..ListParams::default() }).await.unwrap();
    let cursor = page.next;
    let again = ListParams { cursor: cursor.clone(), ..ListParams::default() };

    assert_eq!(roles(&house, &owner, again.clone()).await.unwrap().len(), 2);
    assert_eq!(code(roles(&house, &theirs, again.clone()).await.unwrap_err()), "kernel.cursor_invalid");
    let sorted = ListParams { sort: Some("name".to_owned()), ..again.clone() };
    assert_eq!(code(roles(&house, &owner, sorted).await.unwrap_err()), "kernel.cursor_invalid");
    assert_eq!(code(house.tenancy.list_members(&owner, &again).await.unwrap_err()), "kernel.cursor_invalid");
}

on_both_engines!(
    pages_meet_without_gap_or_twin_in_every_order,
    filters_are_typed_and_the_same_on_both_engines,
    every_list_takes_each_of_its_orders_and_filters,
    the_catalogue_is_paged_and_filtered_like_any_list,
    a_cursor_belongs_to_its_list_filter_order_and_tenant,
);
