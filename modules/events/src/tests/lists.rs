//! What people see, and what may go.

use kernel::{Caller, ListParams, PermissionSet, PermissionSpec, SYSTEM_TENANT, TenantId};
use testkit::Engine;

use super::{Echo, echoes, run_until, say, tenant, until_echoed, wait_for_retries};
use crate::delivery::Delivery;
use crate::{Events, PERMISSIONS, prune};

fn reader(tenant: TenantId) -> Caller {
    let mut caller = Caller::system("test", tenant);
    caller.permissions = PermissionSet::of(PERMISSIONS.iter().map(|PermissionSpec { permission, .. }| permission.0));
    caller
}

fn stranger(tenant: TenantId) -> Caller {
    let mut caller = Caller::system("test", tenant);
    caller.permissions = PermissionSet::default();
    caller
}

async fn a_tenant_sees_its_own_events_only(engine: Engine) {
    let db = testkit::db(engine).await;
    let (mine, theirs) = (tenant(&db), tenant(&db));
    let my_event = say(&db, mine, "a", "mine").await;
    let their_event = say(&db, theirs, "a", "theirs").await;
    let events = Events::new(db.clone());
    let caller = reader(mine);

    let (_, page) = events.list(&caller, &ListParams::default()).await.unwrap();
    let found = events.get(&caller, my_event).await.unwrap();
    let missing: kernel::Problem = events.get(&caller, their_event).await.unwrap_err().into();

    assert_eq!(page.items, [found]);
    assert_eq!(missing.kind.status(), 404);
}

async fn without_the_permission_nothing_is_shown(engine: Engine) {
    let db = testkit::db(engine).await;
    let mine = tenant(&db);
    let id = say(&db, mine, "a", "mine").await;
    let events = Events::new(db.clone());
    let params = ListParams::default();
    let status = |error: crate::Error| kernel::Problem::from(error).kind.status();

    assert_eq!(status(events.list(&stranger(mine), &params).await.unwrap_err()), 403);
    assert_eq!(status(events.get(&stranger(mine), id).await.unwrap_err()), 403);
    assert_eq!(status(events.subscribers(&stranger(SYSTEM_TENANT), &params).await.unwrap_err()), 403);
    assert_eq!(status(events.subscribers(&reader(mine), &params).await.unwrap_err()), 403);
}

async fn pages_hold_every_event_once(engine: Engine) {
    let db = testkit::db(engine).await;
    let mine = tenant(&db);
    for number in 0..7 {
        say(&db, mine, "a", &format!("{number}")).await;
    }
    let events = Events::new(db.clone());
    let filter = Some(r#"type eq "test.said" and key eq "a""#.to_owned());
    let mut params = ListParams { limit: Some(3), filter, ..ListParams::default() };

    let mut words = Vec::new();
    loop {
        let (request, page) = events.list(&reader(mine), &params).await.unwrap();
        words.extend(page.items.iter().map(|event| event.data["word"].as_str().unwrap().to_owned()));
        params.cursor = page.next.clone();
        assert!(!request.connection(page).unwrap().edges.is_empty());
        if params.cursor.is_none() {
            break;
        }
    }

    assert_eq!(words, ["6", "5", "4", "3", "2", "1", "0"]);
}

async fn operators_see_how_far_each_subscriber_has_come(engine: Engine) {
    let db = testkit::db(engine).await;
    let mine = tenant(&db);
    let mut one = Delivery::new(db.clone(), Echo::named("one"));
    let mut two = Delivery::new(db.clone(), Echo::named("two"));
    let tasks = kernel::Tasks::default();
    two.turn(&tasks).await.unwrap();
    say(&db, mine, "a", "a1").await;
    until_echoed(&db, &mut one, &["a1"]).await;
    let events = Events::new(db.clone());
    let params = ListParams { limit: Some(1), ..ListParams::default() };

    let (_, first) = events.subscribers(&reader(SYSTEM_TENANT), &params).await.unwrap();
    let params = ListParams { cursor: first.next.clone(), ..params };
    let (request, second) = events.subscribers(&reader(SYSTEM_TENANT), &params).await.unwrap();

    assert_eq!((first.items[0].name.as_str(), first.items[0].lag), ("one", 1), "its own answer is ahead of it");
    assert_eq!((second.items[0].name.as_str(), second.items[0].lag), ("two", 2));
    assert_eq!(second.next, None);
    assert_eq!(request.connection(second).unwrap().edges.len(), 1);
}

async fn pruning_takes_no_event_that_somebody_has_yet_to_do(engine: Engine) {
    let db = testkit::db(engine).await;
    let mine = tenant(&db);
    let echo = Echo::failing_at(&["failed"]);
    let mut quick = Delivery::new(db.clone(), echo.clone());
    let slow = Echo::named("slow");
    let mut slow_delivery = Delivery::new(db.clone(), slow.clone());
    slow_delivery.turn(&kernel::Tasks::default()).await.unwrap();
    say(&db, mine, "a", "done").await;
    say(&db, mine, "b", "failed").await;
    until_echoed(&db, &mut quick, &["done"]).await;
    run_until(&mut quick, || async { echo.heard().contains(&"failed".to_owned()) }).await;
    wait_for_retries(&db);
    let prune_all = async || {
        let before = db.clock().now();
        db.write(&Caller::platform("test"), async |tx| prune(tx, before).await).await.unwrap()
    };

    let while_one_is_slow = prune_all().await;
    run_until(&mut slow_delivery, || async { slow.heard().len() == 2 }).await;
    let after_it_caught_up = prune_all().await;
    let kept = Events::new(db.clone()).list(&reader(mine), &ListParams::default()).await.unwrap().1;

    assert_eq!(while_one_is_slow, 0);
    assert!(after_it_caught_up > 0);
    assert!(kept.items.iter().any(|event| event.data["word"] == "failed"), "a parked one stays");
    assert!(!kept.items.iter().any(|event| event.kind == "test.said" && event.data["word"] == "done"));
    echo.mended();
    run_until(&mut quick, || async { echoes(&db).await.contains(&"failed".to_owned()) }).await;
}

testkit::on_both_engines!(
    a_tenant_sees_its_own_events_only,
    without_the_permission_nothing_is_shown,
    pages_hold_every_event_once,
    operators_see_how_far_each_subscriber_has_come,
    pruning_takes_no_event_that_somebody_has_yet_to_do,
);
