//! The comparison with a baseline: its two listings, their differences, and the webhooks that are no longer listed.

use std::sync::Arc;

use super::changes::{Baseline, BaselineChoice, ComparedListing, Comparison, EarlierSnapshot, KnownVersions, RemovalCheck};
use super::context::SessionContext;
use super::loading::LoadAll;
use super::state::Session;
use super::unread::UnreadChange;
use crate::analysis::changes::{Changes, ChangesRequest};
use crate::base::clock;
use crate::base::text::{Safe, grouped};
use crate::cache::{CachedListing, Snapshot};
use crate::keymap::Action;
use crate::model::{Scope, WebhookId};
use crate::safe;
use crate::tui::job_id::JobId;
use crate::tui::jobs::{RemovalQuestion, Task};
use crate::tui::message::{Effect, warn};
use crate::tui::picker::PickerChoice;
use crate::tui::view_kind::View;

impl Session {
    /// The later listing of the comparison: the last full read, or the cache while the API cannot be read.
    pub fn later(&self) -> Option<(ComparedListing, &Arc<CachedListing>)> {
        if let Some((generation, past)) = self.cache.full_read() {
            return Some((ComparedListing::Read(*generation), past));
        }
        let is_down = self.load.health.trouble().is_some() && (self.list.lines.fresh_pages() == 0 || !self.is_loading());
        self.cache.last_look().filter(|_| is_down).map(|past| (ComparedListing::Cached, past))
    }

    pub fn is_cache_compared(&self) -> bool {
        self.later().is_some_and(|(later, _)| later == ComparedListing::Cached)
    }

    /// The baseline. Without a cache, it is the start of the session.
    pub fn basis(&self) -> (&Baseline, Option<&Arc<CachedListing>>) {
        match &self.changes.basis {
            Baseline::LastLook | Baseline::Start if self.is_cache_compared() => match &self.changes.earlier {
                EarlierSnapshot::Here(basis @ Baseline::Snapshot(_, past)) => (basis, Some(past)),
                EarlierSnapshot::Here(_) | EarlierSnapshot::Nothing | EarlierSnapshot::Asked | EarlierSnapshot::NotAsked => {
                    (&Baseline::LastLook, None)
                }
            },
            Baseline::LastLook if self.cache.last_look().is_none() => (&Baseline::Start, self.cache.first()),
            Baseline::LastLook => (&Baseline::LastLook, self.cache.last_look()),
            Baseline::Start => (&Baseline::Start, self.cache.first()),
            basis @ Baseline::Snapshot(_, past) => (basis, Some(past)),
        }
    }

    /// The baseline in words.
    pub fn baseline_in_words(&self, cx: SessionContext<'_>) -> Safe {
        match self.basis() {
            (Baseline::LastLook, Some(past)) => {
                safe!("since you last looked, {}", clock::recent_age_in_words(past.read_at, cx.now.wall))
            }
            (Baseline::Snapshot(_, past), _) => {
                safe!("since {}, {}", day_and_time(cx, past.read_at), clock::recent_age_in_words(past.read_at, cx.now.wall))
            }
            (_, Some(past)) => safe!("since startup, {}", clock::time_of_day(past.read_at, &cx.settings.shown_zone())),
            (_, None) if self.is_cache_compared() => "since the previous snapshot".into(),
            (_, None) => "since startup".into(),
        }
    }

    /// The time of the later listing, and the key that reads it again, if it is not from the last read: the scope is
    /// different, or only the rows on screen were read again.
    pub fn changes_as_of(&self, cx: SessionContext<'_>) -> Option<Safe> {
        let (later, past) = self.later()?;
        let ComparedListing::Read(generation) = later else {
            return Some(safe!("cached {}", clock::recent_age_in_words(past.read_at, cx.now.wall)));
        };
        let is_coming = self.load.all != LoadAll::No && self.load.scope == Scope::All;
        if generation == self.load.generation && self.load.scope == Scope::All
            || is_coming && self.load.health.trouble().is_none()
        {
            return None;
        }
        let (action, does) = if self.load.scope != Scope::All {
            (Action::NextScope, "shows all")
        } else if self.load.health.trouble().is_some() || self.list.lines.is_all_fresh() {
            (Action::Refresh, "refreshes")
        } else {
            (Action::LoadEverything, "reloads all")
        };
        let key = cx.settings.key(action);
        Some(safe!("as of {}, {} {}", clock::time_of_day(past.read_at, &cx.settings.shown_zone()), key, does))
    }

    /// Starts a comparison if the view is on screen and either listing has changed.
    pub fn find_changes(&mut self, cx: SessionContext<'_>) -> Vec<Effect> {
        if cx.view != View::Changes {
            return Vec::new();
        }
        let Some((later, after)) = self.later() else {
            self.changes.wish_for_nothing();
            return Vec::new();
        };
        let (basis, Some(before)) = self.basis() else {
            return if later == ComparedListing::Cached { self.find_earlier() } else { Vec::new() };
        };
        let kind = match basis {
            Baseline::LastLook => 0,
            Baseline::Start => 1,
            Baseline::Snapshot(snapshot, _) => snapshot.sequence.saturating_add(2),
        };
        let wish = Comparison {
            basis: (before.read_at, kind),
            later,
            filter: self.filter.applied().to_owned(),
            knowledge: self.knowledge(),
        };
        let (before, after) = (before.rows.clone(), after.rows.clone());
        let is_known = !self.filter.query().asks_for_findings() || self.is_audited();
        if !self.changes.wish(wish) || !is_known {
            return Vec::new();
        }
        let sides = ChangesRequest { before, after, query: self.filter.query().clone(), facts: self.facts() };
        let (id, effect) = self.jobs.start(Task::Differences(Box::new(sides)));
        self.changes.wait(id);
        vec![effect]
    }

    /// Finds the snapshot to compare the cache with, once.
    fn find_earlier(&mut self) -> Vec<Effect> {
        match (&self.changes.earlier, self.workspace.store.clone()) {
            (EarlierSnapshot::NotAsked, Some(store)) => {
                self.changes.earlier = EarlierSnapshot::Asked;
                let layout = self.past_layout();
                self.jobs.run(Task::OpenEarlier { store, layout })
            }
            _ => Vec::new(),
        }
    }

    pub fn opened_earlier(&mut self, found: Option<(Snapshot, Arc<CachedListing>)>) -> Vec<Effect> {
        self.changes.earlier = match found {
            Some((snapshot, past)) => EarlierSnapshot::Here(Baseline::Snapshot(snapshot, past)),
            None => EarlierSnapshot::Nothing,
        };
        vec![Effect::Draw]
    }

    /// The versions of the facts that the filter uses.
    fn knowledge(&self) -> KnownVersions {
        let query = self.filter.query();
        KnownVersions {
            findings: query.asks_for_findings().then(|| self.findings_index().number()),
            probes: query.asks_for_probes().then(|| self.probes.known.version()),
            flags: query.asks_for_flags().then_some(self.changes.flags),
        }
    }

    pub fn take_changes(&mut self, job: JobId, changes: Arc<Changes>) -> Vec<Effect> {
        if !self.changes.take(job, Arc::unwrap_or_clone(changes)) {
            return Vec::new();
        }
        let mut effects = vec![Effect::Draw];
        // When the cache is compared, the API is not responding, so it is not asked.
        let ids = if self.is_cache_compared() { Vec::new() } else { self.changes.questions() };
        effects.extend(self.ask_for(ids));
        effects
    }

    /// Requests webhooks by their ids, if there are any.
    pub fn ask_for(&mut self, ids: Vec<WebhookId>) -> Vec<Effect> {
        if ids.is_empty() {
            return Vec::new();
        }
        vec![Effect::Ask(RemovalQuestion { id: self.jobs.next_id(), ids })]
    }

    pub fn take_fates(&mut self, cx: SessionContext<'_>, fates: Vec<(Box<str>, RemovalCheck)>) -> Vec<Effect> {
        self.changes.learn(fates);
        let mut effects = vec![Effect::Draw];
        effects.extend(self.confirm_removed(cx));
        effects
    }

    /// Describes the change of a webhook. One that is missing from the list counts as removed only once the API answers 404.
    pub fn change_in_words(&self, change: UnreadChange, id: &str) -> Safe {
        match (change, self.changes.fate_of(id)) {
            (UnreadChange::Removed, Some(RemovalCheck::Removed)) => "removed (the API answers 404)".into(),
            (UnreadChange::Removed, Some(RemovalCheck::Present)) => "missing from the list, but the API still has it".into(),
            (UnreadChange::Removed, Some(RemovalCheck::Unknown(why))) => {
                safe!("missing from the list, removal unconfirmed: {}", why)
            }
            _ => change.words().into(),
        }
    }

    /// The baselines, with the snapshots the newest first.
    pub fn baselines(&self, cx: SessionContext<'_>, snapshots: Vec<Snapshot>) -> Vec<PickerChoice<BaselineChoice>> {
        let age = |at| clock::recent_age_in_words(at, cx.now.wall);
        let dot = cx.settings.glyphs.dot;
        let (basis, _) = self.basis();
        let choice = |value, name, beside, is_current| PickerChoice { value, key: None, name, beside, is_current };
        let mut choices = Vec::new();
        if let Some(past) = self.cache.last_look().filter(|_| !self.is_cache_compared()) {
            let beside = safe!("{} {} {}", age(past.read_at), dot, day_and_time(cx, past.read_at));
            choices.push(choice(
                BaselineChoice::LastLook,
                "you last looked".into(),
                beside,
                matches!(basis, Baseline::LastLook),
            ));
        }
        if let Some(past) = self.cache.first() {
            let beside = safe!("{} {} {}", age(past.read_at), dot, day_and_time(cx, past.read_at));
            choices.push(choice(BaselineChoice::Start, "startup".into(), beside, matches!(basis, Baseline::Start)));
        }
        // The newest one is the cache: compared with itself it would have no changes.
        let same = usize::from(self.is_cache_compared());
        choices.extend(snapshots.into_iter().skip(same).map(|snapshot| {
            let counts = snapshot.counts.map_or_else(Safe::default, |counts| {
                safe!(
                    " {} +{} ~{} -{} since the previous one",
                    dot,
                    grouped(counts.added),
                    grouped(counts.changed),
                    grouped(counts.removed)
                )
            });
            let beside = safe!("{} {} {} webhooks{}", age(snapshot.at), dot, grouped(snapshot.webhooks), counts);
            let is_current = matches!(basis, Baseline::Snapshot(current, _) if *current == snapshot);
            choice(BaselineChoice::Snapshot(snapshot.clone()), day_and_time(cx, snapshot.at), beside, is_current)
        }));
        choices
    }

    pub fn opened(&mut self, snapshot: Snapshot, past: Option<Arc<CachedListing>>) -> Vec<Effect> {
        match past {
            Some(past) => {
                self.changes.basis = Baseline::Snapshot(snapshot, past);
                vec![Effect::Draw]
            }
            None => warn("this snapshot can no longer be read"),
        }
    }
}

fn day_and_time(cx: SessionContext<'_>, at: jiff::Timestamp) -> Safe {
    let zone = cx.settings.shown_zone();
    safe!("{} {}", clock::day(at, &zone), clock::time_of_day(at, &zone))
}
