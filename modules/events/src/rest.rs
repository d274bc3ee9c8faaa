//! The REST face.

use kernel::rest::{Auth, Etag, Listed, Reply};
use kernel::{FieldMask, ListParams, Problem};
use poem_openapi::param::{Path, Query};
use poem_openapi::{OpenApi, Tags};

use crate::list::{EVENTS, SUBSCRIBERS};
use crate::model::{EventId, EventView, SubscriberView};
use crate::subscriber::Events;

#[derive(Tags)]
enum Tag {
    /// What happened, and who hears of it.
    #[oai(rename = "events")]
    Events,
}

impl Etag for EventView {
    fn version(&self) -> Option<i64> {
        None
    }
}

/// The resources under `/api/v1/events`.
pub struct Api(Events);

impl Api {
    /// The face of these events.
    pub const fn new(events: Events) -> Self {
        Self(events)
    }
}

#[OpenApi(prefix_path = "/api/v1/events", tag = "Tag::Events")]
impl Api {
    /// List events
    ///
    /// What happened in the tenant, the latest first.
    #[oai(path = "/", method = "get", operation_id = "list_events")]
    async fn list(
        &self,
        auth: Auth,
        /// How many, 1 to 200; 50 when left out.
        limit: Query<Option<i64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
        /// Which, such as `type eq "tenancy.tenant_created"`.
        filter: Query<Option<String>>,
        /// In which order: `occurred_at` or `-occurred_at`.
        sort: Query<Option<String>>,
        /// The fields to show, separated by commas.
        fields: Query<Option<String>>,
    ) -> Result<Listed<EventView>, Problem> {
        let mask = FieldMask::parse(&EVENTS, fields.0.as_deref())?;
        let params = ListParams { limit: limit.0, cursor: cursor.0, filter: filter.0, sort: sort.0 };
        Ok(Listed(self.0.list(&auth.0, &params).await?.1, mask))
    }

    /// List subscribers
    ///
    /// The parts of this installation that hear events, and how far they have come. For operators.
    #[oai(path = "/subscribers", method = "get", operation_id = "list_subscribers")]
    async fn subscribers(
        &self,
        auth: Auth,
        /// How many, 1 to 200; 50 when left out.
        limit: Query<Option<i64>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
        /// Which, such as `name sw "tenancy"`.
        filter: Query<Option<String>>,
        /// In which order: `name` or `-name`.
        sort: Query<Option<String>>,
        /// The fields to show, separated by commas.
        fields: Query<Option<String>>,
    ) -> Result<Listed<SubscriberView>, Problem> {
        let mask = FieldMask::parse(&SUBSCRIBERS, fields.0.as_deref())?;
        let params = ListParams { limit: limit.0, cursor: cursor.0, filter: filter.0, sort: sort.0 };
        Ok(Listed(self.0.subscribers(&auth.0, &params).await?.1, mask))
    }

    /// Get an event
    #[oai(path = "/:id", method = "get", operation_id = "get_event")]
    async fn get(&self, auth: Auth, id: Path<EventId>) -> Result<Reply<EventView>, Problem> {
        Ok(Reply::new(self.0.get(&auth.0, id.0).await?))
    }
}
