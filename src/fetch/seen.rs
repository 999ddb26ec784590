//! Which ids came already, at 16 bytes an id and what a B-tree needs around them: a stream of a million webhooks is checked
//! for repeats without being kept.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};

/// The ids of a listing as hashes of 128 bits. The keys of the hashes are random, so that no server can make two ids collide,
/// and by accident they do so once in 10^26 listings of a million.
#[derive(Debug, Default)]
pub(super) struct SeenIds {
    hashers: [RandomState; 2],
    hashes: BTreeSet<u128>,
}

impl SeenIds {
    /// Whether the id is new.
    pub(super) fn insert(&mut self, id: &str) -> bool {
        let [high, low] = self.hashers.each_ref().map(|hasher| u128::from(hasher.hash_one(id)));
        self.hashes.insert(high << 64 | low)
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
