//! All SQL of this module, a file for each table or two.

pub(crate) mod allowances;
pub(crate) mod answers;
pub(crate) mod charges;
pub(crate) mod entries;
pub(crate) mod issued;
pub(crate) mod leases;
pub(crate) mod names;
pub(crate) mod purges;
pub(crate) mod saving;
pub(crate) mod timeline;

use edge_certificates::ChallengeKind;
use kernel::Problem;
use sea_orm::DbErr;

use crate::certificates::Fault;

impl From<DbErr> for Fault {
    fn from(error: DbErr) -> Self {
        Self::Kernel(Problem::from(error))
    }
}

/// A kind of challenge as its row has it.
const fn word(kind: ChallengeKind) -> &'static str {
    match kind {
        ChallengeKind::Http01 => "http-01",
        ChallengeKind::TlsAlpn01 => "tls-alpn-01",
        ChallengeKind::Dns01 => "dns-01",
    }
}
