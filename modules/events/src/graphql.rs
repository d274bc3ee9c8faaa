//! The GraphQL face.

use async_graphql::connection::Connection;
use async_graphql::{Context, Object};
use kernel::Problem;
use kernel::graphql::{caller, list};

use crate::model::{EventId, EventView, SubscriberView};
use crate::subscriber::Events;

/// What can be asked about events.
pub struct Query(Events);

impl Query {
    /// The face of these events.
    pub const fn new(events: Events) -> Self {
        Self(events)
    }
}

#[Object(name = "EventsQuery")]
impl Query {
    /// What happened in the tenant, the latest first
    #[graphql(complexity = "first.unwrap_or(50).clamp(1, 200) as usize * child_complexity")]
    async fn events(
        &self,
        ctx: &Context<'_>,
        first: Option<i64>,
        after: Option<String>,
        filter: Option<String>,
        sort: Option<String>,
    ) -> Result<Connection<String, EventView>, Problem> {
        let (request, page) = self.0.list(caller(ctx)?, &list(first, after, filter, sort)).await?;
        request.connection(page)
    }

    /// One event
    async fn event(&self, ctx: &Context<'_>, id: EventId) -> Result<EventView, Problem> {
        Ok(self.0.get(caller(ctx)?, id).await?)
    }

    /// Who hears events, and how far they have come; for operators
    #[graphql(complexity = "first.unwrap_or(50).clamp(1, 200) as usize * child_complexity")]
    async fn subscribers(
        &self,
        ctx: &Context<'_>,
        first: Option<i64>,
        after: Option<String>,
        filter: Option<String>,
        sort: Option<String>,
    ) -> Result<Connection<String, SubscriberView>, Problem> {
        let (request, page) = self.0.subscribers(caller(ctx)?, &list(first, after, filter, sort)).await?;
        request.connection(page)
    }
}
