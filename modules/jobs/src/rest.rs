//! The REST face.

use kernel::rest::{Auth, Etag, Listed, Reply};
use kernel::{Expected, FieldMask, ListParams, Problem};
use poem_openapi::param::{Header, Path, Query};
use poem_openapi::{OpenApi, Tags};

use crate::model::{Job, JobId, JobStats};
use crate::service::{JOBS, Jobs};

#[derive(Tags)]
enum Tag {
    /// Work in the background.
    #[oai(rename = "jobs")]
    Jobs,
}

impl Etag for Job {
    fn version(&self) -> Option<i64> {
        Some(self.version)
    }
}

impl Etag for JobStats {
    fn version(&self) -> Option<i64> {
        None
    }
}

/// The resources under `/api/v1/jobs`.
pub struct Api(Jobs);

impl Api {
    /// The face of these jobs.
    pub const fn new(jobs: Jobs) -> Self {
        Self(jobs)
    }
}

#[OpenApi(prefix_path = "/api/v1/jobs", tag = "Tag::Jobs")]
impl Api {
    /// List jobs
    ///
    /// The tenant's work in the background, the latest first.
    #[oai(path = "/", method = "get", operation_id = "list_jobs")]
    async fn list(
        &self,
        auth: Auth,
        /// How many, 1 to 200; 50 when left out.
        limit: Query<Option<i64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
        /// Which, such as `state eq "dead"`.
        filter: Query<Option<String>>,
        /// In which order, such as `-created_at`.
        sort: Query<Option<String>>,
        /// The fields to show, separated by commas.
        fields: Query<Option<String>>,
    ) -> Result<Listed<Job>, Problem> {
        let mask = FieldMask::parse(&JOBS, fields.0.as_deref())?;
        let params = ListParams { limit: limit.0, cursor: cursor.0, filter: filter.0, sort: sort.0 };
        Ok(Listed(self.0.list(&auth.0, &params).await?.1, mask))
    }

    /// Get how full the queues are
    ///
    /// Of the tenant; in the system tenant, of all tenants together.
    #[oai(path = "/stats", method = "get", operation_id = "get_job_stats")]
    async fn stats(&self, auth: Auth) -> Result<Reply<JobStats>, Problem> {
        Ok(Reply::new(JobStats { queues: self.0.stats(&auth.0).await? }))
    }

    /// Get a job
    #[oai(path = "/:id", method = "get", operation_id = "get_job")]
    async fn get(&self, auth: Auth, id: Path<JobId>) -> Result<Reply<Job>, Problem> {
        Ok(Reply::new(self.0.get(&auth.0, id.0).await?))
    }

    /// Retry a job
    ///
    /// Gives a dead or cancelled job all its attempts again.
    #[oai(path = "/:id/retry", method = "post", operation_id = "retry_job")]
    async fn retry(
        &self,
        auth: Auth,
        id: Path<JobId>,
        /// Only if the job still has this ETag.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> Result<Reply<Job>, Problem> {
        let expected = Expected::from_header(if_match.0.as_deref());
        Ok(Reply::new(self.0.retry(&auth.0, id.0, expected).await?))
    }

    /// Cancel a job
    ///
    /// A waiting job ends at once. A running one is told to stop; its state changes when it does.
    #[oai(path = "/:id/cancel", method = "post", operation_id = "cancel_job")]
    async fn cancel(
        &self,
        auth: Auth,
        id: Path<JobId>,
        /// Only if the job still has this ETag.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> Result<Reply<Job>, Problem> {
        let expected = Expected::from_header(if_match.0.as_deref());
        Ok(Reply::new(self.0.cancel(&auth.0, id.0, expected).await?))
    }
}
