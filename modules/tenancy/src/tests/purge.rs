//! The end of a tenant: by a job, when the grace is over, and not before.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use events::{Event, Events, Subscriber};
use jobs::{Jobs, JobsConfig};
use kernel::{Caller, Expected, Problem, SYSTEM_TENANT, Tasks, TenantId, Tx};
use testkit::{Engine, on_both_engines};
use tokio::sync::Notify;

use super::{House, code, house, new_tenant, status};

/// Notes in which tenants it was told of a purge.
#[derive(Default)]
struct Witness {
    told: Mutex<Vec<(TenantId, TenantId, String)>>,
    bell: Notify,
}

#[async_trait]
impl Subscriber for Witness {
    fn name(&self) -> &'static str {
        "test.witness"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["tenancy.tenant_purged"]
    }

    async fn handle(&self, tx: &Tx, event: &Event) -> Result<(), Problem> {
        let id = event.data["id"].as_str().unwrap_or_default().to_owned();
        self.told.lock().unwrap().push((tx.tenant(), event.tenant, id));
        self.bell.notify_one();
        Ok(())
    }
}

/// A process that runs jobs and events.
fn start(house: &House, witness: &Arc<Witness>) -> Tasks {
    let tasks = Tasks::default();
    let mut jobs = Jobs::new(house.db.clone(), JobsConfig::default());
    house.tenancy.handlers().into_iter().for_each(|handler| jobs.register(handler));
    jobs.start(&tasks);
    let mut events = Events::new(house.db.clone());
    events.subscribe(witness.clone());
    events.start(&tasks);
    tasks
}

async fn when_the_grace_is_over_the_rows_go_and_others_are_told_in_the_tenant(engine: Engine) {
    let house = house(engine).await;
    let operator = house.operator().await;
    let acme = house.tenant("acme").await;
    house.member(acme.id, "owner").await;
    house.tenancy.delete_tenant(&operator, acme.id, Expected::Any).await.unwrap();
    house.db.clock().shift(TimeDelta::days(30));
    let witness = Arc::new(Witness::default());

    let tasks = start(&house, &witness);
    tokio::time::timeout(Duration::from_secs(30), witness.bell.notified()).await.expect("the purge is announced");
    assert!(tasks.stop(Duration::from_secs(20)).await);

    assert_eq!(*witness.told.lock().unwrap(), [(acme.id, acme.id, acme.id.to_string())]);
    assert_eq!(status(house.tenancy.get_tenant(&operator, acme.id).await.unwrap_err()), 404);
    assert_eq!(house.tenancy.resolve_name("acme").await.unwrap(), None);
    let caller = Caller::platform("test");
    for table in ["tenancy_tenant", "tenancy_role", "tenancy_member", "tenancy_invitation"] {
        let sql = format!("UPDATE {table} SET version = version WHERE tenant_id = $1");
        let left =
            house.db.write(&caller, async |tx| Ok::<_, Problem>(tx.execute(&sql, [acme.id.into()]).await?)).await;
        assert_eq!(left.unwrap(), 0, "{table}");
    }
    assert!(house.audited(SYSTEM_TENANT).await.contains(&"tenancy.tenant_purged".to_owned()));
    let again = house.tenancy.create_tenant(&operator, new_tenant("acme")).await.unwrap();
    assert_ne!(again.tenant.id, acme.id, "the slug is free");
}

async fn a_restored_tenant_is_not_purged_by_the_job_of_its_deletion(engine: Engine) {
    let house = house(engine).await;
    let operator = house.operator().await;
    let id = house.tenant("acme").await.id;
    let tenancy = &house.tenancy;
    let job = async || {
        let kept = async |tx: &Tx| crate::store::tenants::find_for_update(tx, tenancy.config(), id).await;
        house.db.write(&operator.across_tenants(), kept).await.unwrap().unwrap().purge_job
    };
    tenancy.delete_tenant(&operator, id, Expected::Any).await.unwrap();
    let first = job().await.unwrap();
    assert_eq!(tenancy.purge(id, first).await.unwrap_err().code, "tenancy.purge_too_early");
    tenancy.restore_tenant(&operator, id, Expected::Any).await.unwrap();

    house.db.clock().shift(TimeDelta::days(31));

    tenancy.purge(id, first).await.unwrap();
    assert!(tenancy.get_tenant(&operator, id).await.is_ok());
    let cancelled = house.db.read(&operator, async |tx| jobs::find(tx, first).await).await.unwrap().unwrap();
    assert_eq!(cancelled.state, jobs::JobState::Cancelled);
    tenancy.delete_tenant(&operator, id, Expected::Any).await.unwrap();
    tenancy.purge(id, first).await.unwrap();
    assert!(tenancy.get_tenant(&operator, id).await.is_ok(), "an old job does not end a new deletion's grace");
    house.db.clock().shift(TimeDelta::days(30));
    let late = tenancy.restore_tenant(&operator, id, Expected::Any).await.unwrap_err();
    assert_eq!(code(late), "tenancy.wrong_state");
    tenancy.purge(id, job().await.unwrap()).await.unwrap();
    assert_eq!(status(tenancy.get_tenant(&operator, id).await.unwrap_err()), 404);
}

on_both_engines!(
    when_the_grace_is_over_the_rows_go_and_others_are_told_in_the_tenant,
    a_restored_tenant_is_not_purged_by_the_job_of_its_deletion,
);
