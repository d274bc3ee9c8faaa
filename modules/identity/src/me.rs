//! Who the caller is.

use kernel::{Actor, Caller, Problem};

use crate::Identity;
use crate::error::Error;
use crate::model::{Me, MeActor, MeTenant};
use crate::sessions::current;
use crate::store;

impl Identity {
    /// Who the caller is to this tenant, and what this credential may do.
    ///
    /// # Errors
    /// The caller is nobody.
    pub async fn me(&self, caller: &Caller) -> Result<Me, Error> {
        let id = caller.account()?;
        let tenant = self.tenant(caller).await?;
        let (account, grants) = self
            .0
            .db
            .read(caller, async |tx| {
                let account = store::accounts::find(tx, id).await?;
                Ok::<_, Problem>((account, self.0.tenancy.grants_of(tx, id).await?))
            })
            .await?;
        Ok(Me {
            account,
            actor: MeActor {
                kind: caller.actor.kind().to_owned(),
                id: caller.actor.id(),
                name: caller.actor.name().to_owned(),
            },
            tenant: MeTenant { id: tenant.id, slug: tenant.slug.to_string(), name: tenant.name.to_string() },
            roles: grants.roles,
            permissions: caller.permissions.names().map(str::to_owned).collect(),
            session_id: current(caller),
            api_key_id: match caller.actor {
                Actor::ApiKey { id, .. } => Some(id),
                Actor::Anonymous | Actor::Account { .. } | Actor::System { .. } => None,
            },
        })
    }
}
