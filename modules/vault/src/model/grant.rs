//! Grants.

use chrono::{DateTime, Utc};
use kernel::{AccountId, Id, IdKind};
use serde::{Deserialize, Serialize};

use super::collection::CollectionId;
use super::document::DocumentId;

/// Names a grant: `gra_…`.
pub enum GrantKind {}
impl IdKind for GrantKind {
    const PREFIX: &'static str = "gra";
}
/// Names a grant.
pub type GrantId = Id<GrantKind>;

/// Who a grant is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Enum, async_graphql::Enum)]
#[serde(rename_all = "snake_case")]
#[oai(rename_all = "snake_case")]
pub enum SubjectKind {
    /// One account.
    Account,
    /// Everybody who holds a role.
    Role,
    /// Every member of the tenant.
    Everyone,
}

/// What a grant allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Enum, async_graphql::Enum)]
#[serde(rename_all = "snake_case")]
#[oai(rename_all = "snake_case")]
pub enum Access {
    /// To read.
    Read,
    /// To read and change.
    Write,
}

macro_rules! named {
    ($($type:ty { $($variant:ident = $name:literal),+ }),+ $(,)?) => {
        $(impl $type {
            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            pub(crate) fn named(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        })+
    };
}

named! {
    SubjectKind { Account = "account", Role = "role", Everyone = "everyone" },
    Access { Read = "read", Write = "write" },
}

/// That somebody may read or change a collection or a document, for a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, poem_openapi::Object, async_graphql::SimpleObject)]
pub struct Grant {
    /// Names the grant.
    pub id: GrantId,
    /// The collection it is for, or in which its document lies.
    pub collection_id: CollectionId,
    /// The document it is for; none for the whole collection.
    pub document_id: Option<DocumentId>,
    /// Who it is for.
    pub subject: SubjectKind,
    /// The account (`usr_…`) or role (`rol_…`).
    pub subject_id: Option<String>,
    /// What it allows.
    pub access: Access,
    /// From when.
    pub valid_from: DateTime<Utc>,
    /// Until when; none for no end.
    pub valid_until: Option<DateTime<Utc>>,
    /// Who gave it; none if the process did.
    pub created_by: Option<AccountId>,
    /// When it was given.
    pub created_at: DateTime<Utc>,
}

/// What a grant is made of.
#[derive(Clone, Debug, Serialize, poem_openapi::Object, async_graphql::InputObject)]
#[oai(deny_unknown_fields)]
pub struct NewGrant {
    /// The collection it is for, or else:
    pub collection_id: Option<CollectionId>,
    /// The document it is for.
    pub document_id: Option<DocumentId>,
    /// Who it is for.
    pub subject: SubjectKind,
    /// The account (`usr_…`) or role (`rol_…`); none for everyone.
    #[oai(validator(max_length = 64))]
    pub subject_id: Option<String>,
    /// What it allows.
    pub access: Access,
    /// From when; from now on when left out.
    pub valid_from: Option<DateTime<Utc>>,
    /// Until when; without an end when left out.
    pub valid_until: Option<DateTime<Utc>>,
}
