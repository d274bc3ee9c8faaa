//! Sealing: what people wrote is private, so it rests under a key of its tenant, bound to its row.

use kernel::{Problem, Random, RootKey, Sealer, TenantId};
use uuid::Uuid;

/// What a sealed value belongs to: it opens nowhere else.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    what: &'static str,
    id: Uuid,
    number: i64,
}

impl Place {
    /// A column's value of the row with this id.
    pub(crate) const fn of(what: &'static str, id: Uuid) -> Self {
        Self { what, id, number: 0 }
    }

    /// One of the rows with this id.
    pub(crate) const fn numbered(what: &'static str, id: Uuid, number: i64) -> Self {
        Self { what, id, number }
    }

    fn associated(self, tenant: TenantId) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(64);
        bytes.extend_from_slice(b"chat v1\0");
        bytes.extend_from_slice(tenant.uuid().as_bytes());
        bytes.extend_from_slice(self.id.as_bytes());
        bytes.extend_from_slice(&self.number.to_be_bytes());
        bytes.extend_from_slice(self.what.as_bytes());
        bytes
    }
}

/// The seal of one tenant.
#[derive(Debug)]
pub(crate) struct Seal {
    tenant: TenantId,
    sealer: Sealer,
}

impl Seal {
    pub(crate) fn new(keys: &RootKey, tenant: TenantId) -> Self {
        let key = keys.derive(&[b"chat content ", tenant.uuid().as_bytes()]);
        Self { tenant, sealer: Sealer::new(&key) }
    }

    pub(crate) fn close(&self, random: &Random, place: Place, text: &str) -> Vec<u8> {
        self.sealer.seal(random, &place.associated(self.tenant), text.as_bytes())
    }

    /// # Errors
    /// Ours, when the value was changed or moved.
    pub(crate) fn open(&self, place: Place, sealed: &[u8]) -> Result<String, Problem> {
        let plain = self.sealer.open(&place.associated(self.tenant), sealed).map_err(Problem::internal)?;
        String::from_utf8(plain.to_vec()).map_err(Problem::internal)
    }
}

#[cfg(test)]
mod tests {
    use kernel::{Id, SYSTEM_TENANT, TenantKind};

    use super::*;

    #[test]
    fn what_is_sealed_opens_only_in_its_own_place_and_tenant() {
        let (keys, random) = (RootKey::from_bytes(&[7; 32]), Random::default());
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let stranger: Id<TenantKind> = Id::from_uuid(other);
        let seal = Seal::new(&keys, SYSTEM_TENANT);
        let sealed = seal.close(&random, Place::numbered("event", one, 3), "hello");

        assert_eq!(seal.open(Place::numbered("event", one, 3), &sealed).unwrap(), "hello");
        assert!(seal.open(Place::numbered("event", one, 4), &sealed).is_err());
        assert!(seal.open(Place::numbered("event", other, 3), &sealed).is_err());
        assert!(seal.open(Place::numbered("message", one, 3), &sealed).is_err());
        assert!(Seal::new(&keys, stranger).open(Place::numbered("event", one, 3), &sealed).is_err());
    }
}
