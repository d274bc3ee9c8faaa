//! One member of a JSON merge patch (RFC 7396): absent, null, or a value.

use std::borrow::Cow;

use async_graphql::{InputType, InputValueResult, MaybeUndefined, registry};
use poem_openapi::registry::{MetaSchemaRef, Registry};
use poem_openapi::types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type};
use serde::{Serialize, Serializer};

use crate::problem::Problem;

/// A member of a merge patch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// Not named: stays as it is.
    #[default]
    Keep,
    /// Null: goes.
    Remove,
    /// A new value.
    Set(T),
}

impl<T> Patch<T> {
    /// The value after the patch, for a member that may be missing.
    pub fn or(self, current: Option<T>) -> Option<T> {
        match self {
            Self::Keep => current,
            Self::Remove => None,
            Self::Set(value) => Some(value),
        }
    }

    /// The new value of a member that can't be removed; `None` when it stays.
    ///
    /// # Errors
    /// 400 naming `path` when the patch removes it.
    pub fn required(self, path: &str) -> Result<Option<T>, Problem> {
        match self {
            Self::Keep => Ok(None),
            Self::Set(value) => Ok(Some(value)),
            Self::Remove => {
                Err(Problem::field(path, "kernel.required", format!("{path} can't be removed; give a value.")))
            }
        }
    }
}

impl<T: Serialize> Serialize for Patch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Keep => serializer.serialize_str("keep"),
            Self::Remove => serializer.serialize_none(),
            Self::Set(value) => (value,).serialize(serializer),
        }
    }
}

impl<T: Type> Type for Patch<T> {
    const IS_REQUIRED: bool = false;
    type RawValueType = T::RawValueType;
    type RawElementValueType = T::RawElementValueType;

    fn name() -> Cow<'static, str> {
        format!("patch<{}>", T::name()).into()
    }

    fn schema_ref() -> MetaSchemaRef {
        <Option<T> as Type>::schema_ref()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn as_raw_value(&self) -> Option<&Self::RawValueType> {
        match self {
            Self::Set(value) => value.as_raw_value(),
            Self::Keep | Self::Remove => None,
        }
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self::RawElementValueType> + 'a> {
        match self {
            Self::Set(value) => value.raw_element_iter(),
            Self::Keep | Self::Remove => Box::new(std::iter::empty()),
        }
    }
}

impl<T: ParseFromJSON> ParseFromJSON for Patch<T> {
    fn parse_from_json(value: Option<serde_json::Value>) -> ParseResult<Self> {
        match value {
            None => Ok(Self::Keep),
            Some(serde_json::Value::Null) => Ok(Self::Remove),
            Some(value) => T::parse_from_json(Some(value)).map(Self::Set).map_err(ParseError::propagate),
        }
    }
}

impl<T: ToJSON> ToJSON for Patch<T> {
    fn to_json(&self) -> Option<serde_json::Value> {
        match self {
            Self::Set(value) => value.to_json(),
            Self::Keep | Self::Remove => None,
        }
    }
}

impl<T: InputType> InputType for Patch<T> {
    type RawValueType = T::RawValueType;

    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn qualified_type_name() -> String {
        T::type_name().into_owned()
    }

    fn create_type_info(registry: &mut registry::Registry) -> String {
        T::create_type_info(registry);
        T::type_name().into_owned()
    }

    fn parse(value: Option<async_graphql::Value>) -> InputValueResult<Self> {
        match MaybeUndefined::<T>::parse(value) {
            Ok(MaybeUndefined::Undefined) => Ok(Self::Keep),
            Ok(MaybeUndefined::Null) => Ok(Self::Remove),
            Ok(MaybeUndefined::Value(value)) => Ok(Self::Set(value)),
            Err(error) => Err(error.propagate()),
        }
    }

    fn to_value(&self) -> async_graphql::Value {
        match self {
            Self::Set(value) => value.to_value(),
            Self::Keep | Self::Remove => async_graphql::Value::Null,
        }
    }

    fn as_raw_value(&self) -> Option<&Self::RawValueType> {
        match self {
            Self::Set(value) => value.as_raw_value(),
            Self::Keep | Self::Remove => None,
        }
    }
}
