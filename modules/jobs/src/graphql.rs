//! The GraphQL face.

use async_graphql::connection::Connection;
use async_graphql::{Context, Object};
use kernel::graphql::{caller, list};
use kernel::{Expected, Problem};

use crate::model::{Job, JobId, JobStats};
use crate::service::Jobs;

/// What can be asked about jobs.
pub struct Query(Jobs);

impl Query {
    /// The face of these jobs.
    pub const fn new(jobs: Jobs) -> Self {
        Self(jobs)
    }
}

#[Object(name = "JobsQuery")]
impl Query {
    /// The tenant's work in the background, the latest first
    #[graphql(complexity = "first.unwrap_or(50).clamp(1, 200) as usize * child_complexity")]
    async fn jobs(
        &self,
        ctx: &Context<'_>,
        first: Option<i64>,
        after: Option<String>,
        filter: Option<String>,
        sort: Option<String>,
    ) -> Result<Connection<String, Job>, Problem> {
        let (request, page) = self.0.list(caller(ctx)?, &list(first, after, filter, sort)).await?;
        request.connection(page)
    }

    /// One job
    async fn job(&self, ctx: &Context<'_>, id: JobId) -> Result<Job, Problem> {
        Ok(self.0.get(caller(ctx)?, id).await?)
    }

    /// How full the queues are: of the tenant; in the system tenant, of all tenants together
    async fn job_stats(&self, ctx: &Context<'_>) -> Result<JobStats, Problem> {
        Ok(JobStats { queues: self.0.stats(caller(ctx)?).await? })
    }
}

/// What can be done with jobs.
pub struct Mutation(Jobs);

impl Mutation {
    /// The face of these jobs.
    pub const fn new(jobs: Jobs) -> Self {
        Self(jobs)
    }
}

#[Object(name = "JobsMutation")]
impl Mutation {
    /// Gives a dead or cancelled job all its attempts again
    async fn retry_job(&self, ctx: &Context<'_>, id: JobId, version: Option<i64>) -> Result<Job, Problem> {
        Ok(self.0.retry(caller(ctx)?, id, Expected::from_argument(version)).await?)
    }

    /// Ends a waiting job at once; tells a running one to stop
    async fn cancel_job(&self, ctx: &Context<'_>, id: JobId, version: Option<i64>) -> Result<Job, Problem> {
        Ok(self.0.cancel(caller(ctx)?, id, Expected::from_argument(version)).await?)
    }
}
