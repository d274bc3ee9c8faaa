//! A house whose domains are looked up in a DNS of the test's own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::TimeDelta;
use edge_dns::{Answer, Diagnosis, Heard, Question, judge};
use kernel::Caller;
use testkit::Engine;

use super::{House, config, house};
use crate::domains::lookup::Lookup;
use crate::{Domain, DomainStatus, NewDomain, PERMISSIONS, Tenancy};

/// What DNS says: the proofs of a name, and where it leads.
#[derive(Default)]
pub(super) struct FakeDns {
    proofs: Mutex<HashMap<String, Vec<String>>>,
    addresses: Mutex<HashMap<String, [u8; 4]>>,
    silent: Mutex<bool>,
    asked: Mutex<Vec<String>>,
}

pub(super) const HERE: [u8; 4] = [192, 0, 2, 1];
pub(super) const ELSEWHERE: [u8; 4] = [198, 51, 100, 7];

impl FakeDns {
    pub(super) fn prove(&self, domain: &Domain) {
        let value = domain.records[0].value.clone();
        self.proofs.lock().unwrap().entry(domain.records[0].name.clone()).or_default().push(value);
    }

    pub(super) fn unprove(&self, domain: &Domain) {
        self.proofs.lock().unwrap().remove(&domain.records[0].name);
    }

    pub(super) fn lead(&self, name: &str, to: [u8; 4]) {
        self.addresses.lock().unwrap().insert(name.to_owned(), to);
    }

    pub(super) fn be_silent(&self, silent: bool) {
        *self.silent.lock().unwrap() = silent;
    }

    pub(super) fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

#[async_trait]
impl Lookup for FakeDns {
    async fn diagnose(&self, question: &Question) -> Diagnosis {
        self.asked.lock().unwrap().push(question.name.clone());
        let silent = *self.silent.lock().unwrap();
        let failed = || Answer::Failed("no answer".to_owned());
        let proof = self.proofs.lock().unwrap().get(&question.proof_name()).cloned();
        let address = self.addresses.lock().unwrap().get(&question.name).copied();
        let heard = Heard {
            resolver: "test".to_owned(),
            proof: if silent {
                Answer::Failed("no answer".to_owned())
            } else {
                proof.map_or(Answer::Nothing, Answer::Records)
            },
            ipv4: if silent {
                failed_as()
            } else {
                address.map_or(Answer::Nothing, |it| Answer::Records(vec![it.into()]))
            },
            ipv6: if silent { failed_as() } else { Answer::Nothing },
            alias: if silent { failed() } else { Answer::Nothing },
            target: vec![HERE.into()],
            caa: vec![(question.base().to_owned(), if silent { failed_as() } else { Answer::Nothing })],
        };
        judge(question, &[heard])
    }
}

fn failed_as<T>() -> Answer<T> {
    Answer::Failed("no answer".to_owned())
}

/// A house whose domains are looked up in the test's DNS.
pub(super) struct Estate {
    pub(super) house: House,
    pub(super) dns: Arc<FakeDns>,
}

impl Estate {
    pub(super) async fn new(engine: Engine) -> Self {
        let dns = Arc::<FakeDns>::default();
        let mut house = house(engine).await;
        let lookup = Arc::clone(&dns) as Arc<dyn Lookup>;
        house.tenancy = Tenancy::with_lookup(house.db.clone(), config(), vec![("tenancy", PERMISSIONS)], lookup);
        Self { house, dns }
    }

    pub(super) fn tenancy(&self) -> &Tenancy {
        &self.house.tenancy
    }

    pub(super) async fn owner(&self, slug: &str) -> Caller {
        let tenant = self.house.tenant(slug).await;
        self.house.member(tenant.id, "owner").await
    }

    pub(super) async fn claim(&self, owner: &Caller, name: &str) -> Domain {
        self.tenancy().claim_domain(owner, NewDomain { name: name.to_owned() }).await.unwrap()
    }

    /// Time passes, and whatever is due by then is checked.
    pub(super) async fn after(&self, time: TimeDelta) {
        self.house.db.clock().shift(time);
        self.due().await;
    }

    pub(super) async fn due(&self) {
        while self.tenancy().check_due().await.unwrap() > 0 {}
    }

    pub(super) async fn get(&self, owner: &Caller, domain: &Domain) -> Domain {
        self.tenancy().get_domain(owner, domain.id).await.unwrap()
    }

    /// A domain that is held and in use.
    pub(super) async fn held(&self, owner: &Caller, name: &str) -> Domain {
        let domain = self.claim(owner, name).await;
        self.dns.prove(&domain);
        self.dns.lead(name, HERE);
        self.due().await;
        let domain = self.get(owner, &domain).await;
        assert_eq!((domain.status, domain.ready), (DomainStatus::Verified, true), "{domain:?}");
        domain
    }

    pub(super) async fn told(&self, owner: &Caller) -> Vec<String> {
        let mut kinds = self.house.events(owner.tenant).await;
        kinds.retain(|kind| kind.starts_with("tenancy.domain."));
        kinds
    }

    pub(super) async fn serves(&self, host: &str) -> Option<kernel::TenantId> {
        self.tenancy().resolve_host(host).await.ok().flatten().map(|tenant| tenant.id)
    }
}

pub(super) fn codes(domain: &Domain) -> Vec<&str> {
    domain.findings.iter().map(|finding| finding.code.as_str()).collect()
}
