//! Probes: which destinations are being probed, and what is known of the others.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use crate::analysis::destinations::Origin;
use crate::analysis::probed::{Probed, Seen};
use crate::analysis::reach::{State, Tally, Trouble};
use crate::base::text::{Safe, grouped};
use crate::safe;
use crate::tui::job_id::JobId;

/// Origins that are remembered.
const MAX_KEPT: usize = 20_000;

/// The probe results, and the probes in progress.
#[derive(Debug, Default)]
pub struct Probes {
    pub known: Probed,
    pub under_way: HashSet<Origin>,
    /// The origins of each host that are known or under way.
    pub by_host: HashMap<Box<str>, BTreeSet<Origin>>,
    /// Since the last time that nothing was under way.
    pub tally: Tally,
    /// Failures that may be those of this host, as long as nothing else was found since the last time that nothing was under way.
    pub doubtful: Vec<(Origin, Seen)>,
    /// The last time that something was to be probed while nothing was under way.
    pub began: Option<Timestamp>,
    /// The job that gathers what is to be probed.
    pub gathering: Option<JobId>,
}

/// Failures of different hosts that are enough to blame this one, when nothing was reachable.
const ENOUGH: usize = 2;

/// An answer of the API that came so shortly before a probe shows that this host had a network then.
pub const JUST_BEFORE: SignedDuration = SignedDuration::from_mins(1);

pub fn number(count: usize) -> Safe {
    grouped(count as u64)
}

/// The probe status of one destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeStatus<'a> {
    Unknown,
    UnderWay,
    /// It cannot be connected to.
    NoUrl,
    Seen(&'a Seen),
}

impl Probes {
    /// Returns true if anything was probed or is being probed.
    pub fn are_shown(&self) -> bool {
        !self.known.is_empty() || self.is_running()
    }

    pub fn is_running(&self) -> bool {
        !self.under_way.is_empty()
    }

    /// How far it has come, while something is under way.
    pub fn progress(&self) -> Option<Tally> {
        self.is_running().then_some(self.tally)
    }

    /// The probe status of the destination of a URL.
    pub fn of(&self, url: &str) -> ProbeStatus<'_> {
        let Some(origin) = Origin::of_text(url) else { return ProbeStatus::NoUrl };
        match self.known.get(&origin) {
            _ if self.under_way.contains(&origin) => ProbeStatus::UnderWay,
            Some(seen) => ProbeStatus::Seen(seen),
            None => ProbeStatus::Unknown,
        }
    }

    /// The worst that is known of a host.
    pub fn of_host(&self, host: &str) -> ProbeStatus<'_> {
        let origins = || self.by_host.get(host).into_iter().flatten();
        if origins().any(|origin| self.under_way.contains(origin)) {
            return ProbeStatus::UnderWay;
        }
        let severity = |seen: &&Seen| match seen.reach.state() {
            State::Reachable => u8::from(seen.reach.is_expiring()) * 2,
            State::Untried => 1,
            State::Dead => 3,
        };
        origins()
            .filter_map(|origin| self.known.get(origin))
            .max_by_key(severity)
            .map_or(ProbeStatus::Unknown, ProbeStatus::Seen)
    }

    pub fn begin(&mut self, origins: &[Origin], now: Timestamp) {
        if !self.is_running() {
            self.began = Some(now);
            self.tally = Tally::default();
            self.doubtful.clear();
        }
        self.tally.wanted += origins.len();
        self.under_way.extend(origins.iter().cloned());
        self.index(origins);
    }

    /// Takes what was found. Nothing is known of any destination while it may be that this host reaches none.
    pub fn take(&mut self, origin: Origin, seen: Seen) {
        let proves_nothing = seen.reach.state() == State::Untried;
        let is_first_proof = !proves_nothing && !seen.reach.may_be_our_fault();
        if self.tally.dead == self.doubtful.len() && self.tally.reachable == 0 && seen.reach.may_be_our_fault() {
            self.doubtful.push((origin, seen));
            return;
        }
        if is_first_proof {
            self.trust_doubtful();
        }
        self.keep(origin, seen);
    }

    fn trust_doubtful(&mut self) {
        for (origin, seen) in std::mem::take(&mut self.doubtful) {
            self.keep(origin, seen);
        }
    }

    /// Discards the doubtful failures if this host is to blame for them, and returns a message. Otherwise keeps them as
    /// results.
    pub fn blame_this_host(&mut self, reaches_api: bool) -> Option<Safe> {
        let hosts: HashSet<_> = self.doubtful.iter().map(|(origin, _)| origin.host().to_string()).collect();
        if reaches_api || hosts.len() < ENOUGH {
            self.trust_doubtful();
            return None;
        }
        let troubles: Vec<Trouble> = self.doubtful.iter().filter_map(|(_, seen)| seen.reach.trouble).collect();
        let is_dns = troubles.iter().all(|trouble| *trouble == Trouble::Dns);
        // Earlier failures of the same kind were not the fault of their destinations either.
        self.known.forget(&troubles);
        let what = if is_dns { "DNS fails on this host" } else { "no network on this host" };
        let words = safe!("none of {} destinations reached: {}; results discarded", number(self.doubtful.len()), what);
        self.doubtful.clear();
        Some(words)
    }

    fn keep(&mut self, origin: Origin, seen: Seen) {
        self.known.insert(origin, seen);
        let before = self.known.len();
        self.known.keep_at_most(MAX_KEPT);
        if self.known.len() < before {
            self.by_host.clear();
            let origins: Vec<_> = self.known.iter().map(|(origin, _)| origin).chain(&self.under_way).cloned().collect();
            self.index(&origins);
        }
    }

    fn index(&mut self, origins: &[Origin]) {
        for origin in origins {
            self.by_host.entry(origin.host().to_string().into()).or_default().insert(origin.clone());
        }
    }
}

/// How long it took.
pub fn milliseconds(seen: &Seen) -> u64 {
    u64::try_from(seen.reach.times.total().as_millis()).unwrap_or(u64::MAX)
}
