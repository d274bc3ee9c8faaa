//! The chain of keys: root key → tenant key → collection key → document key.
//!
//! Each is 32 random bytes that lie in a row, sealed under a key derived from its parent's; the ids and versions are
//! bound, so that a row moved elsewhere does not open. In memory keys are wiped when dropped.

use std::fmt;

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use kernel::{OpenError, Random, RootKey, Sealer, TenantId};
use uuid::Uuid;
use zeroize::Zeroizing;

/// The version that keys have today; a later one comes with their renewal.
pub(crate) const FIRST: i32 = 1;

/// One key of the chain.
pub(crate) struct Key {
    bytes: Zeroizing<[u8; 32]>,
    /// Which of its owner's keys it is.
    pub(crate) version: i32,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key(v{})", self.version)
    }
}

/// A key as it lies in its row.
#[derive(Clone, Debug)]
pub(crate) struct Wrapped {
    pub(crate) owner: Uuid,
    pub(crate) version: i32,
    pub(crate) parent_version: i32,
    pub(crate) bytes: Vec<u8>,
}

/// Derives 32 bytes for one purpose (HKDF-SHA256, RFC 5869).
pub(crate) fn derive(key: &[u8; 32], salt: &[u8], purpose: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut bytes = Zeroizing::new([0; 32]);
    let prk = Salt::new(HKDF_SHA256, salt).extract(key);
    #[expect(clippy::expect_used, reason = "HKDF fails only for lengths over 255 hashes; this is one")]
    prk.expand(purpose, HKDF_SHA256).and_then(|okm| okm.fill(bytes.as_mut())).expect("32 bytes of key");
    bytes
}

/// What a wrapped key is bound to.
fn binding(tenant: TenantId, owner: Uuid, version: i32, parent: Uuid, parent_version: i32) -> Vec<u8> {
    let mut bound = b"holdfast vault key 1".to_vec();
    for id in [tenant.uuid(), owner, parent] {
        bound.extend_from_slice(id.as_bytes());
    }
    bound.extend_from_slice(&version.to_be_bytes());
    bound.extend_from_slice(&parent_version.to_be_bytes());
    bound
}

impl Key {
    fn new(random: &Random) -> Self {
        Self { bytes: Zeroizing::new(random.bytes()), version: FIRST }
    }

    fn wrapper(&self) -> Sealer {
        Sealer::new(&derive(&self.bytes, b"", &[b"wrap"]))
    }

    fn root_wrapper(root: &RootKey) -> Sealer {
        root.sealer("vault tenant key")
    }

    /// A new tenant key, and the same as a row.
    pub(crate) fn for_tenant(root: &RootKey, random: &Random, tenant: TenantId) -> (Self, Wrapped) {
        let key = Self::new(random);
        let bound = binding(tenant, tenant.uuid(), key.version, Uuid::nil(), 0);
        let bytes = Self::root_wrapper(root).seal(random, &bound, key.bytes.as_ref());
        let wrapped = Wrapped { owner: tenant.uuid(), version: key.version, parent_version: 0, bytes };
        (key, wrapped)
    }

    /// A new key under this one, and the same as a row.
    pub(crate) fn child(&self, random: &Random, tenant: TenantId, parent: Uuid, owner: Uuid) -> (Self, Wrapped) {
        let key = Self::new(random);
        let bound = binding(tenant, owner, key.version, parent, self.version);
        let bytes = self.wrapper().seal(random, &bound, key.bytes.as_ref());
        (key, Wrapped { owner, version: FIRST, parent_version: self.version, bytes })
    }

    /// Opens a tenant's key.
    ///
    /// # Errors
    /// The row was changed, is another tenant's, or the root key is another one.
    pub(crate) fn open_tenant(root: &RootKey, tenant: TenantId, wrapped: &Wrapped) -> Result<Self, OpenError> {
        let bound = binding(tenant, tenant.uuid(), wrapped.version, Uuid::nil(), 0);
        Self::opened(&Self::root_wrapper(root), &bound, wrapped)
    }

    /// Opens a key under this one.
    ///
    /// # Errors
    /// The row was changed or belongs elsewhere.
    pub(crate) fn open_child(&self, tenant: TenantId, parent: Uuid, wrapped: &Wrapped) -> Result<Self, OpenError> {
        if wrapped.parent_version != self.version {
            return Err(OpenError);
        }
        let bound = binding(tenant, wrapped.owner, wrapped.version, parent, self.version);
        Self::opened(&self.wrapper(), &bound, wrapped)
    }

    fn opened(sealer: &Sealer, bound: &[u8], wrapped: &Wrapped) -> Result<Self, OpenError> {
        let plain = sealer.open(bound, &wrapped.bytes)?;
        let mut bytes = Zeroizing::new([0; 32]);
        if plain.len() != bytes.len() {
            return Err(OpenError);
        }
        bytes.copy_from_slice(&plain);
        Ok(Self { bytes, version: wrapped.version })
    }

    /// The key of one version's bytes, by the salt in its header.
    pub(crate) fn content(&self, salt: &[u8; 32]) -> Zeroizing<[u8; 32]> {
        derive(&self.bytes, salt, &[b"content"])
    }

    /// Seals what a row says in private. Each row has a key of its own, derived from this one.
    pub(crate) fn seal_row(&self, random: &Random, place: &Place<'_>, plain: &[u8]) -> Vec<u8> {
        self.row(place).seal(random, &place.bound(self.version), plain)
    }

    /// Opens what [`Self::seal_row`] made.
    ///
    /// # Errors
    /// It was changed or moved here from another row.
    pub(crate) fn open_row(&self, place: &Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        self.row(place).open(&place.bound(self.version), sealed)
    }

    fn row(&self, place: &Place<'_>) -> Sealer {
        Sealer::new(&derive(&self.bytes, place.id.as_bytes(), &[b"row ", place.kind.as_bytes()]))
    }
}

/// Which row something is sealed into.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) tenant: TenantId,
    /// `collection`, `document`, `version` or `record`.
    pub(crate) kind: &'a str,
    pub(crate) id: Uuid,
    /// What it belongs to: the tenant, the collection or the document.
    pub(crate) within: Uuid,
}

impl Place<'_> {
    fn bound(&self, key_version: i32) -> Vec<u8> {
        let mut bound = b"holdfast vault row 1 ".to_vec();
        bound.extend_from_slice(self.kind.as_bytes());
        for id in [self.tenant.uuid(), self.within, self.id] {
            bound.extend_from_slice(id.as_bytes());
        }
        bound.extend_from_slice(&key_version.to_be_bytes());
        bound
    }
}

#[cfg(test)]
mod tests {
    use kernel::{Id, TenantKind};

    use super::*;

    fn tenant(number: u128) -> TenantId {
        Id::<TenantKind>::from_uuid(Uuid::from_u128(number))
    }

    #[test]
    fn a_wrapped_key_opens_in_its_own_place_only() {
        let (root, random) = (RootKey::from_bytes(&[7; 32]), Random::default());
        let (one, other) = (Uuid::from_u128(8), Uuid::from_u128(9));
        let (tenant_key, wrapped) = Key::for_tenant(&root, &random, tenant(1));
        let (_, child) = tenant_key.child(&random, tenant(1), tenant(1).uuid(), one);

        let opened = Key::open_tenant(&root, tenant(1), &wrapped).unwrap();
        assert!(opened.open_child(tenant(1), tenant(1).uuid(), &child).is_ok());

        assert!(Key::open_tenant(&root, tenant(2), &wrapped).is_err());
        assert!(Key::open_tenant(&RootKey::from_bytes(&[8; 32]), tenant(1), &wrapped).is_err());
        assert!(opened.open_child(tenant(2), tenant(1).uuid(), &child).is_err());
        assert!(opened.open_child(tenant(1), other, &child).is_err());
        let moved = Wrapped { owner: other, ..child.clone() };
        assert!(opened.open_child(tenant(1), tenant(1).uuid(), &moved).is_err());
        let renumbered = Wrapped { version: 2, ..child };
        assert!(opened.open_child(tenant(1), tenant(1).uuid(), &renumbered).is_err());
    }

    #[test]
    fn a_sealed_row_opens_in_its_own_place_only() {
        let random = Random::default();
        let (key, _) = Key::for_tenant(&RootKey::from_bytes(&[7; 32]), &random, tenant(1));
        let (one, other) = (Uuid::from_u128(8), Uuid::from_u128(9));
        let place = Place { tenant: tenant(1), kind: "record", id: one, within: other };
        let sealed = key.seal_row(&random, &place, b"secret");

        assert_eq!(key.open_row(&place, &sealed).unwrap().as_slice(), b"secret");
        for wrong in [
            Place { tenant: tenant(2), ..place },
            Place { kind: "document", ..place },
            Place { id: other, ..place },
            Place { within: one, ..place },
        ] {
            assert!(key.open_row(&wrong, &sealed).is_err(), "{wrong:?}");
        }
    }
}
