//! Lists, single entries and exports; and that each of them is on record.

use audit::{Audit, AuditEntry, Entry};
use aws_lc_rs::{digest, hmac};
use futures_util::TryStreamExt;
use kernel::{Caller, Db, ListParams, Problem};
use serde_json::{Value, json};
use testkit::{Engine, on_both_engines};

use crate::fixture::{auditor, caller, tenant, write};

/// The lines of an export.
pub(crate) async fn export(db: &Db, caller: &Caller, filter: Option<&str>) -> Vec<Value> {
    let export = Audit::new(db.clone()).export(caller, filter.map(str::to_owned)).await.unwrap();
    let lines: Vec<String> = export.into_stream().try_collect().await.unwrap();
    assert!(lines.iter().all(|line| line.ends_with('\n')));
    lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn list(db: &Db, caller: &Caller, params: ListParams) -> Result<Vec<AuditEntry>, Problem> {
    let (_, page) = Audit::new(db.clone()).list(caller, &params).await?;
    Ok(page.items)
}

fn filter(text: &str) -> ListParams {
    ListParams { filter: Some(text.to_owned()), ..ListParams::default() }
}

async fn an_entry_shows_who_did_what_from_where(engine: Engine) {
    let db = testkit::db(engine).await;
    let entry = Entry::denied("test.refused").target("thing", "a\u{0}b").details(json!({ "why": "\u{0}é" }));
    audit::record(&db, &caller(tenant(1), &[]), entry).await.unwrap();
    Audit::new((*db).clone()).number().await.unwrap();

    let found = list(&db, &auditor(tenant(1)), ListParams::default()).await.unwrap();

    let entry = &found[0];
    assert_eq!(entry.sequence, Some(0));
    assert_eq!(entry.actor.kind, "account");
    assert_eq!(entry.actor.id.as_deref(), Some("usr_00000000000000000000000000000005"));
    assert_eq!(entry.actor.name, "ada@example.org");
    assert_eq!(entry.action, "test.refused");
    assert_eq!(entry.target.as_ref().unwrap().id, "ab");
    assert_eq!(entry.outcome, audit::Outcome::Denied);
    assert_eq!(entry.address.as_deref(), Some("192.0.2.7"));
    assert_eq!(entry.request_id.as_deref(), Some("req-1"));
    assert_eq!(entry.details, json!({ "why": "\u{0}é" }));
    assert_eq!(entry.leaf_hash.as_ref().unwrap().len(), 64);
}

async fn a_list_is_paged_filtered_and_kept_to_its_tenant(engine: Engine) {
    let db = testkit::db(engine).await;
    write(&db, tenant(1), 5).await;
    write(&db, tenant(2), 5).await;
    let reader = auditor(tenant(1));
    let audit = Audit::new((*db).clone());

    let newest = ListParams { limit: Some(2), ..filter("action eq \"test.done\"") };
    let (_, first) = audit.list(&reader, &newest).await.unwrap();
    let (_, second) = audit.list(&reader, &ListParams { cursor: first.next.clone(), ..newest.clone() }).await.unwrap();
    let numbers: Vec<_> = first.items.iter().chain(&second.items).map(|entry| entry.sequence.unwrap()).collect();
    assert_eq!(numbers, [4, 3, 2, 1]);

    for (text, count) in [
        ("sequence ge 1 and sequence lt 3", 2),
        ("target_kind eq \"thing\" and target_id eq \"3\"", 1),
        ("actor_id eq \"usr_00000000000000000000000000000005\" and action sw \"test.\"", 5),
        ("outcome eq \"denied\"", 0),
        ("occurred_at ge 2020-01-01T00:00:00Z and action eq \"test.done\"", 5),
        ("occurred_at lt 2020-01-01T00:00:00Z", 0),
    ] {
        assert_eq!(list(&db, &reader, filter(text)).await.unwrap().len(), count, "{text}");
    }
    for wrong in ["outcome eq \"other\"", "details eq \"a\"", "sequence eq \"x\"", "("] {
        assert_eq!(list(&db, &reader, filter(wrong)).await.unwrap_err().kind.status(), 400, "{wrong}");
    }
}

async fn one_entry_is_found_in_its_tenant_only(engine: Engine) {
    let db = testkit::db(engine).await;
    write(&db, tenant(1), 1).await;
    let audit = Audit::new((*db).clone());
    let id = list(&db, &auditor(tenant(1)), ListParams::default()).await.unwrap()[0].id;

    assert_eq!(audit.get(&auditor(tenant(1)), id).await.unwrap().id, id);
    let foreign = Problem::from(audit.get(&auditor(tenant(2)), id).await.unwrap_err());
    assert_eq!(foreign, Problem::not_found());
}

async fn reading_is_on_record_once_each_time(engine: Engine) {
    let db = testkit::db(engine).await;
    let reader = auditor(tenant(1));
    write(&db, tenant(1), 3).await;
    let audit = Audit::new((*db).clone());

    let found = list(&db, &reader, filter("action eq \"test.done\"")).await.unwrap();
    audit.get(&reader, found[0].id).await.unwrap();
    export(&db, &reader, Some("sequence lt 2")).await;
    audit.verify(&reader).await.unwrap();

    let found = list(&db, &reader, filter("action sw \"audit.\"")).await.unwrap();
    let told: Vec<_> = found.iter().rev().map(|entry| (entry.action.as_str(), entry.details.clone())).collect();
    assert_eq!(told.len(), 4);
    assert_eq!(
        told[0],
        ("audit.entries_read", json!({ "filter": "action eq \"test.done\"", "sort": null, "count": 3 }))
    );
    assert_eq!(told[1].0, "audit.entries_read");
    assert_eq!(told[2], ("audit.entries_exported", json!({ "filter": "sequence lt 2" })));
    assert_eq!(told[3].0, "audit.verified");
    assert_eq!(told[3].1["ok"], true);
    assert_eq!(told[3].1["checked"], 3);
}

async fn who_may_not_read_gets_nothing_and_leaves_no_entry(engine: Engine) {
    let db = testkit::db(engine).await;
    write(&db, tenant(1), 1).await;
    let audit = Audit::new((*db).clone());
    let stranger = caller(tenant(1), &["tenancy.roles.read"]);
    let reader = caller(tenant(1), &["audit.read"]);

    assert_eq!(list(&db, &stranger, ListParams::default()).await.unwrap_err().kind.status(), 403);
    assert!(audit.verify(&stranger).await.is_err());
    assert!(audit.export(&reader, None).await.is_err());

    assert_eq!(list(&db, &reader, ListParams::default()).await.unwrap().len(), 1);
}

/// The leaf as anybody can compute it from a line of an export.
fn leaf(line: &Value) -> [u8; 32] {
    let salt = hex::decode(line["salt"].as_str().unwrap()).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &salt);
    let commitment = hmac::sign(&key, line["entry"].as_str().unwrap().as_bytes());
    sha256(&[&[0], commitment.as_ref()])
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    digest::digest(&digest::SHA256, &parts.concat()).as_ref().try_into().unwrap()
}

/// RFC 9162, 2.1.1, word for word.
fn root(leaves: &[[u8; 32]]) -> [u8; 32] {
    match leaves {
        [] => sha256(&[]),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            sha256(&[&[1], &root(left), &root(right)])
        }
    }
}

async fn an_export_can_be_verified_by_itself(engine: Engine) {
    let db = testkit::db(engine).await;
    write(&db, tenant(1), 405).await;
    write(&db, tenant(2), 3).await;

    let lines = export(&db, &auditor(tenant(1)), None).await;

    let (head, entries) = lines.split_last().unwrap();
    let numbers: Vec<_> = entries.iter().map(|line| line["sequence"].as_i64().unwrap()).collect();
    assert_eq!(numbers, (0..405).collect::<Vec<_>>());
    let leaves: Vec<_> = entries.iter().map(leaf).collect();
    assert!(entries.iter().zip(&leaves).all(|(line, leaf)| line["leaf_hash"] == hex::encode(leaf)));
    assert_eq!(head["head"]["size"], 405);
    assert_eq!(head["head"]["tenant"], tenant(1).to_string());
    assert_eq!(head["head"]["root_hash"], hex::encode(root(&leaves)));
}

async fn an_export_takes_a_filter(engine: Engine) {
    let db = testkit::db(engine).await;
    write(&db, tenant(1), 9).await;

    let lines = export(&db, &auditor(tenant(1)), Some("target_id in (\"2\", \"7\")")).await;

    let numbers: Vec<_> = lines.iter().map(|line| line["sequence"].as_i64()).collect();
    assert_eq!(numbers, [Some(2), Some(7), None]);
}

async fn an_empty_trail_is_in_order_and_exports_its_head(engine: Engine) {
    let db = testkit::db(engine).await;
    let audit = Audit::new((*db).clone());

    let found = audit.verify(&auditor(tenant(1))).await.unwrap();
    let lines = export(&db, &auditor(tenant(2)), None).await;

    assert_eq!((found.ok, found.size, found.checked), (true, 0, 0));
    assert_eq!(found.root_hash, hex::encode(root(&[])));
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["head"]["root_hash"], hex::encode(root(&[])));
}

async fn a_text_that_was_broken_by_hand_does_not_hide_the_trail(engine: Engine) {
    let db = testkit::db(engine).await;
    write(&db, tenant(1), 2).await;
    crate::fixture::sql(&db, "UPDATE audit_entry SET canonical = 'gone' WHERE sequence = 1").await;

    let found = list(&db, &auditor(tenant(1)), ListParams::default()).await.unwrap();

    assert_eq!(found[0].details, json!({ "unreadable": true }));
    assert_eq!(found[0].action, "test.done");
    assert_eq!(found[1].actor.name, "ada@example.org");
}

on_both_engines!(
    an_entry_shows_who_did_what_from_where,
    a_list_is_paged_filtered_and_kept_to_its_tenant,
    one_entry_is_found_in_its_tenant_only,
    reading_is_on_record_once_each_time,
    who_may_not_read_gets_nothing_and_leaves_no_entry,
    an_export_can_be_verified_by_itself,
    an_export_takes_a_filter,
    an_empty_trail_is_in_order_and_exports_its_head,
    a_text_that_was_broken_by_hand_does_not_hide_the_trail,
);
