//! The Merkle tree of RFC 9162, section 2.1, kept by its peaks: adding a leaf costs O(log n), whatever the size.
//!
//! A tree of `n` leaves is a row of perfect subtrees, one for each bit of `n`, the largest first. Their roots are the
//! peaks; the root of the whole folds them from the right.

use aws_lc_rs::digest::{Context, SHA256, digest};

/// A SHA-256 hash.
pub(crate) type Hash = [u8; 32];

/// The leaf hash of RFC 9162: `SHA-256(0x00 || data)`.
pub(crate) fn leaf_hash(data: &[u8]) -> Hash {
    hash(&[&[0x00], data])
}

/// The hash of an inner node: `SHA-256(0x01 || left || right)`.
fn node_hash(left: &Hash, right: &Hash) -> Hash {
    hash(&[&[0x01], left, right])
}

fn hash(parts: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    parts.iter().for_each(|part| context.update(part));
    sized(context.finish().as_ref())
}

fn sized(bytes: &[u8]) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(bytes);
    hash
}

/// A tree that only grows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    size: u64,
    peaks: Vec<Hash>,
}

impl Tree {
    /// The tree of this size with these peaks, one after another; `None` when their number does not fit the size.
    pub(crate) fn from_peaks(size: u64, peaks: &[u8]) -> Option<Self> {
        let (chunks, rest) = peaks.as_chunks::<32>();
        let fits = rest.is_empty() && chunks.len() == size.count_ones() as usize;
        fits.then(|| Self { size, peaks: chunks.to_vec() })
    }

    /// The number of leaves.
    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    /// The peaks, one after another.
    pub(crate) fn peaks(&self) -> Vec<u8> {
        self.peaks.concat()
    }

    /// Adds a leaf. As many peaks merge as the size has trailing one bits.
    pub(crate) fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.peaks.push(node);
        self.size += 1;
    }

    /// The root. That of the empty tree is the hash of nothing.
    pub(crate) fn root(&self) -> Hash {
        let folded = self.peaks.iter().rev().copied().reduce(|right, left| node_hash(&left, &right));
        folded.unwrap_or_else(|| sized(digest(&SHA256, &[]).as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The inputs of the reference tests of Certificate Transparency.
    const LEAVES: [&str; 8] =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];

    /// The roots of their first 1 to 8.
    const ROOTS: [&str; 8] = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    /// The definition of RFC 9162, 2.1.1, word for word.
    fn definition(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => sized(digest(&SHA256, &[]).as_ref()),
            [leaf] => *leaf,
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                node_hash(&definition(&leaves[..split]), &definition(&leaves[split..]))
            }
        }
    }

    #[test]
    fn the_empty_tree_has_the_hash_of_nothing() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

        assert_eq!(hex::encode(Tree::default().root()), empty);
    }

    #[test]
    fn the_roots_are_those_of_the_reference_tests() {
        let mut tree = Tree::default();
        for (leaf, root) in LEAVES.iter().zip(ROOTS) {
            tree.push(leaf_hash(&hex::decode(leaf).unwrap()));

            assert_eq!(hex::encode(tree.root()), root, "{} leaves", tree.size());
        }
    }

    proptest! {
        #[test]
        fn the_root_is_that_of_the_definition_however_the_tree_is_put_down_and_taken_up(
            leaves in proptest::collection::vec(any::<[u8; 32]>(), 0..70),
            pause in 0usize..70,
        ) {
            let mut tree = Tree::default();
            for (index, leaf) in leaves.iter().enumerate() {
                if index == pause {
                    tree = Tree::from_peaks(tree.size(), &tree.peaks()).unwrap();
                }
                tree.push(*leaf);
            }

            prop_assert_eq!(tree.root(), definition(&leaves));
        }
    }

    #[test]
    fn peaks_that_do_not_fit_the_size_make_no_tree() {
        assert!(Tree::from_peaks(3, &[0; 32]).is_none());
        assert!(Tree::from_peaks(1, &[0; 33]).is_none());
        assert!(Tree::from_peaks(u64::MAX, &[0; 64 * 32]).is_some());
    }
}
