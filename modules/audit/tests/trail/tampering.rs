//! Whatever is changed in the database by hand, verifying finds it.

use audit::Verification;
use kernel::{Db, TenantId};
use testkit::{Engine, on_both_engines};

use crate::fixture::{sql, tenant, verify, write};

/// Numbers 0 to 9 of one tenant, and of a neighbour that nobody touches.
async fn trail(db: &Db) -> TenantId {
    write(db, tenant(1), 10).await;
    write(db, tenant(2), 10).await;
    let found = verify(db, tenant(1)).await;
    assert!(found.ok, "{found:?}");
    assert_eq!((found.size, found.checked), (10, 10));
    tenant(1)
}

/// The tenant as SQL writes it.
fn literal(engine: Engine, tenant: TenantId) -> String {
    match engine {
        Engine::Sqlite => format!("x'{}'", tenant.uuid().simple()),
        Engine::Postgres => format!("'{}'", tenant.uuid()),
    }
}

/// Runs the statements on entry 4 (or whatever they name) and returns what verifying finds.
async fn after(engine: Engine, statements: &[&str]) -> Verification {
    let db = testkit::db(engine).await;
    let victim = trail(&db).await;
    let owner = literal(engine, victim);
    for statement in statements {
        let changed = sql(&db, &statement.replace("VICTIM", &owner)).await;
        assert!(changed > 0, "{statement} changed nothing");
    }

    let found = verify(&db, victim).await;
    assert!(verify(&db, tenant(2)).await.ok, "the neighbour's trail is in order");
    found
}

#[track_caller]
fn assert_bad(found: &Verification, sequence: Option<i64>, reason: &str) {
    assert!(!found.ok);
    let bad = found.first_bad.as_ref().unwrap();
    assert_eq!(bad.sequence, sequence, "{bad:?}");
    assert!(bad.reason.contains(reason), "{bad:?}");
    assert_eq!(found.checked, sequence.unwrap_or(found.checked));
}

async fn a_changed_text(engine: Engine) {
    let change = "UPDATE audit_entry SET canonical = replace(canonical, 'ada', 'bob') \
                  WHERE tenant_id = VICTIM AND sequence = 4";

    assert_bad(&after(engine, &[change]).await, Some(4), "text, salt or leaf");
}

async fn a_changed_salt(engine: Engine) {
    let change = "UPDATE audit_entry SET salt = (SELECT salt FROM audit_entry WHERE tenant_id = VICTIM AND sequence = 5) \
                  WHERE tenant_id = VICTIM AND sequence = 4";

    assert_bad(&after(engine, &[change]).await, Some(4), "text, salt or leaf");
}

async fn a_changed_leaf(engine: Engine) {
    let change = "UPDATE audit_entry SET leaf_hash = salt WHERE tenant_id = VICTIM AND sequence = 4";

    assert_bad(&after(engine, &[change]).await, Some(4), "text, salt or leaf");
}

async fn an_erased_text(engine: Engine) {
    let change = "UPDATE audit_entry SET canonical = NULL, salt = NULL WHERE tenant_id = VICTIM AND sequence = 4";

    assert_bad(&after(engine, &[change]).await, Some(4), "missing");
}

async fn each_changed_column(engine: Engine) {
    let columns = [
        ("actor_id", "'usr_1'"),
        ("actor_id", "NULL"),
        ("action", "'test.undone'"),
        ("target_kind", "'other'"),
        ("target_id", "'77'"),
        ("target_id", "NULL"),
        ("outcome", "'denied'"),
        ("occurred_at", "(SELECT occurred_at FROM audit_entry WHERE tenant_id = VICTIM AND sequence = 0)"),
    ];
    for (column, value) in columns {
        let change = format!("UPDATE audit_entry SET {column} = {value} WHERE tenant_id = VICTIM AND sequence = 4");

        assert_bad(&after(engine, &[&change]).await, Some(4), &format!("column {column} "));
    }
}

async fn a_deleted_middle_row(engine: Engine) {
    let change = "DELETE FROM audit_entry WHERE tenant_id = VICTIM AND sequence = 4";

    assert_bad(&after(engine, &[change]).await, Some(4), "deleted");
}

async fn a_deleted_first_row(engine: Engine) {
    let change = "DELETE FROM audit_entry WHERE tenant_id = VICTIM AND sequence = 0";

    assert_bad(&after(engine, &[change]).await, Some(0), "deleted");
}

async fn a_deleted_last_row(engine: Engine) {
    let change = "DELETE FROM audit_entry WHERE tenant_id = VICTIM AND sequence = 9";

    assert_bad(&after(engine, &[change]).await, None, "last entry");
}

async fn a_deleted_last_row_with_a_shortened_head(engine: Engine) {
    let delete = "DELETE FROM audit_entry WHERE tenant_id = VICTIM AND sequence = 9";
    let shorten = "UPDATE audit_head SET size = 9 WHERE tenant_id = VICTIM";

    assert_bad(&after(engine, &[delete, shorten]).await, None, "tag");
}

async fn two_swapped_numbers(engine: Engine) {
    let swap = |from: i32, to: i32| {
        format!("UPDATE audit_entry SET sequence = {to} WHERE tenant_id = VICTIM AND sequence = {from}")
    };

    let found = after(engine, &[&swap(4, 99), &swap(5, 4), &swap(99, 5)]).await;

    assert_bad(&found, None, "order");
}

async fn a_number_used_twice(engine: Engine) {
    let db = testkit::db(engine).await;
    let victim = trail(&db).await;
    let owner = literal(engine, victim);
    sql(&db, "DROP INDEX audit_entry_sequence").await;
    sql(&db, &format!("UPDATE audit_entry SET sequence = 3 WHERE tenant_id = {owner} AND sequence = 4")).await;

    assert_bad(&verify(&db, victim).await, Some(4), "number before");
}

async fn a_row_slipped_in_at_the_end(engine: Engine) {
    let change = "UPDATE audit_entry SET sequence = 10 WHERE tenant_id = VICTIM AND sequence IS NULL";

    assert_bad(&after(engine, &[change]).await, None, "last entry");
}

async fn a_row_moved_to_another_tenant(engine: Engine) {
    let change = "UPDATE audit_entry SET sequence = 4, tenant_id = VICTIM WHERE sequence = 0 AND tenant_id <> VICTIM";
    let make_room = "DELETE FROM audit_entry WHERE tenant_id = VICTIM AND sequence = 4";
    let db = testkit::db(engine).await;
    let victim = trail(&db).await;
    let owner = literal(engine, victim);
    for statement in [make_room, change] {
        assert_eq!(sql(&db, &statement.replace("VICTIM", &owner)).await, 1);
    }

    assert_bad(&verify(&db, victim).await, Some(4), "column tenant_id ");
    assert_bad(&verify(&db, tenant(2)).await, Some(0), "deleted");
}

async fn each_rewritten_part_of_the_head(engine: Engine) {
    let parts =
        [("size = 9", "tag"), ("root_hash = tag", "tag"), ("tag = root_hash", "tag"), ("peaks = root_hash", "peaks")];
    for (part, reason) in parts {
        let change = format!("UPDATE audit_head SET {part} WHERE tenant_id = VICTIM");

        assert_bad(&after(engine, &[&change]).await, None, reason);
    }
}

async fn a_head_of_another_tenant(engine: Engine) {
    let change = "UPDATE audit_head SET (root_hash, peaks, tag) = \
                  (SELECT root_hash, peaks, tag FROM audit_head WHERE tenant_id <> VICTIM) WHERE tenant_id = VICTIM";

    assert_bad(&after(engine, &[change]).await, None, "tag");
}

async fn a_deleted_head(engine: Engine) {
    let change = "DELETE FROM audit_head WHERE tenant_id = VICTIM";

    assert_bad(&after(engine, &[change]).await, None, "head was deleted");
}

on_both_engines!(
    a_changed_text,
    a_changed_salt,
    a_changed_leaf,
    an_erased_text,
    each_changed_column,
    a_deleted_middle_row,
    a_deleted_first_row,
    a_deleted_last_row,
    a_deleted_last_row_with_a_shortened_head,
    two_swapped_numbers,
    a_number_used_twice,
    a_row_slipped_in_at_the_end,
    a_row_moved_to_another_tenant,
    each_rewritten_part_of_the_head,
    a_head_of_another_tenant,
    a_deleted_head,
);
