//! One step of a name, written as a whole.

use edge_certificates::{Lease, Name, Save};
use kernel::Tx;

use super::{answers, issued, leases, names, timeline};
use crate::certificates::Fault;

/// Writes a step, if the lease is still held.
///
/// # Errors
/// [`Fault::Stale`]; nothing is written then.
pub(crate) async fn save(tx: &Tx, lease: &Lease, save: &Save) -> Result<(), Fault> {
    // First, for it locks the row: whoever takes the lease over waits, or has done so and is seen.
    leases::prolong(tx, lease, save.lease_until).await?;
    let name = Name::parse(&lease.key).map_err(|_| Fault::Stale)?;
    let record = names::find(tx, &name).await?.ok_or(Fault::Stale)?;
    timeline::append(tx, &name, &record.tenant, &save.entries).await?;
    if let Some(answers) = &save.answers {
        answers::replace(tx, &name, answers).await?;
    }
    if save.forget {
        return forget(tx, lease, &name).await;
    }
    if let Some(sealed) = &save.certificate {
        issued::put(tx, &name, Some(sealed)).await?;
    }
    names::advance(tx, &name, &save.progress, (save.lane, save.due)).await
}

/// A name that was wanted again meanwhile stays as it is.
async fn forget(tx: &Tx, lease: &Lease, name: &Name) -> Result<(), Fault> {
    leases::release(tx, lease).await?;
    if !names::forget(tx, name).await? {
        return Ok(());
    }
    answers::replace(tx, name, &[]).await?;
    match issued::find(tx, name).await? {
        Some(_) => issued::put(tx, name, None).await,
        None => Ok(()),
    }
}
