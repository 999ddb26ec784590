//! Sets of ids at about 20 bytes per id, to check a stream of a million webhooks for repeats without keeping them, and to
//! mark a million webhooks.

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};

/// A set of ids, as 64-bit hashes. The hash key is random, so that no server can cause collisions; by chance, two of a
/// million ids collide once in 37 million listings.
#[derive(Debug, Clone, Default)]
pub struct IdSet {
    hasher: RandomState,
    hashes: HashSet<u64, BuildHasherDefault<AsItIs>>,
}

impl IdSet {
    /// Adds an id. Returns true if it is new.
    pub fn insert(&mut self, id: &str) -> bool {
        self.hashes.insert(self.hasher.hash_one(id))
    }

    /// Removes an id. Returns true if it was in the set.
    pub fn remove(&mut self, id: &str) -> bool {
        self.hashes.remove(&self.hasher.hash_one(id))
    }

    pub fn contains(&self, id: &str) -> bool {
        // Hashing the id costs more than checking for an empty set.
        !self.hashes.is_empty() && self.hashes.contains(&self.hasher.hash_one(id))
    }

    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }
}

/// Uses a hash as its own hash.
#[derive(Debug, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        // Never called for a `u64`, but correct for any input.
        self.0 = bytes.iter().fold(self.0, |hash, &byte| hash.rotate_left(8) ^ u64::from(byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_comes_and_goes() {
        let mut marked = IdSet::default();
        assert!(marked.insert("a") && marked.contains("a") && !marked.contains("b"));
        assert!(marked.remove("a") && !marked.remove("a") && marked.is_empty());
    }

    #[test]
    fn an_id_is_new_once() {
        let mut seen = IdSet::default();
        for number in 0..10_000 {
            assert!(seen.insert(&format!("whk_{number}")));
        }
        for number in 0..10_000 {
            assert!(!seen.insert(&format!("whk_{number}")));
        }
    }
}
