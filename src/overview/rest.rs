//! REST face of the overview.

use kernel::Problem;
use kernel::rest::{Auth, Reply};
use poem_openapi::{OpenApi, Tags};

use crate::overview::{Overview, SystemOverview};

/// Groups the operation in the reference.
#[derive(Tags)]
enum Tag {
    /// The installation itself.
    System,
}

/// The operations.
pub struct Api(pub Overview);

#[OpenApi(prefix_path = "/api/v1/system", tag = "Tag::System")]
impl Api {
    /// Get the state of the installation
    #[oai(path = "/overview", method = "get", operation_id = "get_system_overview")]
    async fn overview(&self, auth: Auth) -> Result<Reply<SystemOverview>, Problem> {
        Ok(Reply::new(self.0.get(&auth.0).await?))
    }
}
