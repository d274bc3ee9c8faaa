//! A request for a page, and the page.

use async_graphql::OutputType;
use async_graphql::connection::{Connection, Edge, EmptyFields};
use poem_openapi::Object;
use poem_openapi::types::{ParseFromJSON, ToJSON};
use sea_orm::sea_query::{Condition, Expr, ExprTrait, Order, SelectStatement, Value};
use serde::Serialize;

use crate::caller::Caller;
use crate::keys::RootKey;
use crate::list::cursor::{self, Position};
use crate::list::field::{Field, FieldKind, Listing};
use crate::list::filter;
use crate::problem::Problem;

/// The most items on a page.
const MAX_LIMIT: u64 = 200;
/// The number of items on a page when the client names none.
const DEFAULT_LIMIT: u64 = 50;

/// What a client may say about a list, as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListParams {
    /// How many items, 1 to 200.
    pub limit: Option<i64>,
    /// Where the last page ended.
    pub cursor: Option<String>,
    /// Which items.
    pub filter: Option<String>,
    /// In which order: a field's name, with `-` in front for descending.
    pub sort: Option<String>,
}

/// A checked request for one page of a list.
#[derive(Clone, Debug)]
pub struct ListRequest {
    listing: &'static Listing,
    limit: u64,
    condition: Condition,
    order: &'static Field,
    descending: bool,
    after: Option<Position>,
    binding: [u8; 32],
    keys: RootKey,
}

/// A stretch of a list that lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// How many items.
    pub wanted: usize,
    /// The highest number first.
    pub descending: bool,
    /// Only those above.
    pub above: Option<i64>,
    /// Only those below.
    pub below: Option<i64>,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Object)]
pub struct Page<T: ParseFromJSON + ToJSON> {
    /// The items, in the order asked for.
    pub items: Vec<T>,
    /// The cursor of the next page; null on the last one.
    pub next: Option<String>,
}

impl ListRequest {
    /// Checks what the client asked for.
    ///
    /// # Errors
    /// 400 that names the parameter at fault.
    pub fn new(
        listing: &'static Listing,
        params: &ListParams,
        caller: &Caller,
        keys: &RootKey,
    ) -> Result<Self, Problem> {
        let limit = match params.limit {
            None => DEFAULT_LIMIT,
            Some(limit) => {
                u64::try_from(limit).ok().filter(|limit| (1..=MAX_LIMIT).contains(limit)).ok_or_else(|| {
                    Problem::field("limit", "kernel.limit_invalid", format!("limit is a number from 1 to {MAX_LIMIT}."))
                })?
            }
        };
        let sort = params.sort.as_deref().unwrap_or(listing.default_sort);
        let (order, descending) = order(listing, sort)?;
        let filter = params.filter.as_deref().filter(|text| !text.trim().is_empty());
        let condition = filter.map_or_else(|| Ok(Condition::all()), |text| filter::condition(listing, text))?;
        let mac = keys.mac("cursor");
        let scope = caller.tenant.uuid();
        let binding =
            mac.tag(&[listing.resource.as_bytes(), scope.as_bytes(), sort.as_bytes(), filter.unwrap_or("").as_bytes()]);
        let after = params.cursor.as_deref().map(|text| cursor::decode(&mac, &[&binding], text)).transpose()?;
        Ok(Self { listing, limit, condition, order, descending, after, binding, keys: keys.clone() })
    }

    /// Adds the filter, the position, the order and the limit to a query. One row more than the page is fetched,
    /// to know whether there is a next one.
    ///
    /// # Errors
    /// 400 for a cursor whose value does not fit the order.
    pub fn apply(&self, select: &mut SelectStatement) -> Result<(), Problem> {
        let direction = if self.descending { Order::Desc } else { Order::Asc };
        select.cond_where(self.condition.clone());
        if let Some(position) = &self.after {
            select.cond_where(self.beyond(position)?);
        }
        select.order_by_expr(Expr::cust(self.order.column), direction.clone());
        if self.order.column != self.listing.tie_break {
            select.order_by_expr(Expr::cust(self.listing.tie_break), direction);
        }
        select.limit(self.limit + 1);
        Ok(())
    }

    /// How many items to look for where they lie in memory, and between which whole numbers, for a list in the order of
    /// such a number alone: one more than the page, to know whether there is a next one.
    ///
    /// # Errors
    /// 400 for a cursor whose value does not fit the order.
    pub fn span(&self) -> Result<Span, Problem> {
        let wanted = usize::try_from(self.limit + 1).unwrap_or(usize::MAX);
        let mut span = Span { wanted, descending: self.descending, above: None, below: None };
        if let Some(position) = &self.after {
            let Value::BigInt(Some(number)) = self.order.kind.read(self.order.name, &position.value)? else {
                return Err(Problem::internal(format!("{} is in no order of numbers", self.listing.resource)));
            };
            if self.descending { span.below = Some(number) } else { span.above = Some(number) }
        }
        Ok(span)
    }

    /// Makes the page of the rows that the query brought.
    ///
    /// # Errors
    /// An item that has no such field: a mistake in the listing.
    pub fn page<T: Serialize + ParseFromJSON + ToJSON>(&self, mut items: Vec<T>) -> Result<Page<T>, Problem> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = match items.last() {
            Some(last) if more => Some(self.cursor_of(last)?),
            _ => None,
        };
        Ok(Page { items, next })
    }

    /// The page as a connection with a cursor for every item, as GraphQL's connections show them.
    ///
    /// # Errors
    /// An item that has no such field: a mistake in the listing.
    pub fn connection<T>(&self, page: Page<T>) -> Result<Connection<String, T>, Problem>
    where
        T: Serialize + ParseFromJSON + ToJSON + OutputType,
    {
        let mut connection = Connection::with_additional_fields(self.after.is_some(), page.next.is_some(), EmptyFields);
        for item in page.items {
            let cursor = self.cursor_of(&item)?;
            connection.edges.push(Edge::new(cursor, item));
        }
        Ok(connection)
    }

    fn cursor_of<T: Serialize>(&self, item: &T) -> Result<String, Problem> {
        let json = serde_json::to_value(item).map_err(Problem::internal)?;
        let text = |name: &str| match json.get(name) {
            Some(serde_json::Value::String(text)) => Ok(text.clone()),
            Some(value) if !value.is_null() => Ok(value.to_string()),
            _ => Err(Problem::internal(format!("{} has no {name} to page by", self.listing.resource))),
        };
        let value = text(self.order.name)?;
        let total = self.order.column == self.listing.tie_break;
        let id = if total { value.clone() } else { text("id")? };
        let position = Position { value, id };
        Ok(cursor::encode(&self.keys.mac("cursor"), &[&self.binding], &position))
    }

    fn beyond(&self, position: &Position) -> Result<Condition, Problem> {
        let value = self.order.kind.read(self.order.name, &position.value)?;
        let side = |column: &'static str, value: Value| {
            let column = Expr::cust(column);
            if self.descending { column.lt(value) } else { column.gt(value) }
        };
        if self.order.column == self.listing.tie_break {
            return Ok(Condition::all().add(side(self.order.column, value)));
        }
        let id_field = self.listing.field("id").ok_or_else(|| Problem::internal("a listing without id"))?;
        let id = id_field.kind.read("id", &position.id)?;
        let tied =
            Condition::all().add(Expr::cust(self.order.column).eq(value.clone())).add(side(self.listing.tie_break, id));
        Ok(Condition::any().add(side(self.order.column, value)).add(tied))
    }
}

fn order(listing: &'static Listing, sort: &str) -> Result<(&'static Field, bool), Problem> {
    let (name, descending) = sort.strip_prefix('-').map_or((sort, false), |name| (name, true));
    let field = listing.field(name).filter(|field| field.sortable && field.kind != FieldKind::Opaque);
    field.map(|field| (field, descending)).ok_or_else(|| {
        let names: Vec<_> = listing.fields.iter().filter(|field| field.sortable).map(|field| field.name).collect();
        let detail = format!("sort takes one of {}, with - in front for descending.", names.join(", "));
        Problem::field("sort", "kernel.sort_invalid", detail)
    })
}

/// The fields of an item that the client wants to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldMask(Vec<String>);

impl FieldMask {
    /// Reads `fields=a,b`. Nothing means all.
    ///
    /// # Errors
    /// 400 for a name that the resource does not have.
    pub fn parse(listing: &Listing, text: Option<&str>) -> Result<Option<Self>, Problem> {
        let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
        let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
        match names.iter().find(|name| listing.field(name).is_none()) {
            None => Ok(Some(Self(names))),
            Some(unknown) => {
                let known: Vec<_> = listing.fields.iter().map(|field| field.name).collect();
                let detail = format!("{unknown:?} is no field; there are {}.", known.join(", "));
                Err(Problem::field("fields", "kernel.fields_invalid", detail))
            }
        }
    }

    /// Keeps only these fields of an object.
    pub fn prune(&self, value: &mut serde_json::Value) {
        if let Some(object) = value.as_object_mut() {
            object.retain(|name, _| self.0.iter().any(|kept| kept == name));
        }
    }
}
