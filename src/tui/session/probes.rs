//! The probe results, and the probes in progress.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use crate::analysis::destinations::Origin;
use crate::analysis::probed::{Probed, Seen};
use crate::analysis::reach::{State, Tally, Trouble};
use crate::base::text::{Safe, grouped};
use crate::safe;
use crate::tui::job_id::JobId;

/// The most origins to keep results of.
const MAX_KEPT: usize = 20_000;

/// The probe results, and the probes in progress.
#[derive(Debug, Default)]
pub struct Probes {
    pub known: Probed,
    pub under_way: HashSet<Origin>,
    /// The origins of each host that have a result or are being probed.
    pub by_host: HashMap<Box<str>, BTreeSet<Origin>>,
    /// The results since probing last started from idle.
    pub tally: Tally,
    /// Failures that may be caused by this host. They are held as long as this run of probes has no other results.
    pub doubtful: Vec<(Origin, Seen)>,
    /// The time at which probing last started from idle.
    pub began: Option<Timestamp>,
    /// The job that collects the origins to probe.
    pub gathering: Option<JobId>,
}

/// The number of hosts whose failures suggest that this host is the cause, if nothing was reachable.
const ENOUGH: usize = 2;

/// An API response within this time before a probe shows that this host had a network connection.
pub const JUST_BEFORE: SignedDuration = SignedDuration::from_mins(1);

pub fn number(count: usize) -> Safe {
    grouped(count as u64)
}

/// The probe status of one destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeStatus<'a> {
    Unknown,
    UnderWay,
    /// The URL cannot be connected to.
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

    /// The progress, while probes are running.
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

    /// The worst result of a host.
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

    /// Records a result. Failures are held back while this host may be the cause of all of them.
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

    /// Discards the held failures if this host is to blame for them, and returns a message. Otherwise records them as
    /// results.
    pub fn blame_this_host(&mut self, reaches_api: bool) -> Option<Safe> {
        let hosts: HashSet<_> = self.doubtful.iter().map(|(origin, _)| origin.host().to_string()).collect();
        if reaches_api || hosts.len() < ENOUGH {
            self.trust_doubtful();
            return None;
        }
        let troubles: Vec<Trouble> = self.doubtful.iter().filter_map(|(_, seen)| seen.reach.trouble).collect();
        let is_dns = troubles.iter().all(|trouble| *trouble == Trouble::Dns);
        // Earlier failures of the same kind were not caused by their destinations either.
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

/// The total duration in milliseconds.
pub fn milliseconds(seen: &Seen) -> u64 {
    u64::try_from(seen.reach.times.total().as_millis()).unwrap_or(u64::MAX)
}
