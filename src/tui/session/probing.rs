//! Probing: collecting the destinations, and handling the results.

use url::Host;

use super::context::SessionContext;
use super::deferred::DeferredAction;
use super::health::Health;
use super::loading::LoadAll;
use super::probes::{JUST_BEFORE, ProbeStatus, Probes, milliseconds, number};
use super::state::Session;
use crate::analysis::destinations::Origin;
use crate::analysis::probed::Seen;
use crate::analysis::reach::{Tally, Trouble};
use crate::base::text::{Safe, clean, grouped};
use crate::keymap::Action;
use crate::model::RowRef;
use crate::safe;
use crate::tui::job_id::JobId;
use crate::tui::jobs::{Gathered, Task};
use crate::tui::message::{Effect, inform, warn};
use crate::tui::prober::ProbeEvent;

/// The most destinations to probe with one key press.
pub const MAX_AT_A_TIME: usize = 10_000;

impl Session {
    /// Probes the destinations of all listed webhooks.
    pub fn gather_shown(&mut self) -> Vec<Effect> {
        let rows = self.chosen_of_shown();
        self.gather(Task::Gather { rows, host: None, most: MAX_AT_A_TIME })
    }

    /// Collects the destinations to probe. The probe can be canceled in the meantime.
    pub fn gather(&mut self, task: Task) -> Vec<Effect> {
        let (id, effect) = self.jobs.start(task);
        self.probes.gathering = Some(id);
        vec![effect]
    }

    /// Probes the collected destinations, unless that was canceled.
    pub fn gathered(&mut self, cx: SessionContext<'_>, id: JobId, gathered: Gathered) -> Vec<Effect> {
        if self.probes.gathering.take_if(|gathering| *gathering == id).is_none() {
            return Vec::new();
        }
        let Gathered { origins, are_more, is_about_all } = gathered;
        if origins.is_empty() {
            return warn("nothing to probe: no valid http or https URL");
        }
        let count = grouped(origins.len() as u64);
        let mut effects = self.probe(cx, origins);
        if are_more {
            effects.extend(warn(safe!("probing the first {} destinations; filter to probe others", count)));
        } else if is_about_all && self.list.lines.is_complete() && !self.list.lines.is_all_here() {
            let words = safe!("probing {} destinations{}", count, self.list.lines.of_which());
            effects.extend(warn(words));
        } else if is_about_all && !self.list.lines.is_all_here() {
            let key = cx.settings.key(Action::LoadEverything);
            let loaded = grouped(self.list.lines.loaded());
            let words = safe!("probing {} destinations of {} loaded webhooks; {} loads the rest", count, loaded, key);
            effects.extend(warn(words));
        }
        effects
    }

    /// Probes these destinations.
    pub fn probe(&mut self, cx: SessionContext<'_>, origins: Vec<Origin>) -> Vec<Effect> {
        let mut new = origins;
        new.retain(|origin| !self.probes.under_way.contains(origin));
        if new.is_empty() {
            return inform("already probing; esc stops");
        }
        self.probes.begin(&new, cx.now.wall);
        vec![Effect::Draw, Effect::Probe(new)]
    }

    /// Takes the result of a probe.
    pub fn probed(&mut self, cx: SessionContext<'_>, found: ProbeEvent) -> Vec<Effect> {
        let (origin, seen) = match found {
            ProbeEvent::Reach(origin, seen) => (origin, *seen),
            ProbeEvent::Failed(why) => {
                self.probes.under_way.clear();
                return warn(safe!("cannot probe: {}", why));
            }
        };
        let probes = &mut self.probes;
        if !probes.under_way.remove(&origin) {
            // The probe was canceled.
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
        self.facts_changed(cx);
        match blamed {
            Some(words) => warn(words),
            None => inform(words),
        }
    }

    fn blame_this_host(&mut self) -> Option<Safe> {
        let reaches_api = self.reaches_api();
        self.probes.blame_this_host(reaches_api)
    }

    /// Returns true if the API answered while this probe ran or just before, and its host is a name and not this machine:
    /// DNS and the network then work on this host.
    fn reaches_api(&self) -> bool {
        let base_url = &self.workspace.base_url;
        let is_remote = !base_url.is_loopback() && matches!(base_url.as_url().host(), Some(Host::Domain(_)));
        let Health::Live { at } = self.load.health else { return false };
        let is_recent = self.probes.began.is_some_and(|began| at.duration_since(began) >= -JUST_BEFORE);
        self.workspace.file.is_none() && is_remote && is_recent
    }

    /// Cancels the probe and keeps its results so far. Returns `None` if nothing is being probed.
    pub fn stop_probing(&mut self, cx: SessionContext<'_>) -> Option<Vec<Effect>> {
        let was_gathering = self.stop_gathering();
        if self.jobs.deferred.remove(&DeferredAction::Probe).is_some() {
            self.load.all = LoadAll::No;
            return Some(inform("probe canceled"));
        }
        if was_gathering && !self.probes.is_running() {
            return Some(inform("probe canceled"));
        }
        if !self.probes.is_running() {
            return None;
        }
        self.probes.under_way.clear();
        let blamed = self.blame_this_host();
        self.facts_changed(cx);
        let Tally { wanted, .. } = self.probes.tally;
        let mut effects = match blamed {
            Some(words) => warn(safe!("stopped: {}", words)),
            None => inform(safe!("stopped: {}, out of {} destinations", self.probes.tally.words(), number(wanted))),
        };
        effects.push(Effect::StopProbing);
        Some(effects)
    }

    /// Discards all probe results, such as those from a time without a network, and cancels the probe in progress.
    pub fn discard_probes(&mut self, cx: SessionContext<'_>) -> Vec<Effect> {
        if !self.probes.are_shown() {
            return inform("no probe results to discard");
        }
        let was_running = self.probes.is_running();
        let count = number(self.probes.known.len());
        self.forget_probes();
        self.facts_changed(cx);
        let mut effects = inform(safe!("discarded the probe results for {} destinations", count));
        effects.extend(was_running.then_some(Effect::StopProbing));
        effects
    }

    /// Cancels the collection of destinations. Returns false if there is none.
    pub fn stop_gathering(&mut self) -> bool {
        self.probes.gathering.take().is_some()
    }

    /// Discards all results. The version of the results keeps growing.
    fn forget_probes(&mut self) {
        let mut known = std::mem::take(&mut self.probes.known);
        known.clear();
        self.probes = Probes { known, ..Probes::default() };
    }

    /// The probe status of the destination of a row; `None` if nothing was ever probed.
    pub fn probe_status<'a>(&'a self, row: RowRef<'_>) -> Option<ProbeStatus<'a>> {
        self.probes.are_shown().then(|| self.probes.of(row.url()))
    }
}

/// The notice at the end of a probe of a single destination.
fn of_one(origin: &Origin, seen: &Seen) -> Safe {
    let host = clean(&origin.host().to_string()).fit(60, "…");
    match seen.reach.trouble {
        None => safe!("{}: reachable from this host, {} ms", host, milliseconds(seen)),
        Some(trouble @ (Trouble::Private | Trouble::InvalidUrl)) => safe!("{}: {}", host, trouble.words()),
        Some(trouble) => safe!("{}: unreachable, {}: {}", host, trouble.word(), trouble.words()),
    }
}
