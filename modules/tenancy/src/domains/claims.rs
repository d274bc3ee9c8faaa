//! Seeing, claiming and releasing domains.

use std::sync::PoisonError;

use kernel::{Caller, Expected, ListParams, ListRequest, Page, Problem, SYSTEM_TENANT, TenantId, Tx};

use crate::announce::announce;
use crate::domains::model::{Domain, DomainId, DomainNews, HeldDomain, NewDomain};
use crate::domains::name;
use crate::error::Error;
use crate::listing;
use crate::permissions::{DOMAINS_READ, DOMAINS_WRITE};
use crate::store;
use crate::store::domains::Kept;
use crate::{STALE_DOMAIN, Tenancy};

/// Rung when a domain is to be checked at once.
pub(crate) const BELL: &str = "tenancy domains";

impl Tenancy {
    /// A page of the tenant's domains.
    ///
    /// # Errors
    /// 400 for a wrong parameter, or the caller lacks [`DOMAINS_READ`].
    pub async fn list_domains(
        &self,
        caller: &Caller,
        params: &ListParams,
    ) -> Result<(ListRequest, Page<Domain>), Error> {
        caller.require(DOMAINS_READ)?;
        let request = ListRequest::new(&listing::DOMAINS, params, caller, self.db().keys())?;
        let list = async |tx: &Tx| store::domains::list(tx, self.config(), &request).await;
        let domains: Vec<_> = self.db().read(caller, list).await?;
        let mut page = request.page(domains)?;
        self.certify(&mut page.items).await;
        Ok((request, page))
    }

    /// One domain.
    ///
    /// # Errors
    /// The 404, or the caller lacks [`DOMAINS_READ`].
    pub async fn get_domain(&self, caller: &Caller, id: DomainId) -> Result<Domain, Error> {
        caller.require(DOMAINS_READ)?;
        self.domain(caller, id).await
    }

    /// The domain as it is shown.
    pub(crate) async fn domain(&self, caller: &Caller, id: DomainId) -> Result<Domain, Error> {
        let find = async |tx: &Tx| store::domains::find(tx, self.config(), id).await;
        let found: Option<Kept> = self.db().read(caller, find).await?;
        let mut found = [found.ok_or_else(Problem::not_found)?.domain];
        self.certify(&mut found).await;
        let [domain] = found;
        Ok(domain)
    }

    /// Claims a name. It is the tenant's once its proof was seen; other tenants may claim it as well until then.
    ///
    /// # Errors
    /// [`Error::DomainInvalid`], [`Error::DomainReserved`], [`Error::DomainClaimed`], [`Error::TooManyDomains`], or the
    /// caller lacks [`DOMAINS_WRITE`].
    pub async fn claim_domain(&self, caller: &Caller, new: NewDomain) -> Result<Domain, Error> {
        caller.require(DOMAINS_WRITE)?;
        let name = name::parse(&new.name, self.config(), caller.tenant == SYSTEM_TENANT)?;
        let most = self.config().domains.per_tenant;

        self.db()
            .write_once(caller, "tenancy.claim_domain", &new, async |tx| {
                // Claims of one tenant take turns, so that none slips past the limit.
                store::tenants::lock(tx).await?;
                if store::domains::count(tx).await? >= most {
                    return Err(Error::TooManyDomains(most));
                }
                let token = new_token(tx);
                let domain = store::domains::insert(tx, self.config(), &name, &token).await?;
                tell(tx, caller, "tenancy.domain.claimed", &domain, None).await?;
                tx.ring_on_commit(BELL);
                Ok(domain)
            })
            .await
    }

    /// Gives a domain up, at once: requests for it are nobody's, and whoever claims it next needs a new proof.
    ///
    /// # Errors
    /// 412, the 404, or the caller lacks [`DOMAINS_WRITE`].
    pub async fn release_domain(&self, caller: &Caller, id: DomainId, expected: Expected) -> Result<(), Error> {
        caller.require(DOMAINS_WRITE)?;
        // Others who wait for the name are woken.
        let caller = &caller.across_tenants();

        self.db()
            .write_once(caller, "tenancy.release_domain", &id, async |tx| {
                let kept = store::domains::find_for_update(tx, self.config(), id).await?;
                let domain = kept.ok_or_else(Problem::not_found)?.domain;
                expected.check(domain.version)?;
                store::domains::delete(tx, id).await?;
                if domain.status.is_held() {
                    tell(tx, caller, "tenancy.domain.released", &domain, None).await?;
                    store::domains::wake(tx, &domain.name).await?;
                    tx.ring_on_commit(BELL);
                } else {
                    tell(tx, caller, "tenancy.domain.withdrawn", &domain, None).await?;
                }
                Self::domain_changed(tx, &domain.name);
                Ok(())
            })
            .await
    }

    /// The domains that somebody holds, in the order of their ids: at most `limit` after this one. For whoever keeps
    /// something for each of them and wants to know at the start that nothing was missed.
    ///
    /// # Errors
    /// What the database says.
    pub async fn verified_domains(&self, after: Option<DomainId>, limit: u64) -> Result<Vec<HeldDomain>, Problem> {
        let find = async |tx: &Tx| store::domains::held_after(tx, after, limit).await;
        self.db().read(&Caller::platform("tenancy"), find).await
    }

    /// Who knows how certificates stand, for domains to show it.
    pub fn show_certificates(&self, certificates: std::sync::Arc<dyn crate::DomainCertificates>) {
        *self.0.certificates.write().unwrap_or_else(PoisonError::into_inner) = Some(certificates);
    }

    pub(crate) fn certificates(&self) -> Option<std::sync::Arc<dyn crate::DomainCertificates>> {
        self.0.certificates.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts the standing of their certificates into domains. Without it they are shown all the same.
    async fn certify(&self, domains: &mut [Domain]) {
        let Some(certificates) = self.certificates().filter(|_| !domains.is_empty()) else { return };
        let names: Vec<String> = domains.iter().map(|domain| domain.name.clone()).collect();
        match certificates.standing(&names).await {
            Ok(mut standing) => {
                for domain in domains.iter_mut().filter(|domain| domain.status.is_held()) {
                    domain.certificate = standing.remove(&domain.name);
                }
            }
            Err(problem) => tracing::warn!(?problem, "domains are shown without their certificates"),
        }
    }

    /// After the commit: which tenant a host of this name belongs to is asked anew.
    pub(crate) fn domain_changed(tx: &Tx, name: &str) {
        tx.stale_on_commit(STALE_DOMAIN, name);
    }

    /// In the purge of a tenant: the world hears that its domains are free.
    pub(crate) async fn release_all(&self, tx: &Tx, caller: &Caller) -> Result<(), Problem> {
        for kept in store::domains::held(tx, self.config()).await? {
            tell(tx, caller, "tenancy.domain.released", &kept.domain, None).await?;
            Self::domain_changed(tx, &kept.domain.name);
        }
        Ok(())
    }
}

/// What a proof says; not secret, only never the same again.
pub(crate) fn new_token(tx: &Tx) -> String {
    hex::encode(tx.random().bytes::<20>())
}

/// An event and an entry of the audit trail.
pub(crate) async fn tell(
    tx: &Tx,
    caller: &Caller,
    action: &'static str,
    domain: &Domain,
    code: Option<&str>,
) -> Result<(), Problem> {
    let tenant: TenantId = tx.tenant();
    let news = DomainNews { domain: domain.id, tenant, name: &domain.name, ready: domain.ready, code };
    announce(tx, caller, action, ("domain", domain.id.to_string()), &news).await
}
