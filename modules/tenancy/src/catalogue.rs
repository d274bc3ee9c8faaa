//! The catalogue: every permission that the modules declared, and which built-in role holds it.

use std::collections::BTreeMap;

use kernel::{Level, PermissionSet, PermissionSpec, SYSTEM_TENANT, TenantId};

use crate::model::{PermissionEntry, level_name};

/// The built-in roles, the highest first, with what they are for.
pub(crate) const BUILT_IN: [(Level, &str); 4] = [
    (Level::Owner, "May do everything in the tenant."),
    (Level::Admin, "May manage members, roles and settings."),
    (Level::Editor, "May work with the data."),
    (Level::Viewer, "May look."),
];

/// Every known permission.
pub(crate) struct Catalogue {
    known: BTreeMap<&'static str, Known>,
    /// What each built-in role holds in the system tenant, and in every other.
    system: BuiltIn,
    others: BuiltIn,
}

struct Known {
    module: &'static str,
    spec: PermissionSpec,
}

struct BuiltIn(Vec<(Level, PermissionSet)>);

impl BuiltIn {
    fn of<'a>(known: &(impl Iterator<Item = &'a Known> + Clone)) -> Self {
        let held = |level| known.clone().filter(move |it| it.spec.level <= level).map(|it| it.spec.permission.0);
        Self(BUILT_IN.map(|(level, _)| (level, PermissionSet::of(held(level)))).to_vec())
    }

    fn at(&self, level: Level) -> PermissionSet {
        self.0.iter().find(|(known, _)| *known == level).map(|(_, set)| set.clone()).unwrap_or_default()
    }
}

/// Whether a permission makes sense for the operators only: it reaches over all tenants or into the process.
fn for_operators(module: &str, name: &str) -> bool {
    module == "system" || name.starts_with("tenancy.tenants.") || name.starts_with("edge.routes.")
}

impl Catalogue {
    pub(crate) fn new(modules: Vec<(&'static str, &'static [PermissionSpec])>) -> Self {
        let known: BTreeMap<_, _> = modules
            .into_iter()
            .flat_map(|(module, specs)| specs.iter().map(move |spec| Known { module, spec: *spec }))
            .map(|known| (known.spec.permission.0, known))
            .collect();
        let system = BuiltIn::of(&known.values());
        let others = BuiltIn::of(&known.values().filter(|it| !for_operators(it.module, it.spec.permission.0)));
        Self { known, system, others }
    }

    /// Whether any module declared it.
    pub(crate) fn knows(&self, permission: &str) -> bool {
        self.known.contains_key(permission)
    }

    /// Whether it can be granted in this tenant.
    pub(crate) fn grantable(&self, tenant: TenantId, permission: &str) -> bool {
        let known = self.known.get(permission);
        known.is_some_and(|it| tenant == SYSTEM_TENANT || !for_operators(it.module, permission))
    }

    /// What a built-in role holds in this tenant.
    pub(crate) fn built_in(&self, tenant: TenantId, level: Level) -> PermissionSet {
        let built_in = if tenant == SYSTEM_TENANT { &self.system } else { &self.others };
        built_in.at(level)
    }

    /// The permissions that there are in this tenant, by name.
    pub(crate) fn entries(&self, tenant: TenantId) -> Vec<PermissionEntry> {
        self.known
            .values()
            .filter(|it| self.grantable(tenant, it.spec.permission.0))
            .map(|it| PermissionEntry {
                name: it.spec.permission.0.to_owned(),
                description: it.spec.description.to_owned(),
                module: it.module.to_owned(),
                granted_to: BUILT_IN
                    .iter()
                    .filter(|(level, _)| it.spec.level <= *level)
                    .map(|(level, _)| level_name(*level).to_owned())
                    .collect(),
            })
            .collect()
    }
}
