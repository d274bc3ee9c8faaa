//! The rule of reading as a condition, for lists.

use sea_orm::sea_query::{Alias, Condition, Expr, ExprTrait, Query, SelectStatement, SimpleExpr};

use crate::policy::Viewer;

/// Grants in force for this viewer on what the outer query stands at: by its columns.
fn in_force(viewer: &Viewer, collection: &'static str) -> SelectStatement {
    let subject = |kind: &'static str| Expr::cust("g.subject_kind").eq(kind);
    let mut subjects = Condition::any().add(subject("everyone"));
    if let Some(account) = viewer.account {
        subjects =
            subjects.add(Condition::all().add(subject("account")).add(Expr::cust("g.subject_id").eq(account.uuid())));
    }
    if let Some(role) = viewer.role {
        subjects = subjects.add(Condition::all().add(subject("role")).add(Expr::cust("g.subject_id").eq(role.uuid())));
    }
    let until = Expr::cust("g.valid_until");
    let mut select = Query::select();
    select
        .expr(Expr::val(1))
        .from_as(Alias::new("vault_grant"), Alias::new("g"))
        .and_where(Expr::cust("g.tenant_id = vault_collection.tenant_id"))
        .and_where(Expr::cust(collection))
        .cond_where(subjects)
        .and_where(Expr::cust("g.valid_from").lte(viewer.now))
        .cond_where(Condition::any().add(until.clone().is_null()).add(until.gt(viewer.now)));
    select
}

fn owned(viewer: &Viewer, column: &'static str) -> Option<SimpleExpr> {
    viewer.account.map(|account| Expr::cust(column).eq(account.uuid()))
}

/// On collections as a whole.
pub(super) fn collections(viewer: &Viewer) -> Condition {
    if viewer.everything {
        return Condition::all();
    }
    let mut grants = in_force(viewer, "g.collection_id = vault_collection.id");
    grants.and_where(Expr::cust("g.document_id IS NULL"));
    Condition::any().add_option(owned(viewer, "vault_collection.owner_id")).add(Expr::exists(grants))
}

/// On documents beside those of collections that are seen as a whole.
pub(super) fn single_documents(viewer: &Viewer) -> Condition {
    let grants =
        in_force(viewer, "g.collection_id = vault_document.collection_id AND g.document_id = vault_document.id");
    Condition::any().add_option(owned(viewer, "vault_document.owner_id")).add(Expr::exists(grants))
}

/// On documents, with their collection joined.
pub(super) fn documents(viewer: &Viewer) -> Condition {
    if viewer.everything {
        return Condition::all();
    }
    Condition::any().add(collections(viewer)).add(single_documents(viewer))
}

/// On records, with their collection joined.
pub(super) fn records(viewer: &Viewer) -> Condition {
    if viewer.everything {
        return Condition::all();
    }
    Condition::any().add(collections(viewer)).add_option(owned(viewer, "vault_record.owner_id"))
}

/// On grants, with their collection joined and their document where there is one: only owners of the object see them.
pub(super) fn grants(viewer: &Viewer) -> Condition {
    if viewer.everything {
        return Condition::all();
    }
    Condition::any()
        .add_option(owned(viewer, "vault_collection.owner_id"))
        .add_option(owned(viewer, "vault_document.owner_id"))
        .add(Expr::val(1).eq(0))
}
