//! Routes and pools as rows: what people see of them and do with them.

use audit::Entry as Leaf;
use kernel::{Caller, Expected, Id, IdKind, ListParams, ListRequest, Page, Patch, Problem, Tx};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::Edge;
use crate::error::Error;
use crate::listing::{POOLS, ROUTES};
use crate::model::{
    NewPool, NewRoute, Pool, PoolId, Route, RouteId, RouteQuestion, RouteVerdict, RoutingStatus, UpdatePool,
    UpdateRoute, UpstreamStatus,
};
use crate::permissions::{ROUTES_READ, ROUTES_WRITE};
use crate::steering::{Change, operators_only};
use crate::store::entries::{self, Entry, Table};

/// The largest body of a route or a pool, as JSON.
const MAX_BODY: usize = 256 * 1024;

fn route(entry: Entry) -> Route {
    let mut body = entry.body;
    let priority = body["priority"].as_i64().and_then(|priority| i32::try_from(priority).ok()).unwrap_or_default();
    Route {
        id: Id::from_uuid(entry.id),
        name: entry.name,
        priority,
        enabled: body["enabled"].as_bool().unwrap_or(true),
        condition: body["match"].take(),
        action: body["action"].take(),
        modifiers: body["modifiers"].take(),
        created_at: entry.created_at,
        updated_at: entry.updated_at,
        version: entry.version,
    }
}

fn pool(entry: Entry) -> Pool {
    Pool {
        id: Id::from_uuid(entry.id),
        name: entry.name,
        settings: entry.body,
        created_at: entry.created_at,
        updated_at: entry.updated_at,
        version: entry.version,
    }
}

impl Edge {
    /// The routes, in the operators' tenant.
    ///
    /// # Errors
    /// The caller is no operator with [`ROUTES_READ`], or a parameter is wrong.
    pub async fn list_routes(&self, caller: &Caller, params: &ListParams) -> Result<(ListRequest, Page<Route>), Error> {
        operators_only(caller, ROUTES_READ)?;
        let request = ListRequest::new(&ROUTES, params, caller, self.db()?.keys())?;
        let list = async |tx: &Tx| entries::list(tx, Table::Routes, &request).await;
        let found: Vec<Entry> = self.db()?.read(caller, list).await?;
        let page = request.page(found.into_iter().map(route).collect())?;
        Ok((request, page))
    }

    /// One route.
    ///
    /// # Errors
    /// The 404, or the caller is no operator with [`ROUTES_READ`].
    pub async fn get_route(&self, caller: &Caller, id: RouteId) -> Result<Route, Error> {
        operators_only(caller, ROUTES_READ)?;
        Ok(route(self.entry(caller, Table::Routes, id).await?))
    }

    /// Adds a route; it is in force when this returns.
    ///
    /// # Errors
    /// [`Error::NameTaken`], `edge.routes_invalid` with everything that is wrong, or the caller is no operator with
    /// [`ROUTES_WRITE`].
    pub async fn create_route(&self, caller: &Caller, new: NewRoute) -> Result<Route, Error> {
        operators_only(caller, ROUTES_WRITE)?;
        let body = json!({
            "priority": new.priority.unwrap_or_default(),
            "enabled": new.enabled.unwrap_or(true),
            "match": object("match", new.condition.clone())?,
            "action": object("action", Some(new.action.clone()))?,
            "modifiers": object("modifiers", new.modifiers.clone())?,
        });
        self.create(caller, Table::Routes, ("edge.create_route", &new), (new.name.clone(), body)).await.map(route)
    }

    /// Changes a route; the change is in force when this returns. Requests under way keep what they began with.
    ///
    /// # Errors
    /// 428 or 412 about the version, those of [`Self::create_route`], or the 404.
    pub async fn update_route(
        &self,
        caller: &Caller,
        id: RouteId,
        expected: Expected,
        update: UpdateRoute,
    ) -> Result<Route, Error> {
        operators_only(caller, ROUTES_WRITE)?;
        let input = ("edge.update_route", &(id, &update));
        let patched = self.patch(caller, Table::Routes, (id, expected), input, |entry| {
            let name = update.name.clone().required("name")?;
            entry.name = name.unwrap_or_else(|| entry.name.clone());
            if let Some(priority) = update.priority.clone().required("priority")? {
                entry.body["priority"] = priority.into();
            }
            if let Some(enabled) = update.enabled.clone().required("enabled")? {
                entry.body["enabled"] = enabled.into();
            }
            for (name, patch) in
                [("match", &update.condition), ("action", &update.action), ("modifiers", &update.modifiers)]
            {
                merged(&mut entry.body[name], patch, name)?;
            }
            Ok(())
        });
        patched.await.map(route)
    }

    /// Removes a route; it is no longer in force when this returns.
    ///
    /// # Errors
    /// 428 or 412 about the version, the 404, or the caller is no operator with [`ROUTES_WRITE`].
    pub async fn delete_route(&self, caller: &Caller, id: RouteId, expected: Expected) -> Result<(), Error> {
        operators_only(caller, ROUTES_WRITE)?;
        self.delete(caller, Table::Routes, id, expected).await
    }

    /// The pools, in the operators' tenant.
    ///
    /// # Errors
    /// The caller is no operator with [`ROUTES_READ`], or a parameter is wrong.
    pub async fn list_pools(&self, caller: &Caller, params: &ListParams) -> Result<(ListRequest, Page<Pool>), Error> {
        operators_only(caller, ROUTES_READ)?;
        let request = ListRequest::new(&POOLS, params, caller, self.db()?.keys())?;
        let list = async |tx: &Tx| entries::list(tx, Table::Pools, &request).await;
        let found: Vec<Entry> = self.db()?.read(caller, list).await?;
        let page = request.page(found.into_iter().map(pool).collect())?;
        Ok((request, page))
    }

    /// One pool.
    ///
    /// # Errors
    /// The 404, or the caller is no operator with [`ROUTES_READ`].
    pub async fn get_pool(&self, caller: &Caller, id: PoolId) -> Result<Pool, Error> {
        operators_only(caller, ROUTES_READ)?;
        Ok(pool(self.entry(caller, Table::Pools, id).await?))
    }

    /// Adds a pool.
    ///
    /// # Errors
    /// As for [`Self::create_route`].
    pub async fn create_pool(&self, caller: &Caller, new: NewPool) -> Result<Pool, Error> {
        operators_only(caller, ROUTES_WRITE)?;
        let body = object("settings", Some(new.settings.clone()))?;
        self.create(caller, Table::Pools, ("edge.create_pool", &new), (new.name.clone(), body)).await.map(pool)
    }

    /// Changes a pool; servers that stay keep their connections, their health and their figures.
    ///
    /// # Errors
    /// As for [`Self::update_route`].
    pub async fn update_pool(
        &self,
        caller: &Caller,
        id: PoolId,
        expected: Expected,
        update: UpdatePool,
    ) -> Result<Pool, Error> {
        operators_only(caller, ROUTES_WRITE)?;
        let input = ("edge.update_pool", &(id, &update));
        let patched = self.patch(caller, Table::Pools, (id, expected), input, |entry| {
            let name = update.name.clone().required("name")?;
            entry.name = name.unwrap_or_else(|| entry.name.clone());
            merged(&mut entry.body, &update.settings, "settings")
        });
        patched.await.map(pool)
    }

    /// Removes a pool that no route names.
    ///
    /// # Errors
    /// 428 or 412 about the version, `edge.routes_invalid` while a route names it, the 404, or the caller is no operator
    /// with [`ROUTES_WRITE`].
    pub async fn delete_pool(&self, caller: &Caller, id: PoolId, expected: Expected) -> Result<(), Error> {
        operators_only(caller, ROUTES_WRITE)?;
        self.delete(caller, Table::Pools, id, expected).await
    }

    /// Which route would take a request, why others don't, and what would be done.
    ///
    /// # Errors
    /// [`Error::QuestionInvalid`], or the caller is no operator with [`ROUTES_READ`].
    pub fn explain_route(&self, caller: &Caller, question: &RouteQuestion) -> Result<RouteVerdict, Error> {
        operators_only(caller, ROUTES_READ)?;
        self.steered()?.explain(question).map_err(Error::QuestionInvalid)
    }

    /// What is in force in this process.
    ///
    /// # Errors
    /// The caller is no operator with [`ROUTES_READ`].
    pub async fn routing_status(&self, caller: &Caller) -> Result<RoutingStatus, Error> {
        operators_only(caller, ROUTES_READ)?;
        let version = async |tx: &Tx| entries::version(tx).await;
        let version: i64 = self.db()?.read::<_, Problem, _>(caller, version).await?;
        let applied = self.applied();
        let whole = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        Ok(RoutingStatus {
            applied: applied.version,
            version,
            routes: whole(applied.size.0),
            pools: whole(applied.size.1),
            problems: applied.problems.clone(),
        })
    }

    /// How the pools and their servers stand, in this process.
    ///
    /// # Errors
    /// The caller is no operator with [`ROUTES_READ`].
    pub fn upstream_status(&self, caller: &Caller) -> Result<UpstreamStatus, Error> {
        operators_only(caller, ROUTES_READ)?;
        Ok(UpstreamStatus { pools: self.steered()?.pools() })
    }

    async fn entry<K: IdKind>(&self, caller: &Caller, table: Table, id: Id<K>) -> Result<Entry, Error> {
        let find = async |tx: &Tx| entries::find(tx, table, id.uuid()).await;
        let found: Option<Entry> = self.db()?.read::<_, Problem, _>(caller, find).await?;
        Ok(found.ok_or_else(Problem::not_found)?)
    }

    async fn create<I: Serialize>(
        &self,
        caller: &Caller,
        table: Table,
        (operation, input): (&'static str, &I),
        (name, body): (String, Value),
    ) -> Result<Entry, Error> {
        let name = checked(name, &body)?;
        let create = async |tx: &Tx| -> Result<Entry, Error> {
            entries::lock(tx).await?;
            let id = match table {
                Table::Routes => tx.new_id::<crate::model::RouteKind>().uuid(),
                Table::Pools => tx.new_id::<crate::model::PoolKind>().uuid(),
            };
            let (name, body, now) = (name.clone(), body.clone(), tx.now());
            let entry = Entry { id, name, body, created_at: now, updated_at: now, version: 1 };
            self.change(tx, table, &Change::Insert(entry.clone())).await?;
            tell(tx, caller, table, "created", &entry).await?;
            Ok(entry)
        };
        let created = self.db()?.write_once(caller, operation, input, create).await?;
        self.settled().await;
        Ok(created)
    }

    async fn patch<K: IdKind, I: Serialize>(
        &self,
        caller: &Caller,
        table: Table,
        (id, expected): (Id<K>, Expected),
        (operation, input): (&'static str, &I),
        edit: impl Fn(&mut Entry) -> Result<(), Problem>,
    ) -> Result<Entry, Error> {
        let expected = expected.required()?;
        let edit = &edit;
        let patch = async |tx: &Tx| -> Result<Entry, Error> {
            entries::lock(tx).await?;
            let mut entry = entries::find(tx, table, id.uuid()).await?.ok_or_else(Problem::not_found)?;
            expected.check(entry.version)?;
            edit(&mut entry)?;
            entry.name = checked(entry.name, &entry.body)?;
            (entry.updated_at, entry.version) = (tx.now(), entry.version + 1);
            self.change(tx, table, &Change::Update(entry.clone())).await?;
            tell(tx, caller, table, "updated", &entry).await?;
            Ok(entry)
        };
        let patched = self.db()?.write_once(caller, operation, input, patch).await?;
        self.settled().await;
        Ok(patched)
    }

    async fn delete<K: IdKind>(
        &self,
        caller: &Caller,
        table: Table,
        id: Id<K>,
        expected: Expected,
    ) -> Result<(), Error> {
        let expected = expected.required()?;
        let operation = match table {
            Table::Routes => "edge.delete_route",
            Table::Pools => "edge.delete_pool",
        };
        let delete = async |tx: &Tx| -> Result<(), Error> {
            entries::lock(tx).await?;
            let entry = entries::find(tx, table, id.uuid()).await?.ok_or_else(Problem::not_found)?;
            expected.check(entry.version)?;
            self.change(tx, table, &Change::Delete(entry.clone())).await?;
            Ok(tell(tx, caller, table, "deleted", &entry).await?)
        };
        self.db()?.write_once(caller, operation, &id.to_string(), delete).await?;
        self.settled().await;
        Ok(())
    }
}

async fn tell(tx: &Tx, caller: &Caller, table: Table, what: &str, entry: &Entry) -> Result<(), Problem> {
    let (kind, id, action) = match (table, what) {
        (Table::Routes, "created") => ("route", RouteId::from_uuid(entry.id).to_string(), "edge.route_created"),
        (Table::Routes, "updated") => ("route", RouteId::from_uuid(entry.id).to_string(), "edge.route_updated"),
        (Table::Routes, _) => ("route", RouteId::from_uuid(entry.id).to_string(), "edge.route_deleted"),
        (Table::Pools, "created") => ("pool", PoolId::from_uuid(entry.id).to_string(), "edge.pool_created"),
        (Table::Pools, "updated") => ("pool", PoolId::from_uuid(entry.id).to_string(), "edge.pool_updated"),
        (Table::Pools, _) => ("pool", PoolId::from_uuid(entry.id).to_string(), "edge.pool_deleted"),
    };
    // Bodies may hold hashes of passwords and headers with keys: only the name is told.
    let data = json!({ "id": id, "name": entry.name, "version": entry.version });
    events::publish(tx, action, &id, data.clone()).await?;
    audit::append(tx, caller, Leaf::success(action).target(kind, &id).details(data)).await
}

fn checked(name: String, body: &Value) -> Result<String, Error> {
    let letters = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if !(1..=80).contains(&name.len()) || !letters {
        return Err(Error::NameInvalid);
    }
    if body.to_string().len() > MAX_BODY { Err(Error::TooLarge) } else { Ok(name) }
}

fn object(path: &'static str, value: Option<Value>) -> Result<Value, Problem> {
    match value.unwrap_or_else(|| Map::new().into()) {
        Value::Object(members) => Ok(members.into()),
        _ => Err(Problem::field(path, "edge.object_expected", format!("{path} is a JSON object."))),
    }
}

fn merged(target: &mut Value, patch: &Patch<Value>, path: &'static str) -> Result<(), Problem> {
    if let Some(patch) = patch.clone().required(path)? {
        json_patch::merge(target, &object(path, Some(patch))?);
    }
    Ok(())
}
