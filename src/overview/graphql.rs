//! GraphQL face of the overview.

use async_graphql::{Context, Object};
use kernel::Problem;
use kernel::graphql::caller;

use crate::overview::{Overview, SystemOverview};

/// The queries.
pub struct Query(pub Overview);

#[Object(name = "SystemQuery")]
impl Query {
    /// Get the state of the installation
    async fn system_overview(&self, ctx: &Context<'_>) -> Result<SystemOverview, Problem> {
        self.0.get(caller(ctx)?).await
    }
}
