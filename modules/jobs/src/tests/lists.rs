//! What people see.

use kernel::{Expected, ListParams, PermissionSet, SYSTEM_TENANT};
use testkit::Engine;

use super::*;

fn may(tenant: TenantId, permissions: &[&str]) -> Caller {
    let mut caller = Caller::system("test", tenant);
    caller.permissions = PermissionSet::of(permissions);
    caller
}

async fn without_the_permission_nothing_is_shown_or_done(engine: Engine) {
    let db = testkit::db(engine).await;
    let mine = tenant(&db);
    let id = promise(&db, mine, probe("")).await;
    let jobs = Jobs::new(db.clone(), JobsConfig::default());
    let (nothing, read) = (may(mine, &[]), may(mine, &["jobs.read"]));
    let status = |error: crate::Error| Problem::from(error).kind.status();

    assert_eq!(status(jobs.list(&nothing, &ListParams::default()).await.unwrap_err()), 403);
    assert_eq!(status(jobs.get(&nothing, id).await.unwrap_err()), 403);
    assert_eq!(jobs.stats(&nothing).await.unwrap_err().kind.status(), 403);
    assert_eq!(status(jobs.cancel(&read, id, Expected::Unnamed).await.unwrap_err()), 403);
    assert_eq!(status(jobs.retry(&read, id, Expected::Unnamed).await.unwrap_err()), 403);
    assert_eq!(jobs.get(&read, id).await.unwrap().state, JobState::Ready);
}

async fn operators_see_the_queues_of_all_tenants_and_others_their_own(engine: Engine) {
    let db = testkit::db(engine).await;
    let (mine, theirs) = (tenant(&db), tenant(&db));
    let later = db.clock().now() + chrono::TimeDelta::hours(1);
    promise(&db, mine, probe("")).await;
    promise(&db, mine, probe("").at(later)).await;
    promise(&db, mine, probe("").queue("mail")).await;
    promise(&db, theirs, probe("")).await;
    db.clock().shift(chrono::TimeDelta::seconds(10));
    let jobs = Jobs::new(db.clone(), JobsConfig::default());

    let own = jobs.stats(&may(mine, &["jobs.read"])).await.unwrap();
    let all = jobs.stats(&may(SYSTEM_TENANT, &["jobs.read"])).await.unwrap();

    let figures: Vec<_> = own.iter().map(|queue| (queue.queue.as_str(), queue.ready, queue.scheduled)).collect();
    assert_eq!(figures, [("default", 1, 1), ("mail", 1, 0)]);
    assert!(own[0].oldest_ready_seconds.unwrap() >= 10.0);
    assert_eq!((all[0].ready, all[0].scheduled), (2, 1));
    db.clock().shift(chrono::TimeDelta::hours(2));
    let overdue = jobs.stats(&may(mine, &["jobs.read"])).await.unwrap();
    assert_eq!((overdue[0].ready, overdue[0].scheduled), (2, 0), "what is due counts as ready");
}

async fn lists_are_filtered_and_paged(engine: Engine) {
    let db = testkit::db(engine).await;
    let mine = tenant(&db);
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(promise(&db, mine, probe("")).await);
    }
    let caller = Caller::system("test", mine);
    let jobs = Jobs::new(db.clone(), JobsConfig::default());
    jobs.cancel(&caller, ids[0], Expected::Unnamed).await.unwrap();
    let filter = Some(r#"state eq "ready" and kind sw "test.""#.to_owned());
    let mut params = ListParams { limit: Some(3), filter, sort: Some("created_at".to_owned()), cursor: None };

    let (_, first) = jobs.list(&caller, &params).await.unwrap();
    params.cursor = first.next.clone();
    let (request, second) = jobs.list(&caller, &params).await.unwrap();

    let seen: Vec<_> = first.items.iter().chain(&second.items).map(|job| job.id).collect();
    assert_eq!(seen, ids[1..]);
    assert_eq!(request.connection(second).unwrap().edges.len(), 1);
    let wrong = ListParams { filter: Some(r#"state eq "lost""#.to_owned()), ..ListParams::default() };
    assert_eq!(Problem::from(jobs.list(&caller, &wrong).await.unwrap_err()).kind.status(), 400);
}

async fn a_repeated_retry_with_the_same_key_is_one_retry(engine: Engine) {
    let db = testkit::db(engine).await;
    let mine = tenant(&db);
    let id = promise(&db, mine, probe("")).await;
    let jobs = Jobs::new(db.clone(), JobsConfig::default());
    let mut caller = Caller::system("test", mine);
    jobs.cancel(&caller, id, Expected::Unnamed).await.unwrap();
    caller.request.idempotency_key = Some("once".into());

    let first = jobs.retry(&caller, id, Expected::Unnamed).await.unwrap();
    let second = jobs.retry(&caller, id, Expected::Unnamed).await.unwrap();

    assert_eq!(first, second);
    assert!(caller.request.replayed());
}

testkit::on_both_engines!(
    without_the_permission_nothing_is_shown_or_done,
    operators_see_the_queues_of_all_tenants_and_others_their_own,
    lists_are_filtered_and_paged,
    a_repeated_retry_with_the_same_key_is_one_retry,
);
