//! Typed identifiers: a `UUIDv7` with a prefix that says what it names.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use async_graphql::{InputType, InputValueError, InputValueResult, OutputType, Value, registry};
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{ParseError, ParseFromJSON, ParseFromParameter, ParseResult, ToJSON, Type};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::problem::{Kind, Problem};

/// What an identifier names. Implemented by an empty enum in the module that owns the thing.
pub trait IdKind: Send + Sync + 'static {
    /// Three or four lower-case letters before the underscore, such as `usr`.
    const PREFIX: &'static str;
}

/// An identifier of one kind. In text `prefix_` and 32 hexadecimal digits; in the database the bare UUID.
///
/// Ids are `UUIDv7` (RFC 9562), so that they sort by the time of their making.
pub struct Id<K>(Uuid, PhantomData<fn() -> K>);

impl<K: IdKind> Id<K> {
    /// Wraps a UUID that is already known to name this kind of thing.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }

    /// The bare UUID, for the database.
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}
impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<K: IdKind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", K::PREFIX, self.0.simple())
    }
}

impl<K: IdKind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K: IdKind> FromStr for Id<K> {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        text.strip_prefix(K::PREFIX)
            .and_then(|rest| rest.strip_prefix('_'))
            .filter(|hex| hex.len() == 32 && !hex.bytes().any(|b| b.is_ascii_uppercase()))
            .and_then(|hex| Uuid::try_parse(hex).ok())
            .map(Self::from_uuid)
            .ok_or_else(|| {
                let detail = format!("This id must be {}_ and 32 hexadecimal digits in lower case.", K::PREFIX);
                Problem::new(Kind::Invalid, "kernel.id_invalid", detail)
            })
    }
}

impl<K: IdKind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, K: IdKind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(|problem: Problem| serde::de::Error::custom(problem.detail))
    }
}

impl<K: IdKind> From<Id<K>> for sea_orm::Value {
    fn from(id: Id<K>) -> Self {
        id.0.into()
    }
}

impl<K: IdKind> sea_orm::TryGetable for Id<K> {
    fn try_get_by<I: sea_orm::ColIdx>(row: &sea_orm::QueryResult, index: I) -> Result<Self, sea_orm::TryGetError> {
        Uuid::try_get_by(row, index).map(Self::from_uuid)
    }
}

impl<K: IdKind> Type for Id<K> {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        format!("string(id-{})", K::PREFIX).into()
    }

    fn schema_ref() -> MetaSchemaRef {
        let mut schema = MetaSchema::new("string");
        schema.pattern = Some(format!("^{}_[0-9a-f]{{32}}$", K::PREFIX));
        MetaSchemaRef::Inline(Box::new(schema))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

impl<K: IdKind> ParseFromJSON for Id<K> {
    fn parse_from_json(value: Option<serde_json::Value>) -> ParseResult<Self> {
        let value = value.unwrap_or_default();
        match &value {
            serde_json::Value::String(text) => {
                text.parse().map_err(|problem: Problem| ParseError::custom(problem.detail))
            }
            _ => Err(ParseError::expected_type(value)),
        }
    }
}

impl<K: IdKind> ParseFromParameter for Id<K> {
    fn parse_from_parameter(value: &str) -> ParseResult<Self> {
        value.parse().map_err(|problem: Problem| ParseError::custom(problem.detail))
    }
}

impl<K: IdKind> ToJSON for Id<K> {
    fn to_json(&self) -> Option<serde_json::Value> {
        Some(serde_json::Value::String(self.to_string()))
    }
}

impl<K: IdKind> InputType for Id<K> {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        <async_graphql::ID as InputType>::type_name()
    }

    fn create_type_info(registry: &mut registry::Registry) -> String {
        <async_graphql::ID as InputType>::create_type_info(registry)
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        match value.unwrap_or_default() {
            Value::String(text) => text.parse().map_err(|problem: Problem| InputValueError::custom(problem.detail)),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.to_string())
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}

impl<K: IdKind> OutputType for Id<K> {
    fn type_name() -> Cow<'static, str> {
        <async_graphql::ID as InputType>::type_name()
    }

    fn create_type_info(registry: &mut registry::Registry) -> String {
        <async_graphql::ID as OutputType>::create_type_info(registry)
    }

    async fn resolve(
        &self,
        _: &async_graphql::ContextSelectionSet<'_>,
        _: &async_graphql::Positioned<async_graphql::parser::types::Field>,
    ) -> async_graphql::ServerResult<Value> {
        Ok(Value::String(self.to_string()))
    }
}

/// Names a tenant: `ten_…`.
pub enum TenantKind {}
impl IdKind for TenantKind {
    const PREFIX: &'static str = "ten";
}
/// Names a tenant.
pub type TenantId = Id<TenantKind>;

/// The tenant in which the operators live. It exists from the first migration on.
pub const SYSTEM_TENANT: TenantId = Id::from_uuid(Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0001));

/// Names an account: `usr_…`.
pub enum AccountKind {}
impl IdKind for AccountKind {
    const PREFIX: &'static str = "usr";
}
/// Names an account.
pub type AccountId = Id<AccountKind>;

/// Names a session: `ses_…`.
pub enum SessionKind {}
impl IdKind for SessionKind {
    const PREFIX: &'static str = "ses";
}
/// Names a signed-in session.
pub type SessionId = Id<SessionKind>;

/// Names an API key: `key_…`.
pub enum ApiKeyKind {}
impl IdKind for ApiKeyKind {
    const PREFIX: &'static str = "key";
}
/// Names an API key.
pub type ApiKeyId = Id<ApiKeyKind>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips_and_other_prefixes_are_refused() {
        let id = AccountId::from_uuid(Uuid::from_u128(42));

        assert_eq!(id.to_string().parse::<AccountId>().unwrap(), id);
        assert!(id.to_string().parse::<TenantId>().is_err());
        assert!("usr_XYZ".parse::<AccountId>().is_err());
        assert!(id.to_string().to_uppercase().parse::<AccountId>().is_err());
    }
}
