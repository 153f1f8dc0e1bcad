//! The Merkle tree of RFC 6962 section 2.1 (unchanged in RFC 9162). Pure: hashes in, hashes out.
use sha2::{Digest, Sha256};

pub type Hash = [u8; 32];

/// MTH of one entry: SHA-256(0x00, entry).
pub fn leaf_hash(entry: &[u8]) -> Hash {
    let mut h = Sha256::new();
    h.update([0]);
    h.update(entry);
    h.finalize().into()
}

/// SHA-256(0x01, left, right). The prefix keeps a node from being taken for a leaf.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut h = Sha256::new();
    h.update([1]);
    h.update(left);
    h.update(right);
    h.finalize().into()
}

/// The largest power of two below `n`, for `n` of at least 2.
fn split(n: usize) -> usize {
    1 << (usize::BITS - 1 - (n - 1).leading_zeros())
}

/// MTH of leaf hashes; SHA-256 of nothing for none.
pub fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Sha256::digest([]).into(),
        [one] => *one,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node_hash(&root(left), &root(right))
        }
    }
}

/// PATH(index, leaves), RFC 6962 section 2.1.1: from the leaf upwards. None if there is no such leaf.
pub fn inclusion_proof(leaves: &[Hash], index: usize) -> Option<Vec<Hash>> {
    if index >= leaves.len() {
        return None;
    }
    let mut path = Vec::new();
    walk(leaves, index, &mut path);
    Some(path)
}

fn walk(leaves: &[Hash], index: usize, path: &mut Vec<Hash>) {
    if leaves.len() < 2 {
        return;
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    if index < left.len() {
        walk(left, index, path);
        path.push(root(right));
    } else {
        walk(right, index - left.len(), path);
        path.push(root(left));
    }
}

/// RFC 9162 section 2.1.3.2: does `proof` lead from this leaf at `index` to the root of a tree of `size`?
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, proof: &[Hash], expected: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut f, mut s, mut r) = (index, size - 1, *leaf);
    for p in proof {
        if s == 0 {
            return false;
        }
        if f & 1 == 1 || f == s {
            r = node_hash(p, &r);
            while f & 1 == 0 && f != 0 {
                f >>= 1;
                s >>= 1;
            }
        } else {
            r = node_hash(&r, p);
        }
        f >>= 1;
        s >>= 1;
    }
    s == 0 && r == *expected
}

/// PROOF(old, leaves), RFC 6962 section 2.1.2. None unless 0 < `old` <= the number of leaves.
pub fn consistency_proof(leaves: &[Hash], old: usize) -> Option<Vec<Hash>> {
    if old == 0 || old > leaves.len() {
        return None;
    }
    let mut path = Vec::new();
    subproof(leaves, old, true, &mut path);
    Some(path)
}

fn subproof(leaves: &[Hash], m: usize, whole: bool, path: &mut Vec<Hash>) {
    if m == leaves.len() {
        if !whole {
            path.push(root(leaves));
        }
        return;
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    if m <= left.len() {
        subproof(left, m, whole, path);
        path.push(root(right));
    } else {
        subproof(right, m - left.len(), false, path);
        path.push(root(left));
    }
}

/// RFC 9162 section 2.1.4.2: is the tree of `old` leaves a prefix of the one of `new` leaves?
pub fn verify_consistency(old: u64, new: u64, old_root: &Hash, new_root: &Hash, proof: &[Hash]) -> bool {
    if old == 0 || old > new {
        return false;
    }
    if old == new {
        return proof.is_empty() && old_root == new_root;
    }
    let mut proof = proof.iter();
    // If the old tree is a perfect one, its root is the first node and is not sent.
    let first = if old.is_power_of_two() { Some(old_root) } else { proof.next() };
    let Some(first) = first else { return false };
    let (mut f, mut s) = (old - 1, new - 1);
    while f & 1 == 1 {
        f >>= 1;
        s >>= 1;
    }
    let (mut fr, mut sr) = (*first, *first);
    for c in proof {
        if s == 0 {
            return false;
        }
        if f & 1 == 1 || f == s {
            fr = node_hash(c, &fr);
            sr = node_hash(c, &sr);
            while f & 1 == 0 && f != 0 {
                f >>= 1;
                s >>= 1;
            }
        } else {
            sr = node_hash(&sr, c);
        }
        f >>= 1;
        s >>= 1;
    }
    s == 0 && fr == *old_root && sr == *new_root
}

/// A tree that only grows: the roots of its perfect subtrees are enough to add leaves and to tell the root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Peaks {
    size: u64,
    /// Largest first; one for each bit set in `size`.
    peaks: Vec<Hash>,
}

impl Peaks {
    pub fn size(&self) -> u64 {
        self.size
    }

    pub fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        let mut n = self.size;
        while n & 1 == 1 {
            // There is a peak for every bit set in the size.
            if let Some(left) = self.peaks.pop() {
                node = node_hash(&left, &node);
            }
            n >>= 1;
        }
        self.peaks.push(node);
        self.size += 1;
    }

    pub fn root(&self) -> Hash {
        let mut rest = self.peaks.iter().rev();
        match rest.next() {
            None => root(&[]),
            Some(last) => rest.fold(*last, |right, left| node_hash(left, &right)),
        }
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        self.peaks.concat()
    }

    /// None unless the bytes hold exactly the peaks of a tree of this size.
    pub fn from_bytes(size: u64, bytes: &[u8]) -> Option<Self> {
        let (chunks, rest) = bytes.as_chunks::<32>();
        (rest.is_empty() && chunks.len() == size.count_ones() as usize).then(|| Self { size, peaks: chunks.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::clock::{hex, unhex};
    use proptest::prelude::*;

    /// The eight entries and roots that implementations of Certificate Transparency test against.
    const ENTRIES: [&str; 8] = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
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

    fn leaves(n: usize) -> Vec<Hash> {
        (0..n).map(|i| leaf_hash(&i.to_be_bytes())).collect()
    }

    #[test]
    fn the_published_trees_have_the_published_roots() {
        let all: Vec<Hash> = ENTRIES.iter().map(|e| leaf_hash(&unhex(e).unwrap())).collect();
        let mut grown = Peaks::default();
        for (n, want) in ROOTS.iter().enumerate() {
            grown.push(all[n]);
            assert_eq!(&hex(&root(&all[..=n])), want);
            assert_eq!(&hex(&grown.root()), want);
        }
        assert_eq!(hex(&root(&[])), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn the_published_proof_is_found() {
        // Audit path of leaf 0 in the tree of 8 and consistency 6 -> 8, from the same published set.
        let all: Vec<Hash> = ENTRIES.iter().map(|e| leaf_hash(&unhex(e).unwrap())).collect();
        let path: Vec<String> = inclusion_proof(&all, 0).unwrap().iter().map(|h| hex(h)).collect();
        assert_eq!(
            path,
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ]
        );
        let proof: Vec<String> = consistency_proof(&all, 6).unwrap().iter().map(|h| hex(h)).collect();
        assert_eq!(
            proof,
            [
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ]
        );
    }

    proptest! {
        #[test]
        fn every_leaf_is_proven_and_no_other_is(n in 1usize..200, pick in any::<prop::sample::Index>(), other in any::<[u8; 32]>()) {
            let all = leaves(n);
            let (i, top) = (pick.index(n), root(&all));
            let path = inclusion_proof(&all, i).unwrap();
            prop_assert!(verify_inclusion(&all[i], i as u64, n as u64, &path, &top));
            prop_assert!(!verify_inclusion(&other, i as u64, n as u64, &path, &top));
            prop_assert!(n == 1 || !verify_inclusion(&all[i], ((i + 1) % n) as u64, n as u64, &path, &top));
            prop_assert!(!verify_inclusion(&all[i], i as u64, n as u64, &path, &other));
            let mut longer = path.clone();
            longer.push(other);
            prop_assert!(!verify_inclusion(&all[i], i as u64, n as u64, &longer, &top));
        }

        #[test]
        fn a_grown_tree_keeps_its_past_and_a_rewritten_one_does_not(n in 2usize..200, pick in any::<prop::sample::Index>()) {
            let all = leaves(n);
            let m = 1 + pick.index(n - 1);
            let proof = consistency_proof(&all, m).unwrap();
            let (old, new) = (root(&all[..m]), root(&all));
            prop_assert!(verify_consistency(m as u64, n as u64, &old, &new, &proof));
            let mut rewritten = all.clone();
            rewritten[m - 1] = leaf_hash(b"rewritten");
            let forged = consistency_proof(&rewritten, m).unwrap();
            prop_assert!(!verify_consistency(m as u64, n as u64, &old, &root(&rewritten), &forged));
            prop_assert!(!verify_consistency(m as u64, n as u64, &old, &root(&rewritten), &proof));
        }

        #[test]
        fn growing_leaf_by_leaf_gives_the_same_root_as_all_at_once(n in 0usize..300) {
            let mut p = Peaks::default();
            for l in leaves(n) {
                p.push(l);
            }
            prop_assert_eq!(p.root(), root(&leaves(n)));
            prop_assert_eq!(Peaks::from_bytes(n as u64, &p.to_bytes()), Some(p));
        }

        #[test]
        fn hostile_proofs_are_refused_without_panic(i in any::<u64>(), n in any::<u64>(), m in any::<u64>(), proof in prop::collection::vec(any::<[u8; 32]>(), 0..70)) {
            prop_assert!(!verify_inclusion(&[0; 32], i, n, &proof, &[1; 32]));
            prop_assert!(!verify_consistency(m, n, &[0; 32], &[1; 32], &proof));
        }
    }
}
