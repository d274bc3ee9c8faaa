//! Who asks. Every service function takes it first; there is no ambient current user.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::id::{AccountId, ApiKeyId, SYSTEM_TENANT, SessionId, TenantId};
use crate::problem::Problem;
use crate::standing::Standing;

/// Something that may be allowed, named by the module that guards it: `tenancy.roles.write`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Permission(pub &'static str);

/// The lowest built-in role that holds a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// May look.
    Viewer,
    /// May work with the data.
    Editor,
    /// May manage members, roles and settings.
    Admin,
    /// May do everything in the tenant.
    Owner,
}

/// A permission as its module declares it in the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct PermissionSpec {
    /// The permission.
    pub permission: Permission,
    /// The lowest built-in role that holds it.
    pub level: Level,
    /// What it allows, for people who make roles.
    pub description: &'static str,
}

/// What a caller may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PermissionSet {
    all: bool,
    names: Arc<[Box<str>]>,
}

impl PermissionSet {
    /// Everything; only for the process itself.
    pub fn everything() -> Self {
        Self { all: true, names: Arc::default() }
    }

    /// Exactly these.
    pub fn of<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> Self {
        let mut names: Vec<Box<str>> = names.into_iter().map(|name| name.as_ref().into()).collect();
        names.sort_unstable();
        names.dedup();
        Self { all: false, names: names.into() }
    }

    /// Whether it holds this one.
    pub fn contains(&self, name: &str) -> bool {
        self.all || self.names.binary_search_by(|held| held.as_ref().cmp(name)).is_ok()
    }

    /// What both hold.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        match (self.all, other.all) {
            (true, _) => other.clone(),
            (_, true) => self.clone(),
            _ => Self::of(self.names.iter().filter(|name| other.contains(name))),
        }
    }

    /// All names, sorted, without a copy; empty for [`Self::everything`].
    pub fn shared_names(&self) -> Arc<[Box<str>]> {
        Arc::clone(&self.names)
    }

    /// The names, sorted; empty for [`Self::everything`].
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(AsRef::as_ref)
    }
}

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Nobody is signed in.
    Anonymous,
    /// A person, through a session.
    Account { id: AccountId, session: SessionId, name: Arc<str> },
    /// A program, with a key that acts for an account.
    ApiKey { id: ApiKeyId, account: AccountId, name: Arc<str> },
    /// The process itself, such as a job.
    System { name: &'static str },
}

impl Actor {
    /// `anonymous`, `account`, `api_key` or `system`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Account { .. } => "account",
            Self::ApiKey { .. } => "api_key",
            Self::System { .. } => "system",
        }
    }

    /// The actor's id in text, if it has one.
    pub fn id(&self) -> Option<String> {
        match self {
            Self::Account { id, .. } => Some(id.to_string()),
            Self::ApiKey { id, .. } => Some(id.to_string()),
            Self::Anonymous | Self::System { .. } => None,
        }
    }

    /// A name for people: an address, a key's name, or the part of the process.
    pub fn name(&self) -> &str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Account { name, .. } | Self::ApiKey { name, .. } => name,
            Self::System { name } => name,
        }
    }

    /// The account that acts or for which a key acts.
    pub const fn account(&self) -> Option<AccountId> {
        match self {
            Self::Account { id, .. } => Some(*id),
            Self::ApiKey { account, .. } => Some(*account),
            Self::Anonymous | Self::System { .. } => None,
        }
    }
}

/// What came with the request and is not about the person.
#[derive(Clone, Debug)]
pub struct RequestContext {
    /// The id under which this request stands in logs, answers and the audit trail.
    pub id: Arc<str>,
    /// Where it came from.
    pub address: Option<IpAddr>,
    /// The host that was asked for, in lower case and without the port.
    pub host: Option<Arc<str>>,
    /// The client's name for itself.
    pub user_agent: Option<Arc<str>>,
    /// The key that makes a repeated write harmless.
    pub idempotency_key: Option<Arc<str>>,
    /// When the answer is no longer wanted.
    pub deadline: Instant,
    replayed: Arc<AtomicBool>,
}

impl RequestContext {
    /// A request that began now and has this long.
    pub fn new(id: impl Into<Arc<str>>, time: Duration) -> Self {
        Self {
            id: id.into(),
            address: None,
            host: None,
            user_agent: None,
            idempotency_key: None,
            deadline: Instant::now() + time,
            replayed: Arc::default(),
        }
    }

    /// Whether the answer is a stored one.
    pub fn replayed(&self) -> bool {
        self.replayed.load(Ordering::Relaxed)
    }

    pub(crate) fn mark_replayed(&self) {
        self.replayed.store(true, Ordering::Relaxed);
    }
}

/// How far a caller's queries reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Rows of the caller's tenant only.
    Tenant,
    /// Rows of every tenant: the process's own work, and operators where a service says so.
    Platform,
}

/// Who asks, for which tenant, with which permissions, until when.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who acts.
    pub actor: Actor,
    /// The tenant that is asked.
    pub tenant: TenantId,
    /// What the actor may do there.
    pub permissions: PermissionSet,
    /// What came with the request.
    pub request: RequestContext,
    reach: Reach,
    standing: Option<Arc<dyn Standing>>,
}

/// How long the process's own units of work may take.
const SYSTEM_TIME: Duration = Duration::from_secs(30);

impl Caller {
    /// A caller inside one tenant.
    pub fn new(actor: Actor, tenant: TenantId, permissions: PermissionSet, request: RequestContext) -> Self {
        Self { actor, tenant, permissions, request, reach: Reach::Tenant, standing: None }
    }

    /// The same caller, who was let in by this; see [`crate::Vigil`].
    #[must_use]
    pub fn with_standing(self, standing: Arc<dyn Standing>) -> Self {
        Self { standing: Some(standing), ..self }
    }

    /// What the caller was let in by; `None` for who needs nothing.
    pub const fn standing(&self) -> Option<&Arc<dyn Standing>> {
        self.standing.as_ref()
    }

    /// Nobody in particular, asking this tenant.
    pub fn anonymous(tenant: TenantId, request: RequestContext) -> Self {
        Self::new(Actor::Anonymous, tenant, PermissionSet::default(), request)
    }

    /// The process itself, inside one tenant.
    pub fn system(name: &'static str, tenant: TenantId) -> Self {
        let request = RequestContext::new(name, SYSTEM_TIME);
        Self::new(Actor::System { name }, tenant, PermissionSet::everything(), request)
    }

    /// The process itself, across all tenants.
    pub fn platform(name: &'static str) -> Self {
        Self { reach: Reach::Platform, ..Self::system(name, SYSTEM_TENANT) }
    }

    /// The same actor with a reach over all tenants. A service grants it, after its own check.
    #[must_use]
    pub fn across_tenants(&self) -> Self {
        Self { reach: Reach::Platform, ..self.clone() }
    }

    /// The same actor and request, inside another tenant. A service grants it, after its own check.
    #[must_use]
    pub fn inside(&self, tenant: TenantId) -> Self {
        Self { tenant, reach: Reach::Tenant, ..self.clone() }
    }

    /// How far this caller's queries reach.
    pub const fn reach(&self) -> Reach {
        self.reach
    }

    /// Whether the caller may do this.
    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.contains(permission.0)
    }

    /// Lets pass only who may do this.
    ///
    /// # Errors
    /// 401 for nobody in particular, 403 for somebody without the permission.
    pub fn require(&self, permission: Permission) -> Result<(), Problem> {
        match (&self.actor, self.may(permission)) {
            (_, true) => Ok(()),
            (Actor::Anonymous, false) => Err(Problem::unauthenticated()),
            (_, false) => Err(Problem::forbidden(permission.0)),
        }
    }

    /// The account that acts.
    ///
    /// # Errors
    /// 401 if there is none.
    pub fn account(&self) -> Result<AccountId, Problem> {
        self.actor.account().ok_or_else(Problem::unauthenticated)
    }

    /// Time left until the deadline; zero when it has passed.
    pub fn time_left(&self) -> Duration {
        self.request.deadline.saturating_duration_since(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_permission_is_401_for_nobody_and_403_for_somebody() {
        let request = RequestContext::new("r", Duration::from_secs(1));
        let nobody = Caller::anonymous(SYSTEM_TENANT, request);
        let mut somebody = Caller::system("test", SYSTEM_TENANT);
        somebody.permissions = PermissionSet::of(["a.read"]);

        assert_eq!(nobody.require(Permission("a.read")).unwrap_err().kind.status(), 401);
        assert!(somebody.require(Permission("a.read")).is_ok());
        assert_eq!(somebody.require(Permission("a.write")).unwrap_err().kind.status(), 403);
    }

    #[test]
    fn an_intersection_holds_only_what_both_hold() {
        let left = PermissionSet::of(["a", "b"]);

        assert_eq!(left.intersection(&PermissionSet::of(["b", "c"])), PermissionSet::of(["b"]));
        assert_eq!(left.intersection(&PermissionSet::everything()), left);
    }
}
