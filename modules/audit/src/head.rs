//! The head of a tenant's trail: the Merkle tree, and the tag that only this installation can make.

use kernel::{Mac, RootKey, TenantId};

use crate::merkle::{Hash, Tree};

/// A head as it lies in the database, not yet believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredHead {
    pub(crate) size: i64,
    pub(crate) root_hash: Vec<u8>,
    pub(crate) peaks: Vec<u8>,
    pub(crate) tag: Vec<u8>,
}

/// What is wrong with a trail's head, or with the head and the numbers beneath it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeadFault {
    /// There are numbered entries and no head.
    Missing,
    /// The tag does not fit.
    Forged,
    /// The peaks do not make the root.
    Peaks,
    /// The last numbered entry is not the last one under the head.
    Length,
    /// An entry that is to be numbered has no leaf of the right length.
    Leaf,
}

impl HeadFault {
    /// A sentence for people.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Missing => "The trail has numbered entries and no head: the head was deleted.",
            Self::Forged => {
                "The head does not carry the tag of this installation: it was rewritten, or the root key is another one."
            }
            Self::Peaks => "The head's peaks do not make its root: they were rewritten.",
            Self::Length => "The last entry is not the last one under the head: entries were deleted or slipped in.",
            Self::Leaf => "An entry that waits for its number has a leaf hash that is none: it was rewritten.",
        }
    }
}

/// Makes and checks heads.
#[derive(Clone, Debug)]
pub(crate) struct HeadKey(Mac);

impl HeadKey {
    pub(crate) fn new(keys: &RootKey) -> Self {
        Self(keys.mac("audit.head"))
    }

    /// The head of this tree.
    pub(crate) fn seal(&self, tenant: TenantId, tree: &Tree) -> StoredHead {
        let root = tree.root();
        let tag = self.0.tag(&[tenant.uuid().as_bytes(), &tree.size().to_be_bytes(), &root]);
        StoredHead {
            size: i64::try_from(tree.size()).unwrap_or(i64::MAX),
            root_hash: root.to_vec(),
            peaks: tree.peaks(),
            tag: tag.to_vec(),
        }
    }

    /// The tree under this head, if it is one that [`Self::seal`] made for this tenant. `last` is the number of the
    /// tenant's last numbered entry.
    pub(crate) fn open(
        &self,
        tenant: TenantId,
        head: Option<&StoredHead>,
        last: Option<i64>,
    ) -> Result<Tree, HeadFault> {
        let Some(head) = head else {
            return if last.is_none() { Ok(Tree::default()) } else { Err(HeadFault::Missing) };
        };
        let size = u64::try_from(head.size).map_err(|_| HeadFault::Forged)?;
        let root: Hash = head.root_hash.as_slice().try_into().map_err(|_| HeadFault::Forged)?;
        if !self.0.verify(&[tenant.uuid().as_bytes(), &size.to_be_bytes(), &root], &head.tag) || head.tag.len() != 32 {
            return Err(HeadFault::Forged);
        }
        let tree = Tree::from_peaks(size, &head.peaks).filter(|tree| tree.root() == root).ok_or(HeadFault::Peaks)?;
        if last.map_or(0, |last| last + 1) == head.size { Ok(tree) } else { Err(HeadFault::Length) }
    }
}

#[cfg(test)]
mod tests {
    use kernel::SYSTEM_TENANT;

    use super::*;

    fn key(byte: u8) -> HeadKey {
        HeadKey::new(&RootKey::from_bytes(&[byte; 32]))
    }

    fn tree(leaves: u8) -> Tree {
        let mut tree = Tree::default();
        (0..leaves).for_each(|leaf| tree.push([leaf; 32]));
        tree
    }

    #[test]
    fn a_head_opens_for_its_tenant_its_key_and_its_length_only() {
        let head = key(1).seal(SYSTEM_TENANT, &tree(5));
        let other = TenantId::from_uuid(uuid::Uuid::from_u128(9));

        assert_eq!(key(1).open(SYSTEM_TENANT, Some(&head), Some(4)), Ok(tree(5)));
        assert_eq!(key(1).open(SYSTEM_TENANT, Some(&head), Some(3)), Err(HeadFault::Length));
        assert_eq!(key(1).open(SYSTEM_TENANT, Some(&head), None), Err(HeadFault::Length));
        assert_eq!(key(1).open(other, Some(&head), Some(4)), Err(HeadFault::Forged));
        assert_eq!(key(2).open(SYSTEM_TENANT, Some(&head), Some(4)), Err(HeadFault::Forged));
    }

    #[test]
    fn a_rewritten_part_of_a_head_is_found() {
        let head = key(1).seal(SYSTEM_TENANT, &tree(5));
        let open = |head: &StoredHead| key(1).open(SYSTEM_TENANT, Some(head), Some(4));

        assert_eq!(open(&StoredHead { size: 4, ..head.clone() }), Err(HeadFault::Forged));
        assert_eq!(open(&StoredHead { size: -1, ..head.clone() }), Err(HeadFault::Forged));
        assert_eq!(open(&StoredHead { root_hash: vec![0; 32], ..head.clone() }), Err(HeadFault::Forged));
        assert_eq!(open(&StoredHead { tag: Vec::new(), ..head.clone() }), Err(HeadFault::Forged));
        assert_eq!(open(&StoredHead { peaks: vec![0; 64], ..head }), Err(HeadFault::Peaks));
    }

    #[test]
    fn no_head_is_fine_only_before_the_first_entry() {
        assert_eq!(key(1).open(SYSTEM_TENANT, None, None), Ok(Tree::default()));
        assert_eq!(key(1).open(SYSTEM_TENANT, None, Some(0)), Err(HeadFault::Missing));
    }
}
