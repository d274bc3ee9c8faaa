//! Domains that come and go: a verified one is to have a certificate, a released one is not.

use async_trait::async_trait;
use edge_certificates::Name;
use events::{Event, Subscriber};
use kernel::{Problem, Tx};

use crate::Edge;
use crate::store;

const VERIFIED: &str = "tenancy.domain.verified";

/// Hears of domains and tenants.
pub(crate) struct Domains(pub(crate) Edge);

#[async_trait]
impl Subscriber for Domains {
    fn name(&self) -> &'static str {
        "edge.domains"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &[VERIFIED, "tenancy.domain.released", "tenancy.tenant_purged"]
    }

    async fn handle(&self, tx: &Tx, event: &Event) -> Result<(), Problem> {
        let owner = event.tenant.to_string();
        if event.kind == "tenancy.tenant_purged" {
            store::names::unwant_all(tx, &owner, tx.now()).await?;
            store::timeline::forget(tx, &owner).await?;
        } else {
            let name = event.data["name"].as_str().and_then(|name| Name::parse(name).ok());
            let Some(name) = name else { return Ok(()) };
            if event.kind == VERIFIED {
                // Told again when the name leads here; before, an authority would find nobody.
                if event.data["ready"] != true {
                    return Ok(());
                }
                store::names::want(tx, &name, &owner, tx.now()).await?;
            } else if store::names::find(tx, &name).await?.is_some_and(|record| record.tenant == owner) {
                // Another tenant may have it by now; its certificate stays.
                store::names::unwant(tx, &name, tx.now()).await?;
            }
        }
        let edge = self.0.clone();
        tx.on_commit(move || edge.wake());
        Ok(())
    }
}
