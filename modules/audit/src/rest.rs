//! The REST face.

use std::io;

use futures_util::TryStreamExt;
use jobs::Job;
use kernel::rest::{Accepted, Auth, Listed, Reply};
use kernel::{FieldMask, ListParams, Problem};
use poem::Body;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Binary;
use poem_openapi::{ApiResponse, OpenApi, Tags};

use crate::audit::Audit;
use crate::listing::LISTING;
use crate::model::{AuditEntry, AuditId, Verification};

#[derive(Tags)]
enum Tag {
    /// Who did what, in a form that can't be changed unseen.
    #[oai(rename = "audit")]
    Audit,
}

/// Lines of JSON.
#[derive(ApiResponse)]
pub enum Lines {
    /// One JSON object a line: `{"sequence", "entry", "salt", "leaf_hash"}` for each entry in its order, and
    /// `{"head": {"tenant", "size", "root_hash"}}` at the end. `entry` is the text that was hashed:
    /// `leaf_hash = SHA-256(0x00 || HMAC-SHA256(salt, entry))`. An export without its last line is incomplete.
    #[oai(status = 200, content_type = "application/x-ndjson")]
    Ok(Binary<Body>),
}

/// The audit trail over REST.
pub struct Api(pub Audit);

#[OpenApi(prefix_path = "/api/v1/audit", tag = "Tag::Audit")]
impl Api {
    /// List the entries of the audit trail
    ///
    /// Reading is itself on record. Filter by `actor_id`, `action`, `target_kind`, `target_id`, `outcome`,
    /// `occurred_at` and `sequence`.
    #[oai(path = "/entries", method = "get", operation_id = "list_audit_entries")]
    async fn list(
        &self,
        auth: Auth,
        /// How many, 1 to 200.
        limit: Query<Option<i64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
        /// Such as `action eq "tenancy.role_created"`.
        filter: Query<Option<String>>,
        /// `occurred_at` or `-occurred_at`.
        sort: Query<Option<String>>,
        /// The fields to show, with commas between.
        fields: Query<Option<String>>,
    ) -> Result<Listed<AuditEntry>, Problem> {
        let mask = FieldMask::parse(&LISTING, fields.0.as_deref())?;
        let params = ListParams { limit: limit.0, cursor: cursor.0, filter: filter.0, sort: sort.0 };
        let (_, page) = self.0.list(&auth.0, &params).await?;
        Ok(Listed(page, mask))
    }

    /// Read one entry of the audit trail
    #[oai(path = "/entries/:id", method = "get", operation_id = "get_audit_entry")]
    async fn get(
        &self,
        auth: Auth,
        id: Path<AuditId>,
        /// The fields to show, with commas between.
        fields: Query<Option<String>>,
    ) -> Result<Reply<AuditEntry>, Problem> {
        let mask = FieldMask::parse(&LISTING, fields.0.as_deref())?;
        Ok(Reply::masked(self.0.get(&auth.0, id.0).await?, mask))
    }

    /// Export the audit trail
    ///
    /// All numbered entries that the filter lets through, as lines of JSON, however many; that it was exported is on
    /// record.
    #[oai(path = "/export", method = "get", operation_id = "export_audit_entries")]
    async fn export(
        &self,
        auth: Auth,
        /// Such as `occurred_at ge 2026-01-01T00:00:00Z`.
        filter: Query<Option<String>>,
    ) -> Result<Lines, Problem> {
        let export = self.0.export(&auth.0, filter.0).await?;
        let lines = export.into_stream().map_err(|problem| io::Error::other(problem.detail));
        Ok(Lines::Ok(Binary(Body::from_bytes_stream(lines))))
    }

    /// Verify the audit trail while you wait
    ///
    /// Every entry is hashed anew and the tree over them compared with the head. A trail that is too long for that
    /// answers 413; have it verified in the background by POST.
    #[oai(path = "/verify", method = "get", operation_id = "verify_audit")]
    async fn verify(&self, auth: Auth) -> Result<Reply<Verification>, Problem> {
        Ok(Reply::new(self.0.verify(&auth.0).await?))
    }

    /// Verify the audit trail in the background
    ///
    /// Answers with the job; its progress tells the finding, which is on record as `audit.verified` too.
    #[oai(path = "/verify", method = "post", operation_id = "start_audit_verification")]
    async fn start_verification(&self, auth: Auth) -> Result<Accepted<Job>, Problem> {
        Ok(Accepted(self.0.start_verification(&auth.0).await?))
    }
}
