//! Domains: claimed, proved, held by one, lost and released, with a DNS of the test's own.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta};
use kernel::{Caller, Expected, Problem, SYSTEM_TENANT};
use testkit::{Engine, on_both_engines};
use tokio::task::JoinSet;

use super::estate::{ELSEWHERE, Estate, HERE, codes};
use super::{code, config, status};
use crate::domains::lookup::Lookup;
use crate::{
    CertificateStep, DomainCertificate, DomainCertificates, DomainPart, DomainStatus, NewDomain, PERMISSIONS, Tenancy,
};

async fn a_claim_names_its_records_and_is_checked_ever_more_seldom_until_it_is_proved(engine: Engine) {
    let estate = Estate::new(engine).await;
    let owner = estate.owner("acme").await;

    let domain = estate.claim(&owner, "App.Bücher.example").await;
    assert_eq!(
        (domain.name.as_str(), domain.display_name.as_str()),
        ("app.xn--bcher-kva.example", "app.bücher.example")
    );
    assert_eq!((domain.status, domain.ready, domain.proof), (DomainStatus::Pending, false, DomainPart::Unknown));
    let records: Vec<_> = domain.records.iter().map(|it| (it.kind.as_str(), it.name.as_str())).collect();
    assert_eq!(records, [("TXT", "_holdfast.app.xn--bcher-kva.example"), ("CNAME", "app.xn--bcher-kva.example")]);
    estate.due().await;
    let checked = estate.get(&owner, &domain).await;
    assert_eq!(codes(&checked), ["dns.proof_missing", "dns.no_address"]);
    assert!(checked.version > domain.version && checked.checked_at.is_some());
    estate.due().await;
    assert_eq!(estate.dns.asked(), 1, "not again at once");
    assert_eq!(estate.serves("app.xn--bcher-kva.example").await, None);

    estate.dns.prove(&domain);
    estate.after(TimeDelta::seconds(11)).await;
    let proved = estate.get(&owner, &domain).await;
    assert_eq!((proved.status, proved.ready), (DomainStatus::Verified, false));
    assert_eq!(codes(&proved), ["dns.no_address"]);
    estate.dns.lead(&domain.name, HERE);
    estate.after(TimeDelta::seconds(21)).await;
    let ready = estate.get(&owner, &domain).await;
    assert_eq!((ready.ready, ready.findings.len()), (true, 0));
    assert_eq!(estate.serves("App.xn--bcher-kva.example:8443").await, Some(owner.tenant));
    assert_eq!(
        estate.told(&owner).await,
        ["tenancy.domain.claimed", "tenancy.domain.verified", "tenancy.domain.verified"]
    );
    assert_eq!(estate.house.audited(owner.tenant).await.iter().filter(|it| it.contains("domain.")).count(), 3);
    let held = estate.tenancy().verified_domains(None, 10).await.unwrap();
    assert_eq!((held.len(), held[0].tenant, held[0].ready), (1, owner.tenant, true));
    assert_eq!(estate.tenancy().verified_domains(Some(held[0].id), 10).await.unwrap(), []);
}

async fn the_first_whose_proof_is_seen_holds_the_name_and_the_other_learns_no_more_than_that(engine: Engine) {
    let estate = Estate::new(engine).await;
    let (acme, globex) = (estate.owner("acme").await, estate.owner("globex").await);
    let held = estate.held(&acme, "app.customer.com").await;

    let other = estate.claim(&globex, "app.customer.com").await;
    assert_ne!(other.records[0].value, held.records[0].value, "proofs are bound to the claim");
    estate.due().await;
    assert_eq!(codes(&estate.get(&globex, &other).await), ["dns.proof_wrong"], "another's proof is none");
    estate.dns.prove(&other);
    estate.after(TimeDelta::seconds(11)).await;
    let other = estate.get(&globex, &other).await;
    assert_eq!((other.status, codes(&other)), (DomainStatus::Pending, vec!["tenancy.domain_held"]));
    let whole = serde_json::to_string(&other).unwrap();
    assert!(!whole.contains("acme") && !whole.contains(&acme.tenant.to_string()), "{whole}");
    assert_eq!(estate.serves("app.customer.com").await, Some(acme.tenant));

    estate.tenancy().release_domain(&acme, held.id, Expected::Unnamed).await.unwrap();
    assert_eq!(estate.serves("app.customer.com").await, None, "at once");
    estate.after(TimeDelta::seconds(11)).await;
    assert_eq!(estate.get(&globex, &other).await.status, DomainStatus::Verified, "who waits is woken");
    assert_eq!(estate.serves("app.customer.com").await, Some(globex.tenant));
}

/// 64 claims of one name, all proved, checked at the same time: one holder, and every other one is told.
async fn of_many_at_once_one_holds_the_name(engine: Engine) {
    let estate = Estate::new(engine).await;
    let mut claims = Vec::new();
    for number in 0..64 {
        let tenant = estate.house.tenant(&format!("tenant-{number}")).await;
        let caller = Caller::system("test", tenant.id);
        let domain = estate.claim(&caller, "app.customer.com").await;
        estate.dns.prove(&domain);
        claims.push((caller, domain));
    }
    estate.dns.lead("app.customer.com", HERE);

    let mut checks = JoinSet::new();
    for (caller, domain) in claims.clone() {
        let tenancy = estate.tenancy().clone();
        checks.spawn(async move { tenancy.check_domain(&caller, domain.id).await.unwrap() });
    }
    let checked = checks.join_all().await;

    let holders = checked.iter().filter(|domain| domain.status.is_held()).count();
    assert_eq!(holders, 1);
    let others = checked.iter().filter(|domain| !domain.status.is_held());
    assert!(others.clone().all(|domain| codes(domain) == ["tenancy.domain_held"]), "{:?}", others.collect::<Vec<_>>());
    let holder = estate.tenancy().verified_domains(None, 100).await.unwrap();
    assert_eq!(holder.len(), 1);
    assert_eq!(estate.serves("app.customer.com").await, Some(holder[0].tenant));
}

async fn a_released_domain_needs_a_new_proof(engine: Engine) {
    let estate = Estate::new(engine).await;
    let owner = estate.owner("acme").await;
    let held = estate.held(&owner, "app.customer.com").await;

    let stale = estate.tenancy().release_domain(&owner, held.id, Expected::Version(held.version + 7)).await;
    assert_eq!(status(stale.unwrap_err()), 412);
    estate.tenancy().release_domain(&owner, held.id, Expected::Version(held.version)).await.unwrap();
    assert_eq!(status(estate.tenancy().get_domain(&owner, held.id).await.unwrap_err()), 404);
    let again = estate.claim(&owner, "app.customer.com").await;
    estate.due().await;

    let again = estate.get(&owner, &again).await;
    assert_eq!((again.status, codes(&again)), (DomainStatus::Pending, vec!["dns.proof_wrong"]));
    estate.tenancy().release_domain(&owner, again.id, Expected::Unnamed).await.unwrap();
    let told = estate.told(&owner).await;
    assert_eq!(told.iter().filter(|kind| *kind == "tenancy.domain.released").count(), 1);
    assert_eq!(told.iter().filter(|kind| *kind == "tenancy.domain.withdrawn").count(), 1, "what was never held");
}

async fn a_proof_that_goes_costs_the_name_after_the_grace_only(engine: Engine) {
    let estate = Estate::new(engine).await;
    let (acme, globex) = (estate.owner("acme").await, estate.owner("globex").await);
    let held = estate.held(&acme, "app.customer.com").await;
    let other = estate.claim(&globex, "app.customer.com").await;
    estate.dns.unprove(&held);
    estate.dns.prove(&other);

    estate.after(TimeDelta::hours(27)).await;
    let failing = estate.get(&acme, &held).await;
    assert_eq!((failing.status, codes(&failing)), (DomainStatus::Failing, vec!["dns.proof_wrong"]));
    assert!(failing.proof_missing_since.is_some());
    assert_eq!(estate.serves("app.customer.com").await, Some(acme.tenant), "nothing is lost silently");
    assert_eq!(estate.get(&globex, &other).await.status, DomainStatus::Pending);
    let asked = estate.dns.asked();
    estate.after(TimeDelta::hours(20)).await;
    assert!(estate.dns.asked() - asked <= 2, "once a day for who failed, and the other's turn");

    for _ in 0..8 {
        estate.after(TimeDelta::hours(27)).await;
    }
    let lapsed = estate.get(&acme, &held).await;
    assert_eq!(lapsed.status, DomainStatus::Lapsed);
    assert_ne!(lapsed.records[0].value, held.records[0].value, "the old proof is none any more");
    assert!(estate.told(&acme).await.contains(&"tenancy.domain.failing".to_owned()));
    assert!(estate.told(&acme).await.contains(&"tenancy.domain.released".to_owned()));
    estate.after(TimeDelta::hours(27)).await;
    assert_eq!(estate.serves("app.customer.com").await, Some(globex.tenant));
}

async fn our_own_deafness_costs_nobody_a_name(engine: Engine) {
    let estate = Estate::new(engine).await;
    let owner = estate.owner("acme").await;
    let held = estate.held(&owner, "app.customer.com").await;

    estate.dns.be_silent(true);
    for _ in 0..30 {
        estate.after(TimeDelta::days(2)).await;
    }

    let domain = estate.get(&owner, &held).await;
    assert_eq!((domain.status, domain.ready), (DomainStatus::Verified, true));
    assert_eq!(codes(&domain), ["dns.resolvers_unreachable"]);
    estate.dns.be_silent(false);
    estate.dns.lead("app.customer.com", ELSEWHERE);
    estate.after(TimeDelta::hours(2)).await;
    let domain = estate.get(&owner, &held).await;
    assert_eq!((domain.status, codes(&domain)), (DomainStatus::Failing, vec!["dns.wrong_target"]));
}

async fn a_wildcard_covers_one_label_and_a_name_of_its_own_goes_before_it(engine: Engine) {
    let estate = Estate::new(engine).await;
    let (acme, globex) = (estate.owner("acme").await, estate.owner("globex").await);
    let wildcard = estate.held(&acme, "*.customer.com").await;

    assert_eq!(estate.serves("a.customer.com").await, Some(acme.tenant));
    for host in ["customer.com", "b.a.customer.com", "*.customer.com", "xcustomer.com"] {
        assert_eq!(estate.serves(host).await, None, "{host}");
    }
    assert_eq!(estate.serves("shop.customer.com").await, Some(acme.tenant));
    let own = estate.held(&globex, "shop.customer.com").await;
    assert_eq!(estate.serves("shop.customer.com").await, Some(globex.tenant));
    estate.tenancy().release_domain(&globex, own.id, Expected::Any).await.unwrap();
    assert_eq!(estate.serves("shop.customer.com").await, Some(acme.tenant));
    estate.tenancy().release_domain(&acme, wildcard.id, Expected::Any).await.unwrap();
    assert_eq!((estate.serves("shop.customer.com").await, estate.serves("a.customer.com").await), (None, None));
}

async fn claims_are_bounded_and_names_are_kept_for_their_owners(engine: Engine) {
    let estate = Estate::new(engine).await;
    let owner = estate.owner("acme").await;
    let claim = async |name: &str| {
        estate.tenancy().claim_domain(&owner, NewDomain { name: name.to_owned() }).await.map_err(code)
    };

    assert_eq!(claim("acme.localhost").await.unwrap_err(), "tenancy.domain_reserved");
    assert_eq!(claim("edge.holdfast.example").await.unwrap_err(), "tenancy.domain_reserved");
    assert_eq!(claim("192.0.2.1").await.unwrap_err(), "tenancy.domain_invalid");
    let operator = estate.house.operator().await;
    let name = "status.holdfast.localhost".to_owned();
    assert!(estate.tenancy().claim_domain(&operator, NewDomain { name }).await.is_ok());
    claim("a.customer.com").await.unwrap();
    assert_eq!(claim("A.customer.com.").await.unwrap_err(), "tenancy.domain_claimed");

    let mut claims = JoinSet::new();
    for number in 0..16 {
        let (tenancy, owner) = (estate.tenancy().clone(), owner.clone());
        let new = NewDomain { name: format!("n{number}.customer.com") };
        claims.spawn(async move { tenancy.claim_domain(&owner, new).await.map(|_| ()).map_err(code) });
    }
    let outcomes = claims.join_all().await;
    assert_eq!(outcomes.iter().filter(|it| it.is_ok()).count(), 4, "{outcomes:?}");
    assert!(outcomes.iter().filter_map(|it| it.as_ref().err()).all(|code| code == "tenancy.too_many_domains"));
}

async fn a_check_can_be_asked_for_once_in_ten_seconds_by_whoever_may(engine: Engine) {
    let estate = Estate::new(engine).await;
    let owner = estate.owner("acme").await;
    let viewer = estate.house.member(owner.tenant, "viewer").await;
    let domain = estate.claim(&owner, "app.customer.com").await;
    estate.dns.prove(&domain);

    let checked = estate.tenancy().check_domain(&owner, domain.id).await.unwrap();
    assert_eq!(checked.status, DomainStatus::Verified);
    let soon = Problem::from(estate.tenancy().check_domain(&owner, domain.id).await.unwrap_err());
    assert_eq!((soon.kind.status(), &*soon.code), (429, "tenancy.check_too_soon"));
    assert!(soon.retry_after.is_some_and(|wait| (1..=10).contains(&wait.as_secs())), "{soon:?}");
    estate.due().await;
    assert_eq!(estate.dns.asked(), 1, "nobody else begins meanwhile");
    estate.house.db.clock().shift(TimeDelta::seconds(11));
    assert!(estate.tenancy().check_domain(&owner, domain.id).await.is_ok());
    assert_eq!(status(estate.tenancy().check_domain(&viewer, domain.id).await.unwrap_err()), 403);
    assert!(estate.tenancy().get_domain(&viewer, domain.id).await.is_ok());
}

/// Two processes over one database: each domain is checked by one of them, and one that died is followed by the other.
async fn two_processes_share_the_checks(engine: Engine) {
    let estate = Estate::new(engine).await;
    let owner = estate.owner("acme").await;
    for number in 0..5 {
        estate.claim(&owner, &format!("n{number}.customer.com")).await;
    }
    let other = estate.house.db.again().await;
    let lookup = Arc::clone(&estate.dns) as Arc<dyn Lookup>;
    let other = Tenancy::with_lookup(other, config(), vec![("tenancy", PERMISSIONS)], lookup);

    let (one, two) = tokio::join!(estate.tenancy().check_due(), other.check_due());
    assert_eq!((one.unwrap() + two.unwrap(), estate.dns.asked()), (5, 5));

    estate.house.db.clock().shift(TimeDelta::seconds(11));
    let caller = Caller::platform("test");
    let begun = async |tx: &kernel::Tx| {
        Ok::<_, Problem>(tx.execute("UPDATE tenancy_domain SET asked_at = $1", [tx.now().into()]).await?)
    };
    estate.house.db.write(&caller, begun).await.unwrap();
    assert_eq!(estate.tenancy().check_due().await.unwrap(), 0, "somebody is at it");
    estate.house.db.clock().shift(TimeDelta::seconds(11));
    assert_eq!(estate.tenancy().check_due().await.unwrap(), 5, "and died");
}

async fn another_process_serves_a_domain_no_longer_than_it_remembers(engine: Engine) {
    let estate = Estate::new(engine).await;
    let owner = estate.owner("acme").await;
    let held = estate.held(&owner, "app.customer.com").await;
    let forgets = crate::TenancyConfig { directory_ttl_ms: 0, ..config() };
    let forgets = Tenancy::new(estate.house.db.again().await, forgets, vec![("tenancy", PERMISSIONS)]);
    assert!(forgets.resolve_host("app.customer.com").await.is_ok());

    estate.tenancy().release_domain(&owner, held.id, Expected::Any).await.unwrap();

    assert_eq!(forgets.resolve_host("app.customer.com").await.unwrap_err().kind.status(), 404);
}

async fn a_purged_tenant_leaves_no_domain_and_says_so(engine: Engine) {
    let estate = Estate::new(engine).await;
    let owner = estate.owner("acme").await;
    estate.held(&owner, "app.customer.com").await;
    let operator = estate.house.operator().await;
    estate.tenancy().delete_tenant(&operator, owner.tenant, Expected::Any).await.unwrap();
    estate.house.db.clock().shift(TimeDelta::days(31));

    let caller = Caller::system("test", owner.tenant);
    let job = async |tx: &kernel::Tx| {
        let kept = crate::store::tenants::find_for_update(tx, estate.tenancy().config(), owner.tenant).await?;
        Ok::<_, Problem>(kept.unwrap().purge_job.unwrap())
    };
    let job = estate.house.db.write(&caller, job).await.unwrap();
    estate.tenancy().purge(owner.tenant, job).await.unwrap();

    assert_eq!(estate.serves("app.customer.com").await, None);
    assert_eq!(estate.tenancy().verified_domains(None, 10).await.unwrap(), []);
    assert!(estate.told(&caller).await.contains(&"tenancy.domain.released".to_owned()));
    assert_ne!(owner.tenant, SYSTEM_TENANT);
}

struct Certificates;

#[async_trait]
impl DomainCertificates for Certificates {
    async fn standing(&self, names: &[String]) -> Result<HashMap<String, DomainCertificate>, Problem> {
        let standing = DomainCertificate {
            status: "issued".to_owned(),
            expires_at: Some(DateTime::UNIX_EPOCH),
            code: None,
            sentence: None,
            mend: None,
            next_try_at: None,
        };
        Ok(names.iter().map(|name| (name.clone(), standing.clone())).collect())
    }

    async fn timeline(&self, name: &str) -> Result<Vec<CertificateStep>, Problem> {
        let step = |number: i64| CertificateStep {
            at: DateTime::UNIX_EPOCH + TimeDelta::days(365 * 80 * (number % 2)) + TimeDelta::seconds(number),
            status: "ordering".to_owned(),
            sentence: format!("{number} {name}"),
            code: None,
            evidence: Some("seen".to_owned()),
            mend: None,
            next_try_at: None,
        };
        Ok((0..9).map(step).collect())
    }
}

async fn the_timeline_shows_domain_and_certificate_by_time_and_counts_what_repeats(engine: Engine) {
    let estate = Estate::new(engine).await;
    let owner = estate.owner("acme").await;
    let domain = estate.claim(&owner, "app.customer.com").await;
    for _ in 0..5 {
        estate.after(TimeDelta::minutes(10)).await;
    }
    estate.dns.prove(&domain);
    estate.dns.lead("app.customer.com", HERE);
    estate.after(TimeDelta::hours(2)).await;
    let timeline = async |limit, cursor, filter: Option<&str>| {
        let params = kernel::ListParams { limit: Some(limit), cursor, filter: filter.map(str::to_owned), sort: None };
        estate.tenancy().list_domain_timeline(&owner, domain.id, &params).await.unwrap().1
    };

    let alone = timeline(200, None, None).await.items;
    assert_eq!(alone.len(), 2, "{alone:?}");
    assert_eq!((alone[0].status.as_str(), alone[0].code.as_deref()), ("verified", None));
    assert_eq!((alone[1].status.as_str(), alone[1].code.as_deref()), ("pending", Some("dns.proof_missing")));
    assert!(alone[1].times >= 5 && alone[1].last_at > alone[1].at && alone[1].mend.is_some());

    estate.tenancy().show_certificates(Arc::new(Certificates));
    let all = timeline(200, None, None).await.items;
    assert_eq!(all.len(), 11);
    assert!(all.is_sorted_by(|one, next| one.at >= next.at));
    let mut pieced = Vec::new();
    let mut cursor = None;
    loop {
        let page = timeline(4, cursor, None).await;
        pieced.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(pieced, all);
    assert_eq!(timeline(200, None, Some("about eq \"certificate\"")).await.items.len(), 9);
    let shown = estate.get(&owner, &domain).await;
    assert_eq!(shown.certificate.unwrap().status, "issued");
}

on_both_engines!(
    a_claim_names_its_records_and_is_checked_ever_more_seldom_until_it_is_proved,
    the_first_whose_proof_is_seen_holds_the_name_and_the_other_learns_no_more_than_that,
    of_many_at_once_one_holds_the_name,
    a_released_domain_needs_a_new_proof,
    a_proof_that_goes_costs_the_name_after_the_grace_only,
    our_own_deafness_costs_nobody_a_name,
    a_wildcard_covers_one_label_and_a_name_of_its_own_goes_before_it,
    claims_are_bounded_and_names_are_kept_for_their_owners,
    a_check_can_be_asked_for_once_in_ten_seconds_by_whoever_may,
    two_processes_share_the_checks,
    another_process_serves_a_domain_no_longer_than_it_remembers,
    a_purged_tenant_leaves_no_domain_and_says_so,
    the_timeline_shows_domain_and_certificate_by_time_and_counts_what_repeats,
);
