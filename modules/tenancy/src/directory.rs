//! Which tenant a request is for, from memory: the host or the header is looked up once in a while, not every time.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kernel::{Caller, Kind, Problem, TenantId, Tx};
use quick_cache::sync::Cache;

use crate::Tenancy;
use crate::config::TenancyConfig;
use crate::domains::{covering, is_host};
use crate::model::{Tenant, TenantState};
use crate::store;
use crate::words::{SYSTEM_SLUG, Slug};

/// What every request needs to know of its tenant. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantRef {
    /// Names the tenant.
    pub id: TenantId,
    /// Its short name in addresses.
    pub slug: Arc<str>,
    /// Its name for people.
    pub name: Arc<str>,
    /// How it stands.
    pub state: TenantState,
    /// Its name as an issuer of tokens, which is its address, too.
    pub issuer: Arc<str>,
}

impl TenantRef {
    /// Lets pass only what is in use.
    ///
    /// # Errors
    /// 403 `tenancy.suspended` or `tenancy.deleting`.
    pub fn require_active(&self) -> Result<(), Problem> {
        let closed = |code, detail| Err(Problem::new(Kind::Forbidden, code, detail));
        match self.state {
            TenantState::Active => Ok(()),
            TenantState::Suspended => {
                closed("tenancy.suspended", "This tenant is suspended; ask the operators of this installation.")
            }
            TenantState::Deleting => {
                closed("tenancy.deleting", "This tenant is being deleted; ask the operators to restore it.")
            }
        }
    }
}

impl From<Tenant> for TenantRef {
    fn from(tenant: Tenant) -> Self {
        Self {
            id: tenant.id,
            slug: tenant.slug.into(),
            name: tenant.name.into(),
            state: tenant.state,
            issuer: tenant.issuer.into(),
        }
    }
}

/// By what a tenant is looked up.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Slug(Slug),
    Id(TenantId),
}

/// What was found, or that nothing was, and until when that is believed.
#[derive(Clone)]
struct Entry<T> {
    found: Option<T>,
    until: Instant,
}

/// The tenants that were asked for lately, and the names that were asked for in vain.
pub(crate) struct Directory {
    entries: Cache<Key, Entry<TenantRef>>,
    /// Who holds a host, by a domain of its own.
    hosts: Cache<Box<str>, Entry<TenantId>>,
    /// Grows with every change, so that what was read before one is not kept after it.
    changes: AtomicU64,
    ttl: Duration,
}

impl Directory {
    pub(crate) fn new(config: &TenancyConfig) -> Self {
        Self {
            entries: Cache::new(config.directory_capacity.max(1)),
            hosts: Cache::new(config.directory_capacity.max(1)),
            changes: AtomicU64::new(0),
            ttl: Duration::from_millis(config.directory_ttl_ms),
        }
    }

    /// What was kept about a tenant goes, and what was asked for in vain: that may be its name. Without a tenant, all.
    pub(crate) fn forget(&self, tenant: Option<TenantId>) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.entries.retain(|_, entry| {
            let other = |found: &TenantRef| tenant.is_some_and(|tenant| found.id != tenant);
            entry.found.as_ref().is_some_and(other)
        });
    }

    /// What was kept about the hosts of a domain goes: its own, or those that a wildcard covers. Without a name, all.
    pub(crate) fn forget_domain(&self, name: Option<&str>) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        match name.map(|name| (name, name.strip_prefix('*'))) {
            None => self.hosts.clear(),
            Some((name, None)) => drop(self.hosts.remove(name)),
            Some((_, Some(suffix))) => self.hosts.retain(|host, _| !host.ends_with(suffix)),
        }
    }

    fn fresh(&self, key: &Key) -> Option<Entry<TenantRef>> {
        self.entries.get(key).filter(|entry| entry.until > Instant::now())
    }

    /// Keeps what was read when `changes` stood at `seen`, unless something changed since.
    fn keep(&self, key: &Key, found: Option<TenantRef>, seen: u64) {
        self.entries.insert(key.clone(), Entry { found, until: Instant::now() + self.ttl });
        if self.changes.load(Ordering::SeqCst) != seen {
            self.entries.remove(key);
        }
    }
}

/// What a host names.
#[derive(Debug, PartialEq, Eq)]
enum Host {
    /// The installation as a whole; a header may name the tenant.
    Shared,
    /// One tenant.
    Tenant(Slug),
    /// A name that may be a tenant's own.
    Domain(String),
    /// Nothing of ours.
    Unknown,
}

/// Reads a host, with or without a port.
fn read_host(host: &str, base_domain: &str) -> Host {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (host, None),
    };
    if port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return if host.parse::<Ipv6Addr>().is_ok() { Host::Shared } else { Host::Unknown };
    }
    let name = name.to_ascii_lowercase();
    let bracketed = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_address = match bracketed {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => name.parse::<Ipv4Addr>().is_ok() || host.parse::<IpAddr>().is_ok(),
    };
    if is_address || host.is_empty() || name == base_domain || name == "localhost" {
        return Host::Shared;
    }
    let label = name.strip_suffix(base_domain).and_then(|rest| rest.strip_suffix('.'));
    // The operators' tenant has the base domain itself, and no second name.
    match label.and_then(Slug::known).filter(|slug| slug.as_str() != SYSTEM_SLUG) {
        Some(slug) => Host::Tenant(slug),
        None if is_host(&name) => Host::Domain(name),
        None => Host::Unknown,
    }
}

impl Tenancy {
    /// Whether this host (with or without a port) names the installation and not one tenant: the base domain,
    /// an IP address, or nothing.
    pub fn is_shared_host(&self, host: &str) -> bool {
        read_host(host, &self.config().base_domain) == Host::Shared
    }

    /// The tenant of a host (with or without a port); `None` for a shared host.
    ///
    /// # Errors
    /// The 404 for a host that names no tenant.
    pub async fn resolve_host(&self, host: &str) -> Result<Option<TenantRef>, Problem> {
        match read_host(host, &self.config().base_domain) {
            Host::Shared => Ok(None),
            Host::Tenant(slug) => self.look_up(Key::Slug(slug)).await?.ok_or_else(Problem::not_found).map(Some),
            Host::Domain(name) => {
                let tenant = self.holder(&name).await?.ok_or_else(Problem::not_found)?;
                self.look_up(Key::Id(tenant)).await?.ok_or_else(Problem::not_found).map(Some)
            }
            Host::Unknown => Err(Problem::not_found()),
        }
    }

    /// The host without its port and in lower case, if it can only be a tenant's own domain.
    pub fn own_domain(&self, host: &str) -> Option<String> {
        match read_host(host, &self.config().base_domain) {
            Host::Domain(name) => Some(name),
            Host::Shared | Host::Tenant(_) | Host::Unknown => None,
        }
    }

    /// Whether the tenant of `tx` holds this host, by a domain of that name or a wildcard, as the database has it at
    /// this moment.
    ///
    /// # Errors
    /// What the database says.
    pub async fn holds_host(&self, tx: &Tx, host: &str) -> Result<bool, Problem> {
        let wildcard = covering(host).unwrap_or_default();
        Ok(store::domains::holder(tx, host, &wildcard).await? == Some(tx.tenant()))
    }

    /// The tenant of this slug or id; `None` if there is none.
    ///
    /// # Errors
    /// What the database says.
    pub async fn resolve_name(&self, slug_or_id: &str) -> Result<Option<TenantRef>, Problem> {
        let key = match slug_or_id.parse::<TenantId>() {
            Ok(id) => Some(Key::Id(id)),
            Err(_) => Slug::known(slug_or_id).map(Key::Slug),
        };
        match key {
            Some(key) => self.look_up(key).await,
            None => Ok(None),
        }
    }

    /// Lets pass only a tenant in use, as the database has it at this moment; for what was let in a while ago.
    ///
    /// # Errors
    /// 403 `tenancy.suspended` or `tenancy.deleting`, the 404, or what the database says.
    pub async fn require_active(&self, tx: &Tx) -> Result<(), Problem> {
        let found = store::tenants::find(tx, self.config(), tx.tenant()).await?;
        TenantRef::from(found.ok_or_else(Problem::not_found)?).require_active()
    }

    /// Who holds a host.
    async fn holder(&self, host: &str) -> Result<Option<TenantId>, Problem> {
        let directory = &self.0.directory;
        if let Some(kept) = directory.hosts.get(host).filter(|entry| entry.until > Instant::now()) {
            return Ok(kept.found);
        }
        let seen = directory.changes.load(Ordering::SeqCst);
        let wildcard = covering(host).unwrap_or_default();
        let find = async |tx: &Tx| store::domains::holder(tx, host, &wildcard).await;
        let found: Option<TenantId> = self.db().read(&Caller::platform("tenancy"), find).await?;
        directory.hosts.insert(host.into(), Entry { found, until: Instant::now() + directory.ttl });
        if directory.changes.load(Ordering::SeqCst) != seen {
            directory.hosts.remove(host);
        }
        Ok(found)
    }

    async fn look_up(&self, key: Key) -> Result<Option<TenantRef>, Problem> {
        let directory = &self.0.directory;
        if let Some(kept) = directory.fresh(&key) {
            return Ok(kept.found);
        }
        let seen = directory.changes.load(Ordering::SeqCst);
        let find = async |tx: &Tx| match &key {
            Key::Slug(slug) => store::tenants::find_by_slug(tx, self.config(), slug).await,
            Key::Id(id) => store::tenants::find(tx, self.config(), *id).await,
        };
        let found: Option<Tenant> = self.db().read(&Caller::platform("tenancy"), find).await?;
        let found = found.map(TenantRef::from);
        directory.keep(&key, found.clone(), seen);
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(slug: &str) -> Host {
        Host::Tenant(Slug::known(slug).unwrap())
    }

    #[test]
    fn a_label_under_the_base_domain_names_a_tenant_whatever_the_port_and_case() {
        for host in ["acme.localhost", "acme.localhost:8080", "ACME.LocalHost:443"] {
            assert_eq!(read_host(host, "localhost"), tenant("acme"), "{host}");
        }
        assert_eq!(read_host("acme.example.com", "example.com"), tenant("acme"));
    }

    #[test]
    fn addresses_and_the_base_domain_are_shared() {
        for host in ["", "127.0.0.1", "127.0.0.1:8080", "[::1]", "[::1]:8443", "::1", "localhost:8080", "LOCALHOST"] {
            assert_eq!(read_host(host, "localhost"), Host::Shared, "{host}");
        }
        assert_eq!(read_host("example.com:8443", "example.com"), Host::Shared);
    }

    #[test]
    fn deeper_and_foreign_hosts_may_be_somebody_s_domains() {
        for host in ["a.acme.localhost", "App.Example.com:8443", "ab.localhost", "xn--acme.localhost", "-a.localhost"] {
            let name = host.to_ascii_lowercase().replace(":8443", "");
            let expected = if name.starts_with('-') { Host::Unknown } else { Host::Domain(name) };
            assert_eq!(read_host(host, "localhost"), expected, "{host}");
        }
    }

    #[test]
    fn malformed_hosts_are_unknown() {
        for host in [
            "acme.localhost.",
            ".localhost",
            "-acme.localhost",
            "acme_1.localhost",
            "acme.localhost:80800",
            "acme.localhost:x",
            "acme.localhost:",
            "acmelocalhost",
            "[acme].localhost",
            "[::1",
            "acme.localhost/x",
            "ümlaut.localhost",
        ] {
            assert_eq!(read_host(host, "localhost"), Host::Unknown, "{host}");
        }
    }
}
