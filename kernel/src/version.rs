//! Row versions as entity tags (RFC 9110, 8.8.3), for lost-update protection.

use crate::problem::{Kind, Problem};

/// The version that a caller believes to be current: from `If-Match`, or an argument in GraphQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// The caller named none.
    Unnamed,
    /// `If-Match: *`: whatever is there.
    Any,
    /// This one.
    Version(i64),
    /// An entity tag that no row of ours can have.
    Foreign,
}

impl Expected {
    /// Reads an `If-Match` field.
    pub fn from_header(value: Option<&str>) -> Self {
        match value.map(str::trim) {
            None => Self::Unnamed,
            Some("*") => Self::Any,
            Some(tag) => tag
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'))
                .and_then(|digits| digits.parse().ok())
                .map_or(Self::Foreign, Self::Version),
        }
    }

    /// Reads an optional argument.
    pub fn from_argument(version: Option<i64>) -> Self {
        version.map_or(Self::Unnamed, Self::Version)
    }

    /// Insists that a version (or `*`) was named.
    ///
    /// # Errors
    /// 428 when none was.
    pub fn required(self) -> Result<Self, Problem> {
        match self {
            Self::Unnamed => Err(Problem::new(
                Kind::PreconditionRequired,
                "kernel.if_match_required",
                "Send If-Match with the ETag that you last read, so that nobody's change is lost.",
            )),
            named => Ok(named),
        }
    }

    /// Compares with the row's version.
    ///
    /// # Errors
    /// 412 when it differs.
    pub fn check(self, current: i64) -> Result<(), Problem> {
        match self {
            Self::Unnamed | Self::Any => Ok(()),
            Self::Version(version) if version == current => Ok(()),
            Self::Version(_) | Self::Foreign => Err(Problem::new(
                Kind::Stale,
                "kernel.stale",
                "It was changed meanwhile; read it again and repeat your change on the new version.",
            )),
        }
    }
}

/// The entity tag of a row's version.
pub fn etag(version: i64) -> String {
    format!("\"{version}\"")
}
