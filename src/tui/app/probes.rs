//! Probes: what is being probed, and what is known since.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use url::Host;

use super::{Action, App, Effect, Everything, Health, Notice, RowRef, Safe, Wish, grouped, safe};
use crate::analysis::destinations::Origin;
use crate::analysis::groups::{Broken, Kind};
use crate::analysis::probed::{Probed, Seen};
use crate::analysis::reach::{State, Tally, Trouble};
use crate::text::clean;
use crate::tui::jobs::{Gathered, Task};
use crate::tui::prober::Found;

/// Origins that are probed at the press of a key.
pub(super) const MAX_AT_A_TIME: usize = 10_000;
/// Origins that are remembered.
const MAX_KEPT: usize = 20_000;

/// What is known of destinations, and what is being found out.
#[derive(Debug, Default)]
pub struct Probes {
    pub known: Probed,
    under_way: HashSet<Origin>,
    /// The origins of each host that are known or under way.
    by_host: HashMap<Box<str>, BTreeSet<Origin>>,
    /// Since the last time that nothing was under way.
    tally: Tally,
    /// Failures that may be those of this host, as long as nothing else was found since the last time that nothing was under way.
    doubtful: Vec<(Origin, Seen)>,
    /// The last time that something was to be probed while nothing was under way.
    began: Option<Timestamp>,
    /// The job that gathers what is to be probed.
    gathering: Option<u64>,
}

/// Failures of different hosts that are enough to blame this one, when nothing was reachable.
const ENOUGH: usize = 2;

/// An answer of the API that came so shortly before a probe shows that this host had a network then.
const JUST_BEFORE: SignedDuration = SignedDuration::from_mins(1);

fn number(count: usize) -> Safe {
    grouped(count as u64)
}

/// What is known of one destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight<'a> {
    Unknown,
    UnderWay,
    /// It cannot be connected to.
    NoUrl,
    Seen(&'a Seen),
}

impl Probes {
    /// Whether there is anything to show of probes.
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

    /// What is known of the destination of a URL.
    pub fn of(&self, url: &str) -> Sight<'_> {
        let Some(origin) = Origin::of_text(url) else { return Sight::NoUrl };
        match self.known.get(&origin) {
            _ if self.under_way.contains(&origin) => Sight::UnderWay,
            Some(seen) => Sight::Seen(seen),
            None => Sight::Unknown,
        }
    }

    /// The worst that is known of a host.
    pub fn of_host(&self, host: &str) -> Sight<'_> {
        let origins = || self.by_host.get(host).into_iter().flatten();
        if origins().any(|origin| self.under_way.contains(origin)) {
            return Sight::UnderWay;
        }
        let severity = |seen: &&Seen| match seen.reach.state() {
            State::Reachable => u8::from(seen.reach.is_expiring()) * 2,
            State::Untried => 1,
            State::Dead => 3,
        };
        origins().filter_map(|origin| self.known.get(origin)).max_by_key(severity).map_or(Sight::Unknown, Sight::Seen)
    }

    fn begin(&mut self, origins: &[Origin], now: Timestamp) {
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
    fn take(&mut self, origin: Origin, seen: Seen) {
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
    fn blame_this_host(&mut self, reaches_api: bool) -> Option<Safe> {
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

impl App {
    /// Probes what is selected.
    pub(super) fn probe_selected(&mut self) -> Vec<Effect> {
        if self.shows_groups() {
            return self.probe_group();
        }
        let Some(row) = self.selected_row().filter(|row| row.is_webhook()) else {
            return self.warn("no webhook to probe");
        };
        match Origin::of_text(row.url()) {
            Some(origin) => self.probe(vec![origin]),
            None => self.warn("cannot probe: not a valid http or https URL"),
        }
    }

    /// Probes every origin of the selected host.
    fn probe_group(&mut self) -> Vec<Effect> {
        let kind = self.group_pane().and_then(|pane| pane.selected()).map(|group| &group.kind);
        match kind {
            Some(Kind::Host { name: host, .. } | Kind::Path { host, .. } | Kind::More { host, .. }) => {
                let host = Some(host.clone());
                let rows = self.chosen_of_shown();
                self.gather(Task::Gather { rows, host, most: MAX_AT_A_TIME })
            }
            Some(Kind::NoHost) => self.warn("cannot probe: these URLs have no host"),
            Some(Kind::Broken { what: Broken::Webhook { url }, .. }) => match Origin::of_text(url) {
                Some(origin) => self.probe(vec![origin]),
                None => self.warn("cannot probe: not a valid http or https URL"),
            },
            Some(
                Kind::Event { .. } | Kind::Rule { .. } | Kind::Broken { .. } | Kind::Said { .. } | Kind::MoreRows { .. },
            ) => {
                let key = |action| self.setup.keymap.key(action).unwrap_or_default();
                let (webhooks, hosts) = (key(Action::ViewWebhooks), key(Action::ViewHosts));
                self.inform(safe!("not available in this view; {} shows the webhooks, {} the hosts", webhooks, hosts))
            }
            None => self.warn("no host to probe"),
        }
    }

    /// Probes all that are marked, else all that are shown, once all of them are here.
    pub(super) fn probe_all(&mut self) -> Vec<Effect> {
        if self.listing.loaded() == 0 {
            return self.warn("nothing to probe");
        }
        if self.marks.is_empty() && self.has_to_wait(Wish::Probe) {
            return vec![Effect::Draw];
        }
        let rows = self.chosen();
        self.gather(Task::Gather { rows, host: None, most: MAX_AT_A_TIME })
    }

    pub(super) fn gather_shown(&mut self) -> Vec<Effect> {
        let rows = self.chosen_of_shown();
        self.gather(Task::Gather { rows, host: None, most: MAX_AT_A_TIME })
    }

    /// Looks for what is to be probed; until it is found that can be stopped, too.
    pub(super) fn gather(&mut self, task: Task) -> Vec<Effect> {
        let effects = self.run(task);
        self.probes.gathering = Some(self.jobs.started);
        effects
    }

    /// Takes the origins that were looked for, unless that was stopped.
    pub(super) fn gathered(&mut self, number: u64, gathered: Gathered) -> Vec<Effect> {
        if self.probes.gathering.take_if(|gathering| *gathering == number).is_none() {
            return Vec::new();
        }
        let Gathered { origins, are_more, is_about_all } = gathered;
        if origins.is_empty() {
            return self.warn("nothing to probe: no valid http or https URL");
        }
        let count = grouped(origins.len() as u64);
        let effects = self.probe(origins);
        if are_more {
            self.notice = Some(Notice::Warning(safe!("probing the first {} destinations; filter to probe others", count)));
        } else if is_about_all && self.listing.is_complete() && !self.listing.is_all_here() {
            let words = safe!("probing {} destinations{}", count, self.listing.of_which());
            self.notice = Some(Notice::Warning(words));
        } else if is_about_all && !self.listing.is_all_here() {
            let key = self.setup.keymap.key(Action::LoadEverything).unwrap_or_default();
            let loaded = grouped(self.listing.loaded());
            let words = safe!("probing {} destinations of {} loaded webhooks; {} loads the rest", count, loaded, key);
            self.notice = Some(Notice::Warning(words));
        }
        effects
    }

    pub(super) fn probe(&mut self, origins: Vec<Origin>) -> Vec<Effect> {
        let mut new = origins;
        new.retain(|origin| !self.probes.under_way.contains(origin));
        if new.is_empty() {
            return self.inform("already probing; esc stops");
        }
        self.probes.begin(&new, self.now.wall);
        vec![Effect::Draw, Effect::Probe(new)]
    }

    /// Takes what a probe found.
    pub(super) fn probed(&mut self, found: Found) -> Vec<Effect> {
        let (origin, seen) = match found {
            Found::Reach(origin, seen) => (origin, *seen),
            Found::Failed(why) => {
                self.probes.under_way.clear();
                return self.warn(safe!("cannot probe: {}", why));
            }
        };
        let probes = &mut self.probes;
        if !probes.under_way.remove(&origin) {
            // An answer to what nobody asks any more.
            return Vec::new();
        }
        let only = (probes.tally.wanted == 1).then(|| of_one(&origin, &seen));
        let reach = seen.reach.clone();
        probes.take(origin, seen);
        probes.tally.add(&reach);
        if probes.is_running() {
            return vec![Effect::Draw];
        }
        let blamed = self.blame_this_host();
        let words = only.unwrap_or_else(|| self.probes.tally.words());
        self.facts_changed();
        match blamed {
            Some(words) => self.warn(words),
            None => self.inform(words),
        }
    }

    fn blame_this_host(&mut self) -> Option<Safe> {
        let reaches_api = self.reaches_api();
        self.probes.blame_this_host(reaches_api)
    }

    /// Returns true if the API answered while this probe ran or just before, and its host is a name and not this machine:
    /// DNS and the network then work on this host.
    fn reaches_api(&self) -> bool {
        let base_url = &self.setup.base_url;
        let is_remote = !base_url.is_loopback() && matches!(base_url.as_url().host(), Some(Host::Domain(_)));
        let Health::Live { at } = self.health else { return false };
        let is_recent = self.probes.began.is_some_and(|began| at.duration_since(began) >= -JUST_BEFORE);
        self.setup.file.is_none() && is_remote && is_recent
    }

    /// Cancels the probe and keeps its results so far. Returns `None` if there is no probe.
    pub(super) fn stop_probing(&mut self) -> Option<Vec<Effect>> {
        let was_gathering = self.stop_gathering();
        if self.jobs.wishes.remove(&Wish::Probe).is_some() {
            self.everything = Everything::No;
            return Some(self.inform("probe canceled"));
        }
        if was_gathering && !self.probes.is_running() {
            return Some(self.inform("probe canceled"));
        }
        if !self.probes.is_running() {
            return None;
        }
        self.probes.under_way.clear();
        let blamed = self.blame_this_host();
        self.facts_changed();
        let Tally { wanted, .. } = self.probes.tally;
        let mut effects = match blamed {
            Some(words) => self.warn(safe!("stopped: {}", words)),
            None => self.inform(safe!("stopped: {}, out of {} destinations", self.probes.tally.words(), number(wanted))),
        };
        effects.push(Effect::StopProbing);
        Some(effects)
    }

    /// Forgets what probes found, such as while this host had no network; what is under way ends.
    pub(super) fn discard_probes(&mut self) -> Vec<Effect> {
        if !self.probes.are_shown() {
            return self.inform("no probe results to discard");
        }
        let was_running = self.probes.is_running();
        let count = number(self.probes.known.len());
        self.forget_probes();
        self.facts_changed();
        let mut effects = self.inform(safe!("discarded the probe results for {} destinations", count));
        effects.extend(was_running.then_some(Effect::StopProbing));
        effects
    }

    /// What is still being looked for is not probed. Whether there was anything.
    pub(super) fn stop_gathering(&mut self) -> bool {
        self.probes.gathering.take().is_some()
    }

    /// Nothing is known of the destinations of another workspace.
    pub(super) fn forget_probes(&mut self) {
        let mut known = std::mem::take(&mut self.probes.known);
        known.clear();
        self.probes = Probes { known, ..Probes::default() };
    }

    /// What is known of the destination of a row; `None` when nothing was ever probed.
    pub fn sight_of<'a>(&'a self, row: RowRef<'_>) -> Option<Sight<'a>> {
        self.probes.are_shown().then(|| self.probes.of(row.url()))
    }
}

/// The end of the probe of a single destination, in words.
fn of_one(origin: &Origin, seen: &Seen) -> Safe {
    let host = clean(&origin.host().to_string()).fit(60, "…");
    match seen.reach.trouble {
        None => safe!("{}: reachable from this host, {} ms", host, milliseconds(seen)),
        Some(trouble @ (Trouble::Private | Trouble::InvalidUrl)) => safe!("{}: {}", host, trouble.words()),
        Some(trouble) => safe!("{}: unreachable, {}: {}", host, trouble.word(), trouble.words()),
    }
}

/// How long it took.
pub fn milliseconds(seen: &Seen) -> u64 {
    u64::try_from(seen.reach.times.total().as_millis()).unwrap_or(u64::MAX)
}
