//! What every `CertificateStore` must do, as functions that a test calls with an empty store. [`store_contract!`] makes
//! one test of each.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "these are tests")]

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use edge_certificates::{
    Answer, CertificateStore, ChallengeKind, Charge, Due, Entry, Granted, Lane, Lease, Name, Progress, Save,
    SealedCertificate, Status, Step, StoreError,
};

type Store = Arc<dyn CertificateStore>;

const LEASE: Duration = Duration::from_mins(1);

/// Makes a test of each rule; `$make` is an expression that gives an empty store and may await.
#[macro_export]
macro_rules! store_contract {
    ($make:expr; $($rule:ident),+ $(,)?) => {
        $(#[tokio::test]
        async fn $rule() {
            let store: std::sync::Arc<dyn edge_certificates::CertificateStore> = $make;
            $crate::store_contract::$rule(store).await;
        })+
    };
    ($make:expr) => {
        $crate::store_contract! { $make;
            a_wanted_name_is_due_at_once_and_keeps_what_it_has_when_wanted_again,
            only_one_holder_has_a_lease_until_it_runs_out,
            a_save_with_a_stale_token_is_refused_and_changes_nothing,
            a_save_may_end_its_lease,
            a_save_writes_everything_together,
            due_names_are_fair_among_tenants_and_leave_leased_ones_out,
            a_name_is_brought_forward_but_not_past_a_failure,
            an_unwanted_name_is_forgotten_and_its_certificate_withdrawn,
            a_name_wanted_again_in_time_is_not_forgotten,
            charges_are_exact_and_all_or_none,
            concurrent_charges_never_exceed_a_limit,
            concurrent_leases_go_to_one,
            versions_tell_of_every_certificate,
            an_account_is_kept_once,
            the_timeline_shows_its_present_tenants_entries_only,
        }
    };
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap_or_default()
}

fn name(text: &str) -> Name {
    Name::parse(text).expect("a name")
}

async fn leased(store: &Store, name: &Name, at: DateTime<Utc>) -> Lease {
    store.lease(name.as_str(), "test", at, LEASE).await.expect("a store").expect("a free lease")
}

fn save(progress: Progress, due: DateTime<Utc>) -> Save {
    let lane = edge_certificates::transition::lane(&progress);
    Save {
        progress,
        due,
        lane,
        lease_until: now() + TimeDelta::minutes(1),
        entries: Vec::new(),
        answers: None,
        certificate: None,
        forget: false,
    }
}

fn entry(sentence: &str) -> Entry {
    let (status, sentence) = (Status::Ordering, sentence.to_owned());
    Entry { at: now(), status, sentence, cause: None, evidence: None, next_try: None }
}

fn asked(lane: Lane, at: DateTime<Utc>, per_tenant: u32, limit: u32) -> Due {
    Due { lane, now: at, per_tenant, limit }
}

pub async fn a_wanted_name_is_due_at_once_and_keeps_what_it_has_when_wanted_again(store: Store) {
    let name = name("a.example.com");
    store.want(&name, "one", now()).await.unwrap();
    let first = store.record(&name).await.unwrap().unwrap();
    assert_eq!((first.due, first.lane, first.wanted, first.tenant.as_str()), (now(), Lane::Starting, true, "one"));
    let lease = leased(&store, &name, now()).await;
    let progress = Progress { failures: 3, ..Progress::default() };
    store.save(&lease, save(progress.clone(), now() + TimeDelta::hours(1))).await.unwrap();

    store.want(&name, "two", now()).await.unwrap();

    let second = store.record(&name).await.unwrap().unwrap();
    assert_eq!((second.progress, second.tenant.as_str()), (progress, "two"));
    assert_eq!(second.due, now() + TimeDelta::hours(1));
}

pub async fn only_one_holder_has_a_lease_until_it_runs_out(store: Store) {
    let lease = async |holder: &str, at| store.lease("account:x", holder, at, LEASE).await.unwrap();

    let first = lease("one", now()).await.unwrap();
    assert_eq!(lease("two", now() + TimeDelta::seconds(59)).await, None);
    assert_eq!(lease("one", now()).await, None);
    let second = lease("two", now() + TimeDelta::seconds(60)).await.unwrap();
    assert!(second.token > first.token);
    store.release(&first).await.unwrap();
    assert_eq!(lease("one", now() + TimeDelta::seconds(61)).await, None, "a lost lease can't be given back");
    store.release(&second).await.unwrap();
    assert!(lease("one", now() + TimeDelta::seconds(61)).await.unwrap().token > second.token);
}

pub async fn a_save_with_a_stale_token_is_refused_and_changes_nothing(store: Store) {
    let name = name("a.example.com");
    store.want(&name, "one", now()).await.unwrap();
    let stale = leased(&store, &name, now()).await;
    let fresh = leased(&store, &name, now() + TimeDelta::minutes(2)).await;
    let before = store.record(&name).await.unwrap();

    let mut late = save(Progress { failures: 9, ..Progress::default() }, now());
    late.certificate = Some(SealedCertificate(vec![1]));
    late.entries = vec![entry("late")];
    assert_eq!(store.save(&stale, late).await, Err(StoreError::Stale));

    assert_eq!(store.record(&name).await.unwrap(), before);
    assert_eq!(store.certificate(&name).await.unwrap(), None);
    assert!(store.timeline(&name, 9).await.unwrap().is_empty());
    store.save(&fresh, save(Progress::default(), now())).await.unwrap();
}

pub async fn a_save_may_end_its_lease(store: Store) {
    let name = name("a.example.com");
    store.want(&name, "one", now()).await.unwrap();
    let lease = leased(&store, &name, now()).await;

    store.save(&lease, Save { lease_until: now(), ..save(Progress::default(), now()) }).await.unwrap();

    assert!(leased(&store, &name, now()).await.token > lease.token);
}

pub async fn a_save_writes_everything_together(store: Store) {
    let name = name("a.example.com");
    store.want(&name, "one", now()).await.unwrap();
    let lease = leased(&store, &name, now()).await;
    let answer = |kind, token: &str| Answer {
        kind,
        host: "a.example.com".into(),
        token: token.into(),
        key_authorization: format!("{token}.key"),
    };

    let mut first = save(Progress { queued: true, ..Progress::default() }, now() + TimeDelta::hours(1));
    first.entries = vec![entry("one"), entry("two")];
    first.answers = Some(vec![answer(ChallengeKind::Http01, "h"), answer(ChallengeKind::TlsAlpn01, "t")]);
    first.certificate = Some(SealedCertificate(vec![7; 3000]));
    store.save(&lease, first).await.unwrap();

    let record = store.record(&name).await.unwrap().unwrap();
    assert!(record.progress.queued && record.due == now() + TimeDelta::hours(1));
    assert_eq!(store.http_answer("h").await.unwrap().as_deref(), Some("h.key"));
    assert_eq!(store.http_answer("t").await.unwrap(), None, "an answer is for its kind only");
    assert_eq!(store.tls_alpn_answer("a.example.com").await.unwrap().as_deref(), Some("t.key"));
    let issued = store.certificate(&name).await.unwrap().unwrap();
    assert_eq!(issued.sealed, Some(SealedCertificate(vec![7; 3000])));
    let told: Vec<_> = store.timeline(&name, 9).await.unwrap().into_iter().map(|entry| entry.sentence).collect();
    assert_eq!(told, ["two", "one"]);

    store.save(&lease, save(Progress::default(), now())).await.unwrap();
    assert!(store.http_answer("h").await.unwrap().is_some(), "answers stay until they are replaced");
    let mut last = save(Progress::default(), now());
    last.answers = Some(Vec::new());
    store.save(&lease, last).await.unwrap();
    assert_eq!(store.http_answer("h").await.unwrap(), None);
    assert_eq!(store.tls_alpn_answer("a.example.com").await.unwrap(), None);
}

pub async fn due_names_are_fair_among_tenants_and_leave_leased_ones_out(store: Store) {
    for n in 0..20 {
        let at = now() - TimeDelta::seconds(100 - n);
        store.want(&name(&format!("n{n}.large.example.com")), "large", at).await.unwrap();
    }
    for tenant in ["small", "tiny"] {
        store.want(&name(&format!("a.{tenant}.example.com")), tenant, now()).await.unwrap();
    }
    let future = name("later.example.com");
    store.want(&future, "later", now() + TimeDelta::hours(1)).await.unwrap();

    let due = store.due(asked(Lane::Starting, now(), 3, 4)).await.unwrap();
    let tenants: Vec<_> = due.iter().map(|record| record.tenant.as_str()).collect();
    assert_eq!(tenants, ["large", "small", "tiny", "large"]);
    assert_eq!(due[0].name, name("n0.large.example.com"), "the longest due comes first");

    leased(&store, &due[0].name, now()).await;
    let due = store.due(asked(Lane::Starting, now(), 3, 100)).await.unwrap();
    assert_eq!(due.len(), 5);
    assert!(due.iter().all(|record| record.name != name("n0.large.example.com")));
    assert!(store.due(asked(Lane::Working, now(), 3, 100)).await.unwrap().is_empty());
}

pub async fn a_name_is_brought_forward_but_not_past_a_failure(store: Store) {
    let name = name("a.example.com");
    store.want(&name, "one", now() + TimeDelta::hours(1)).await.unwrap();
    assert!(store.make_due(&name, now(), false).await.unwrap());
    assert!(!store.make_due(&name, now(), false).await.unwrap());
    let lease = leased(&store, &name, now()).await;
    let next_try = now() + TimeDelta::hours(6);
    let (cause, evidence) = (edge_certificates::Cause::WrongAnswer, String::new());
    let failure = edge_certificates::Failure { cause, evidence, at: now(), next_try };
    let progress = Progress { failure: Some(failure), ..Progress::default() };
    store.save(&lease, save(progress, next_try)).await.unwrap();

    assert!(!store.make_due(&name, now(), false).await.unwrap(), "a visitor does not end the wait");
    assert!(store.make_due(&name, now(), true).await.unwrap(), "a user does");

    let record = store.record(&name).await.unwrap().unwrap();
    assert_eq!(record.due, now());
    assert_eq!(record.progress.failure.unwrap().next_try, now());
}

pub async fn an_unwanted_name_is_forgotten_and_its_certificate_withdrawn(store: Store) {
    let name = name("a.example.com");
    store.want(&name, "one", now()).await.unwrap();
    let lease = leased(&store, &name, now()).await;
    let mut issued = save(Progress::default(), now() + TimeDelta::days(9));
    issued.certificate = Some(SealedCertificate(vec![1]));
    store.save(&lease, issued).await.unwrap();
    let version = store.certificate(&name).await.unwrap().unwrap().version;
    store.release(&lease).await.unwrap();

    store.unwant(&name, now()).await.unwrap();
    let due = store.due(asked(Lane::Working, now(), 9, 9)).await.unwrap();
    assert!(due.len() == 1 && !store.record(&due[0].name).await.unwrap().unwrap().wanted);
    let lease = leased(&store, &name, now()).await;
    store.save(&lease, Save { forget: true, ..save(Progress::default(), now()) }).await.unwrap();

    assert_eq!(store.record(&name).await.unwrap(), None);
    let changed = store.issued_since(version, 9).await.unwrap();
    assert!(changed.len() == 1 && changed[0].sealed.is_none());
    let certificate = store.certificate(&name).await.unwrap();
    assert!(certificate.is_none_or(|issued| issued.sealed.is_none()));
    assert!(leased(&store, &name, now()).await.token > lease.token, "tokens grow also over a name's end");
}

pub async fn a_name_wanted_again_in_time_is_not_forgotten(store: Store) {
    let name = name("a.example.com");
    store.want(&name, "one", now()).await.unwrap();
    store.unwant(&name, now()).await.unwrap();
    let lease = leased(&store, &name, now()).await;
    store.want(&name, "two", now()).await.unwrap();

    store.save(&lease, Save { forget: true, ..save(Progress::default(), now()) }).await.unwrap();

    let record = store.record(&name).await.unwrap().unwrap();
    assert!(record.wanted && record.tenant == "two" && record.due <= now());
}

fn charge(bucket: &str, limit: u32, take: u32) -> Charge {
    Charge { bucket: bucket.into(), limit, window: Duration::from_hours(1), take }
}

pub async fn charges_are_exact_and_all_or_none(store: Store) {
    let at = |minutes| now() + TimeDelta::minutes(minutes);
    assert_eq!(store.charge(&[charge("a", 2, 1)], at(0)).await.unwrap(), Granted::Yes);
    assert_eq!(store.charge(&[charge("a", 2, 0)], at(5)).await.unwrap(), Granted::Yes);
    assert_eq!(store.charge(&[charge("a", 2, 1)], at(10)).await.unwrap(), Granted::Yes);

    let refused = store.charge(&[charge("b", 1, 1), charge("a", 2, 1)], at(20)).await.unwrap();
    assert_eq!(refused, Granted::NotBefore { at: at(60), bucket: "a".into() });
    assert_eq!(store.charge(&[charge("b", 1, 1)], at(20)).await.unwrap(), Granted::Yes, "nothing was taken of b");

    assert_eq!(store.charge(&[charge("a", 2, 1)], at(60)).await.unwrap(), Granted::Yes, "the window is half open");
    store.note(&[charge("a", 2, 1)], at(61)).await.unwrap();
    let refused = store.charge(&[charge("a", 2, 1)], at(80)).await.unwrap();
    assert_eq!(refused, Granted::NotBefore { at: at(120), bucket: "a".into() }, "what is noted counts");
}

pub async fn concurrent_charges_never_exceed_a_limit(store: Store) {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let store = Arc::clone(&store);
        tasks.spawn(async move { store.charge(&[charge("a", 10, 1)], now()).await.unwrap() == Granted::Yes });
    }

    let granted = tasks.join_all().await.into_iter().filter(|granted| *granted).count();

    assert_eq!(granted, 10);
}

pub async fn concurrent_leases_go_to_one(store: Store) {
    let name = name("a.example.com");
    store.want(&name, "one", now()).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for holder in 0..64 {
        let (store, key) = (Arc::clone(&store), name.as_str().to_owned());
        tasks.spawn(async move { store.lease(&key, &holder.to_string(), now(), LEASE).await.unwrap() });
    }

    assert_eq!(tasks.join_all().await.into_iter().flatten().count(), 1);
}

pub async fn versions_tell_of_every_certificate(store: Store) {
    let names: Vec<_> = (0..5).map(|n| name(&format!("n{n}.example.com"))).collect();
    for (n, name) in names.iter().chain(&names[..2]).enumerate() {
        store.want(name, "one", now()).await.unwrap();
        let lease = leased(&store, name, now()).await;
        let mut issued = save(Progress { step: Step::Waiting, ..Progress::default() }, now());
        issued.certificate = Some(SealedCertificate(vec![u8::try_from(n).unwrap_or(0)]));
        store.save(&lease, issued).await.unwrap();
        store.release(&lease).await.unwrap();
    }

    let (mut cursor, mut seen) = (0, Vec::new());
    loop {
        let batch = store.issued_since(cursor, 2).await.unwrap();
        let Some(last) = batch.last() else { break };
        assert!(batch.len() <= 2 && batch.is_sorted_by(|one, two| one.version < two.version));
        cursor = last.version;
        seen.extend(batch);
    }

    for (name, latest) in names.iter().zip([5, 6, 2, 3, 4]) {
        let last = seen.iter().rev().find(|issued| issued.name == *name).unwrap();
        assert_eq!(last.sealed, Some(SealedCertificate(vec![latest])));
    }
}

pub async fn an_account_is_kept_once(store: Store) {
    assert_eq!(store.account("x").await.unwrap(), None);
    assert!(store.put_account("x", None, b"one").await.unwrap());
    assert!(!store.put_account("x", None, b"two").await.unwrap());
    assert!(!store.put_account("x", Some(b"other"), b"two").await.unwrap());
    assert!(store.put_account("x", Some(b"one"), b"three").await.unwrap());
    assert_eq!(store.account("x").await.unwrap().as_deref(), Some(b"three".as_slice()));
}

pub async fn the_timeline_shows_its_present_tenants_entries_only(store: Store) {
    let name = name("a.example.com");
    store.want(&name, "one", now()).await.unwrap();
    let lease = leased(&store, &name, now()).await;
    store
        .save(&lease, Save { entries: vec![entry("secret of one")], ..save(Progress::default(), now()) })
        .await
        .unwrap();
    store.want(&name, "two", now()).await.unwrap();
    store.save(&lease, Save { entries: vec![entry("of two")], ..save(Progress::default(), now()) }).await.unwrap();

    let told: Vec<_> = store.timeline(&name, 9).await.unwrap().into_iter().map(|entry| entry.sentence).collect();

    assert_eq!(told, ["of two"]);
}
