//! The GraphQL face. `export_audit_entries` has no twin here: it is a stream of lines without end, which a GraphQL answer is
//! not.

use async_graphql::connection::Connection;
use async_graphql::{Context, Object};
use jobs::Job;
use kernel::Problem;
use kernel::graphql::{caller, list};

use crate::audit::Audit;
use crate::model::{AuditEntry, AuditId, Verification};

/// Reading and verifying the audit trail.
pub struct Query(pub Audit);

#[Object(name = "AuditQuery")]
impl Query {
    /// List the entries of the audit trail
    async fn audit_entries(
        &self,
        ctx: &Context<'_>,
        first: Option<i64>,
        after: Option<String>,
        filter: Option<String>,
        sort: Option<String>,
    ) -> Result<Connection<String, AuditEntry>, Problem> {
        let (request, page) = self.0.list(caller(ctx)?, &list(first, after, filter, sort)).await?;
        request.connection(page)
    }

    /// Read one entry of the audit trail
    async fn audit_entry(&self, ctx: &Context<'_>, id: AuditId) -> Result<AuditEntry, Problem> {
        Ok(self.0.get(caller(ctx)?, id).await?)
    }

    /// Verify the audit trail while you wait
    async fn verify_audit(&self, ctx: &Context<'_>) -> Result<Verification, Problem> {
        Ok(self.0.verify(caller(ctx)?).await?)
    }
}

/// Having the audit trail verified.
pub struct Mutation(pub Audit);

#[Object(name = "AuditMutation")]
impl Mutation {
    /// Verify the audit trail in the background
    async fn start_audit_verification(&self, ctx: &Context<'_>) -> Result<Job, Problem> {
        Ok(self.0.start_verification(caller(ctx)?).await?)
    }
}
