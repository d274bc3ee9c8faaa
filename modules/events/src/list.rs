//! What people see of events.

use kernel::{
    Caller, Field, FieldKind, Level, ListParams, ListRequest, Listing, Page, Permission, PermissionSpec, Problem,
    SYSTEM_TENANT,
};

use crate::attempt::DEAD_FROM;
use crate::error::Error;
use crate::model::{EventId, EventView, SubscriberView};
use crate::store;
use crate::subscriber::Events;

/// Allows to read the events of the tenant.
pub const READ: Permission = Permission("events.read");

/// The permissions of this module.
pub const PERMISSIONS: &[PermissionSpec] =
    &[PermissionSpec { permission: READ, level: Level::Admin, description: "Read the events of the tenant" }];

pub(crate) const EVENTS: Listing = Listing {
    resource: "events.events",
    fields: &[
        Field::new("id", "id", FieldKind::Id("evt")),
        Field::new("type", "kind", FieldKind::Text),
        Field::new("key", "key", FieldKind::Text),
        Field::sorted("occurred_at", "occurred_at", FieldKind::Time),
        Field::shown("data"),
    ],
    default_sort: "-occurred_at",
    tie_break: "id",
};

pub(crate) const SUBSCRIBERS: Listing = Listing {
    resource: "events.subscribers",
    fields: &[
        Field::sorted("name", "name", FieldKind::Text),
        Field::new("updated_at", "updated_at", FieldKind::Time),
        Field::shown("cursor"),
        Field::shown("lag"),
        Field::shown("parked"),
        Field::shown("dead"),
        Field::shown("last_error"),
    ],
    default_sort: "name",
    tie_break: "name",
};

impl Events {
    /// The events of the caller's tenant, the latest first.
    ///
    /// # Errors
    /// The caller lacks [`READ`], or a parameter is wrong.
    pub async fn list(&self, caller: &Caller, params: &ListParams) -> Result<(ListRequest, Page<EventView>), Error> {
        caller.require(READ)?;
        let request = ListRequest::new(&EVENTS, params, caller, self.db.keys())?;
        let items = self.db.read(caller, async |tx| store::list(tx, &request).await).await?;
        let page = request.page(items)?;
        Ok((request, page))
    }

    /// One event of the caller's tenant.
    ///
    /// # Errors
    /// The caller lacks [`READ`], or there is no such event.
    pub async fn get(&self, caller: &Caller, id: EventId) -> Result<EventView, Error> {
        caller.require(READ)?;
        let found = self.db.read(caller, async |tx| store::find(tx, id).await).await?;
        found.ok_or_else(|| Problem::not_found().into())
    }

    /// The subscribers of this installation and how far they have come; for operators.
    ///
    /// # Errors
    /// The caller lacks [`READ`] in the system tenant, or a parameter is wrong.
    pub async fn subscribers(
        &self,
        caller: &Caller,
        params: &ListParams,
    ) -> Result<(ListRequest, Page<SubscriberView>), Error> {
        caller.require(READ)?;
        if caller.tenant != SYSTEM_TENANT {
            return Err(Problem::forbidden("events.read in the system tenant").into());
        }
        let request = ListRequest::new(&SUBSCRIBERS, params, caller, self.db.keys())?;
        let across = caller.across_tenants();
        let items = self.db.read(&across, async |tx| store::subscribers(tx, &request, DEAD_FROM).await).await?;
        let page = request.page(items)?;
        Ok((request, page))
    }
}
