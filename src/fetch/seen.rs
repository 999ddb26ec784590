//! Which ids came already, at some 20 bytes an id: a stream of a million webhooks is checked for repeats without being kept.

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};

/// The ids of a listing as hashes of 64 bits. Their key is random, so that no server can make two ids collide; by accident two
/// of a million ids do so once in 37 million listings, and are then reported as a repeat.
#[derive(Debug, Default)]
pub(super) struct SeenIds {
    hasher: RandomState,
    hashes: HashSet<u64, BuildHasherDefault<AsItIs>>,
}

impl SeenIds {
    /// Whether the id is new.
    pub(super) fn insert(&mut self, id: &str) -> bool {
        self.hashes.insert(self.hasher.hash_one(id))
    }
}

/// Hashes what is a hash already.
#[derive(Debug, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        // Not reached: a `u64` says so. Correct all the same.
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
    fn an_id_is_new_once() {
        let mut seen = SeenIds::default();
        for number in 0..10_000 {
            assert!(seen.insert(&format!("whk_{number}")));
        }
        for number in 0..10_000 {
            assert!(!seen.insert(&format!("whk_{number}")));
        }
    }
}
