//! The latest probe result of each origin, and the values of the `probe:` field of a query.

use std::collections::HashMap;

use jiff::Timestamp;
use rpds::HashTrieMapSync;

use super::audit::{Probe, origin_of};
use super::destinations::Origin;
use super::reach::{Reach, State, Trouble};

/// A probe result and its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub reach: Reach,
    pub at: Timestamp,
}

/// The latest result of each origin. It is a persistent map, so that a clone for a background thread is cheap.
#[derive(Debug, Clone)]
pub struct Probed {
    known: HashTrieMapSync<Origin, Seen>,
    version: u64,
}

impl Default for Probed {
    fn default() -> Self {
        Self { known: HashTrieMapSync::new_sync(), version: 0 }
    }
}

impl Probed {
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    pub fn len(&self) -> usize {
        self.known.size()
    }

    /// A number that differs after each insertion and removal.
    pub fn version(&self) -> u64 {
        self.version
    }

    pub fn get(&self, origin: &Origin) -> Option<&Seen> {
        self.known.get(origin)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Origin, &Seen)> {
        self.known.iter()
    }

    /// Stores a result, replacing the previous one.
    pub fn insert(&mut self, origin: Origin, seen: Seen) {
        self.known.insert_mut(origin, seen);
        self.version += 1;
    }

    /// Limits the number of origins: if there are more, the older half is dropped.
    pub fn keep_at_most(&mut self, origins: usize) {
        if self.known.size() <= origins {
            return;
        }
        let mut times: Vec<Timestamp> = self.known.values().map(|seen| seen.at).collect();
        let middle = times.len() / 2;
        let (_, &mut middle, _) = times.select_nth_unstable(middle);
        let old: Vec<Origin> = self.iter().filter(|(_, seen)| seen.at < middle).map(|(origin, _)| origin.clone()).collect();
        for origin in &old {
            self.known.remove_mut(origin);
        }
    }

    /// Drops results that failed in one of these ways.
    pub fn forget(&mut self, troubles: &[Trouble]) {
        let is_one = |seen: &Seen| seen.reach.trouble.is_some_and(|trouble| troubles.contains(&trouble));
        let failed: Vec<Origin> = self.iter().filter(|(_, seen)| is_one(seen)).map(|(origin, _)| origin.clone()).collect();
        for origin in &failed {
            self.known.remove_mut(origin);
        }
        self.version += u64::from(!failed.is_empty());
    }

    /// Drops all results.
    pub fn clear(&mut self) {
        *self = Self { version: self.version + 1, ..Self::default() };
    }

    /// The results as [`super::audit::ExternalFacts::probes`], for the audit.
    pub fn facts(&self) -> HashMap<Box<str>, Probe> {
        let fact = |(origin, seen): (&Origin, &Seen)| {
            let url = origin.to_string().parse().ok()?;
            Some((origin_of(&url).into(), Probe::from(&seen.reach)))
        };
        self.iter().filter_map(fact).collect()
    }
}

/// A value of the `probe:` field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sought {
    /// Not probed yet.
    Unknown,
    State(State),
    Trouble(Trouble),
    /// Reachable, with a certificate that expires soon.
    Expiring,
}

/// The name of [`Sought::Expiring`] in queries and reports.
pub const EXPIRING: &str = "tls-expiring";
const UNKNOWN: &str = "unknown";

impl Sought {
    /// All values, the most common ones first.
    pub fn all() -> impl Iterator<Item = Self> {
        let states = [State::Dead, State::Reachable, State::Untried].map(Self::State);
        let troubles = Trouble::ALL.map(Self::Trouble);
        states.into_iter().chain([Self::Unknown, Self::Expiring]).chain(troubles)
    }

    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => UNKNOWN,
            Self::State(state) => state.word(),
            Self::Trouble(trouble) => trouble.word(),
            Self::Expiring => EXPIRING,
        }
    }

    /// Returns the value with this name.
    pub fn named(word: &str) -> Option<Self> {
        Self::all().find(|sought| sought.word() == word)
    }

    /// Returns true if a destination matches. `None` is a URL that cannot be connected to, which is known without a probe.
    pub fn holds(self, origin: Option<&Origin>, probed: &Probed) -> bool {
        let Some(origin) = origin else {
            return matches!(self, Self::State(State::Untried) | Self::Trouble(Trouble::InvalidUrl));
        };
        match (self, probed.get(origin).map(|seen| &seen.reach)) {
            (Self::Unknown, reach) => reach.is_none(),
            (_, None) => false,
            (Self::State(state), Some(reach)) => reach.state() == state,
            (Self::Trouble(trouble), Some(reach)) => reach.trouble == Some(trouble),
            (Self::Expiring, Some(reach)) => reach.is_expiring(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::reach::Lasts;

    fn origin(url: &str) -> Origin {
        Origin::of_text(url).unwrap()
    }

    fn seen(trouble: Option<Trouble>, second: i64) -> Seen {
        let certificate = Some(Lasts { not_after: Timestamp::UNIX_EPOCH, days_left: 5 });
        Seen { reach: Reach { trouble, certificate, ..Reach::default() }, at: Timestamp::from_second(second).unwrap() }
    }

    #[test]
    fn every_question_has_a_word_of_its_own() {
        for sought in Sought::all() {
            assert_eq!(Sought::named(sought.word()), Some(sought), "{}", sought.word());
        }
        assert_eq!(Sought::named("healthy"), None);
    }

    #[test]
    fn what_was_found_answers_the_questions() {
        let mut probed = Probed::default();
        probed.insert(origin("https://up.example/x"), seen(None, 0));
        probed.insert(origin("https://down.example:443"), seen(Some(Trouble::Dns), 0));
        probed.insert(origin("https://10.0.0.1"), seen(Some(Trouble::Private), 0));
        let answers = |url: &str| {
            let origin = Origin::of_text(url);
            let words = Sought::all().filter(|sought| sought.holds(origin.as_ref(), &probed)).map(Sought::word);
            words.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(answers("https://up.example/other"), "reachable tls-expiring");
        assert_eq!(answers("https://down.example/"), "dead dns");
        assert_eq!(answers("https://10.0.0.1/"), "untried private");
        assert_eq!(answers("http://up.example/"), "unknown");
        assert_eq!(answers("no url"), "untried invalid-url");
    }

    #[test]
    fn the_audit_gets_it_by_its_own_keys() {
        let mut probed = Probed::default();
        probed.insert(origin("https://down.example.:8443"), seen(Some(Trouble::Dns), 0));
        probed.insert(origin("https://10.0.0.1"), seen(Some(Trouble::Private), 0));
        let facts = probed.facts();
        assert_eq!(facts["https://down.example:8443"].dead, Some("dns"));
        assert_eq!(facts["https://10.0.0.1"].dead, None);
    }

    #[test]
    fn no_more_is_kept_than_may_be_and_the_newest_stays() {
        let mut probed = Probed::default();
        for second in 0..=100 {
            probed.insert(origin(&format!("https://h{second}.example")), seen(None, second));
            probed.keep_at_most(100);
        }
        assert_eq!(probed.len(), 51);
        assert!(probed.get(&origin("https://h0.example")).is_none());
        assert!(probed.get(&origin("https://h100.example")).is_some());
        let version = probed.version();
        probed.clear();
        assert!(probed.is_empty() && probed.version() > version);
    }
}
