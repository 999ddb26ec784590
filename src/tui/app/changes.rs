//! What changed since some time: comparing, asking for what is not listed any more, and moving through it.

use std::sync::Arc;

use crossterm::event::KeyEvent;

use super::news::Change;
use super::probes::MAX_AT_A_TIME;
use super::{Action, App, Effect, Everything, Focus, Overlay, Scope, draw_if};
use crate::analysis::changes::{Changes, Entry, Sides};
use crate::analysis::destinations::Origin;
use crate::analysis::groups::Kind;
use crate::analysis::query::quote;
use crate::analysis::rows::Standing;
use crate::cache::Snapshot;
use crate::clock;
use crate::keymap::Key;
use crate::model::WebhookId;
use crate::safe;
use crate::text::{Safe, grouped};
use crate::tui::change_detail;
use crate::tui::changes_pane::{Bases, Basis, BasisChoice, Chosen, Comparison, Earlier, Fate, Knowledge, Later};
use crate::tui::jobs::{Question, Task};
use crate::tui::past::Past;
use crate::tui::picker::{Picked, Picker};

impl App {
    /// Whether there are changes to be shown, be it none.
    pub fn has_changes(&self) -> bool {
        self.shows_changes() && self.later().is_some()
    }

    /// What is compared with the basis: the last full read, or as long as nothing can be read what is cached.
    pub fn later(&self) -> Option<(Later, &Arc<Past>)> {
        if let Some((generation, past)) = self.memory.full_read() {
            return Some((Later::Read(*generation), past));
        }
        let is_down = self.health.trouble().is_some() && (self.listing.fresh_pages() == 0 || !self.is_loading());
        self.memory.last_look().filter(|_| is_down).map(|past| (Later::Cached, past))
    }

    fn is_cache_compared(&self) -> bool {
        self.later().is_some_and(|(later, _)| later == Later::Cached)
    }

    /// What the live webhooks are compared with. Without a cache that is the start.
    pub fn basis(&self) -> (&Basis, Option<&Arc<Past>>) {
        match &self.changes.basis {
            Basis::LastLook | Basis::Start if self.is_cache_compared() => match &self.changes.earlier {
                Earlier::Here(basis @ Basis::Snapshot(_, past)) => (basis, Some(past)),
                Earlier::Here(_) | Earlier::Nothing | Earlier::Asked | Earlier::NotAsked => (&Basis::LastLook, None),
            },
            Basis::LastLook if self.memory.last_look().is_none() => (&Basis::Start, self.memory.first()),
            Basis::LastLook => (&Basis::LastLook, self.memory.last_look()),
            Basis::Start => (&Basis::Start, self.memory.first()),
            basis @ Basis::Snapshot(_, past) => (basis, Some(past)),
        }
    }

    /// The time whose age is told above the changes.
    pub(super) fn changes_since(&self) -> Option<jiff::Timestamp> {
        match self.basis() {
            (Basis::LastLook | Basis::Snapshot(..), Some(past)) if self.has_changes() => Some(past.at),
            _ => None,
        }
    }

    /// Since when changes are told.
    pub fn basis_in_words(&self) -> Safe {
        match self.basis() {
            (Basis::LastLook, Some(past)) => {
                safe!("since you last looked, {}", clock::recent_age_in_words(past.at, self.now.wall))
            }
            (Basis::Snapshot(_, past), _) => {
                safe!("since {}, {}", self.day_and_time(past.at), clock::recent_age_in_words(past.at, self.now.wall))
            }
            (_, Some(past)) => safe!("since startup, {}", clock::time_of_day(past.at, &self.zone())),
            (_, None) if self.is_cache_compared() => "since the previous snapshot".into(),
            (_, None) => "since startup".into(),
        }
    }

    /// When the later side was read and what reads it again, if it is not that of the last read: of another scope, or only the
    /// rows on screen were read again.
    pub fn changes_as_of(&self) -> Option<Safe> {
        let (later, past) = self.later()?;
        let Later::Read(generation) = later else {
            return Some(safe!("cached {}", clock::recent_age_in_words(past.at, self.now.wall)));
        };
        let is_coming = self.everything != Everything::No && self.scope == Scope::All;
        if generation == self.generation && self.scope == Scope::All || is_coming && self.health.trouble().is_none() {
            return None;
        }
        let (action, does) = if self.scope != Scope::All {
            (Action::NextScope, "shows all")
        } else if self.health.trouble().is_some() || self.listing.is_all_fresh() {
            (Action::Refresh, "refreshes")
        } else {
            (Action::LoadEverything, "reloads all")
        };
        let key = self.setup.keymap.key(action).unwrap_or_default();
        Some(safe!("as of {}, {} {}", clock::time_of_day(past.at, &self.zone()), key, does))
    }

    fn zone(&self) -> jiff::tz::TimeZone {
        match self.time {
            crate::config::TimeFormat::Utc => jiff::tz::TimeZone::UTC,
            _ => self.setup.zone.clone(),
        }
    }

    fn day_and_time(&self, at: jiff::Timestamp) -> Safe {
        safe!("{} {}", clock::day(at, &self.zone()), clock::time_of_day(at, &self.zone()))
    }

    /// The row that a copy is about.
    pub(super) fn row_to_copy(&self) -> Option<Standing> {
        if self.shows_changes() {
            return Some(self.changes.selected()?.standing().clone());
        }
        if self.shows_groups() {
            return match &self.group_pane()?.selected()?.kind {
                Kind::Broken { row, .. } => Some(row.clone()),
                _ => None,
            };
        }
        Some(self.anchor_here()?.standing().clone())
    }

    pub(super) fn open_changes(&mut self) -> Vec<Effect> {
        let words = if self.scope == Scope::All { self.need_everything_or_say() } else { None };
        match words.or_else(|| self.changes_as_of().map(|words| safe!("changes are {}", words))) {
            Some(_) if self.is_cache_compared() => vec![Effect::Draw],
            Some(words) => self.warn(words),
            None => vec![Effect::Draw],
        }
    }

    /// Compares, when that is looked at and one of the sides is another one.
    pub(super) fn find_changes(&mut self) -> Vec<Effect> {
        if !self.shows_changes() {
            return Vec::new();
        }
        let Some((later, after)) = self.later() else {
            self.changes.wish_for_nothing();
            return Vec::new();
        };
        let (basis, Some(before)) = self.basis() else {
            return if later == Later::Cached { self.find_earlier() } else { Vec::new() };
        };
        let kind = match basis {
            Basis::LastLook => 0,
            Basis::Start => 1,
            Basis::Snapshot(snapshot, _) => snapshot.sequence.saturating_add(2),
        };
        let wish = Comparison {
            basis: (before.at, kind),
            later,
            filter: self.filter.applied().to_owned(),
            knowledge: self.knowledge(),
        };
        let (before, after) = (before.rows.clone(), after.rows.clone());
        let is_known = !self.filter.query().asks_for_findings() || self.is_judged();
        if !self.changes.wish(wish) || !is_known {
            return Vec::new();
        }
        let sides = Sides { before, after, query: self.filter.query().clone(), facts: self.facts() };
        let effects = self.run(Task::Differences(Box::new(sides)));
        self.changes.wait(self.jobs.started);
        effects
    }

    /// Finds what the cache is compared with, once.
    fn find_earlier(&mut self) -> Vec<Effect> {
        match (&self.changes.earlier, self.setup.store.clone()) {
            (Earlier::NotAsked, Some(store)) => {
                self.changes.earlier = Earlier::Asked;
                let layout = self.past_layout();
                self.run(Task::OpenEarlier { store, layout })
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn opened_earlier(&mut self, found: Option<(Snapshot, Arc<Past>)>) -> Vec<Effect> {
        self.changes.earlier = match found {
            Some((snapshot, past)) => Earlier::Here(Basis::Snapshot(snapshot, past)),
            None => Earlier::Nothing,
        };
        vec![Effect::Draw]
    }

    /// What is known of that which the filter asks for.
    fn knowledge(&self) -> Knowledge {
        let query = self.filter.query();
        Knowledge {
            verdicts: query.asks_for_findings().then(|| self.verdicts().number()),
            probes: query.asks_for_probes().then(|| self.probes.known.version()),
            flags: query.asks_for_flags().then_some(self.changes.flags),
        }
    }

    pub(super) fn take_changes(&mut self, job: u64, changes: Arc<Changes>) -> Vec<Effect> {
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
    pub(super) fn ask_for(&mut self, ids: Vec<WebhookId>) -> Vec<Effect> {
        if ids.is_empty() {
            return Vec::new();
        }
        self.jobs.started += 1;
        vec![Effect::Ask(Question { number: self.jobs.started, ids })]
    }

    pub(super) fn take_fates(&mut self, fates: Vec<(Box<str>, Fate)>) -> Vec<Effect> {
        self.changes.learn(fates);
        let mut effects = vec![Effect::Draw];
        effects.extend(self.confirm_removed());
        effects
    }

    /// Describes the change of a webhook. One that is missing from the list counts as removed only once the API answers 404.
    pub fn change_in_words(&self, change: Change, id: &str) -> Safe {
        match (change, self.changes.fate_of(id)) {
            (Change::Gone, Some(Fate::Gone)) => "removed (the API answers 404)".into(),
            (Change::Gone, Some(Fate::There)) => "missing from the list, but the API still has it".into(),
            (Change::Gone, Some(Fate::Unknown(why))) => safe!("missing from the list, removal unconfirmed: {}", why),
            _ => change.words().into(),
        }
    }

    /// Performs an action in the view of changes. Returns `None` if the action is the same in all views.
    pub(super) fn perform_in_changes(&mut self, action: Action) -> Option<Vec<Effect>> {
        if !self.shows_changes() {
            return None;
        }
        let screenful = i64::from(self.change_lines().max(1));
        Some(match action {
            Action::MoveDown => self.move_in_changes(1),
            Action::MoveUp => self.move_in_changes(-1),
            Action::HalfPageDown => self.move_in_changes((screenful / 2).max(1)),
            Action::HalfPageUp => self.move_in_changes(-(screenful / 2).max(1)),
            Action::PageDown => self.move_in_changes(screenful),
            Action::PageUp => self.move_in_changes(-screenful),
            Action::First => self.move_in_changes(i64::MIN),
            Action::Last => self.move_in_changes(i64::MAX),
            Action::Open => self.open_change(),
            Action::Sort | Action::ReverseSort => self.list_bases(),
            Action::Probe => self.probe_change(),
            Action::ProbeAll => self.probe_changes(),
            Action::Mark | Action::MarkAll | Action::Export => {
                let key = self.setup.keymap.key(Action::ViewWebhooks).unwrap_or_default();
                self.inform(safe!("not available in this view; {} shows the webhooks", key))
            }
            _ => return None,
        })
    }

    /// Probes the destination of the selected change.
    fn probe_change(&mut self) -> Vec<Effect> {
        match self.changes.selected().and_then(Entry::row).map(|row| Origin::of_text(row.url())) {
            Some(Some(origin)) => self.probe(vec![origin]),
            Some(None) => self.warn("cannot probe: not a valid http or https URL"),
            None => self.warn("no change selected, nothing to probe"),
        }
    }

    /// Probes the destinations of all changes that are shown.
    fn probe_changes(&mut self) -> Vec<Effect> {
        if self.changes.is_empty() {
            return self.warn("no changes, nothing to probe");
        }
        let webhooks = self.changes.found().map(|found| found.entries.iter().map(Entry::standing).cloned().collect());
        self.gather(Task::GatherOf { webhooks: webhooks.unwrap_or_default(), most: MAX_AT_A_TIME })
    }

    fn move_in_changes(&mut self, rows: i64) -> Vec<Effect> {
        if self.focus == Focus::Detail {
            return self.scroll_change(rows);
        }
        self.move_selected_change(rows)
    }

    pub(super) fn move_selected_change(&mut self, rows: i64) -> Vec<Effect> {
        let moved = self.changes.go(|cursor, len| cursor.move_by(rows, len));
        if moved {
            self.moves.press(self.now.instant);
        }
        draw_if(moved)
    }

    /// Shows the webhook as it is. One that is not listed any more is shown as it was.
    fn open_change(&mut self) -> Vec<Effect> {
        match self.changes.selected() {
            Some(Entry::Removed(_)) => self.set_focus(Focus::Detail),
            Some(entry) => {
                let terms = format!("id:={}", quote(entry.id()));
                self.show_webhooks(terms, None)
            }
            None => Vec::new(),
        }
    }

    /// The lines about the selected change.
    pub fn change_in_lines(&self, max: usize) -> Vec<Vec<crate::tui::terminal::canvas::Piece>> {
        let Some(entry) = self.changes.selected() else { return Vec::new() };
        let moved = self.changes.found().and_then(|found| found.moved.get(entry.id())).map(|id| &**id);
        change_detail::lines(entry, self.changes.fate(entry), moved, &self.detail_style(), max)
    }

    pub(super) fn scroll_change(&mut self, lines: i64) -> Vec<Effect> {
        let height = usize::from(self.layout().panes.detail().height);
        let wanted = self.changes.scroll.saturating_add_signed(isize::try_from(lines).unwrap_or(if lines < 0 {
            isize::MIN
        } else {
            isize::MAX
        }));
        let there = self.change_in_lines(wanted.saturating_add(height)).len();
        let scroll = wanted.min(there.saturating_sub(height));
        let moved = scroll != self.changes.scroll;
        self.changes.scroll = scroll;
        draw_if(moved)
    }

    /// Lines of changes on screen: one is their title.
    pub fn change_lines(&self) -> u16 {
        self.layout().panes.list().height.saturating_sub(1)
    }

    pub(super) fn fit_changes(&mut self) {
        let height = self.change_lines();
        self.changes.fit(height);
    }

    /// Finds what can be compared with.
    fn list_bases(&mut self) -> Vec<Effect> {
        match self.setup.store.clone() {
            Some(store) => self.run(Task::Histories(store)),
            None => self.choose_basis(Vec::new()),
        }
    }

    pub(super) fn choose_basis(&mut self, snapshots: Vec<Snapshot>) -> Vec<Effect> {
        if !self.shows_changes() || !matches!(self.overlay, Overlay::None) {
            return Vec::new();
        }
        let choices = self.choices(snapshots);
        if choices.is_empty() {
            return self.inform("nothing to compare with yet");
        }
        let current = choices.iter().position(|choice| choice.is_current).unwrap_or_default();
        let picker = Picker::new(&choices, current);
        self.overlay = Overlay::Bases(Bases { choices, picker });
        vec![Effect::Draw]
    }

    /// The baselines, with the snapshots the newest first.
    fn choices(&self, snapshots: Vec<Snapshot>) -> Vec<BasisChoice> {
        let age = |at| clock::recent_age_in_words(at, self.now.wall);
        let dot = self.setup.glyphs.dot;
        let (basis, _) = self.basis();
        let mut choices = Vec::new();
        if let Some(past) = self.memory.last_look().filter(|_| !self.is_cache_compared()) {
            let beside = safe!("{} {} {}", age(past.at), dot, self.day_and_time(past.at));
            let is_current = matches!(basis, Basis::LastLook);
            choices.push(BasisChoice { chosen: Chosen::LastLook, name: "you last looked".into(), beside, is_current });
        }
        if let Some(past) = self.memory.first() {
            let beside = safe!("{} {} {}", age(past.at), dot, self.day_and_time(past.at));
            let is_current = matches!(basis, Basis::Start);
            choices.push(BasisChoice { chosen: Chosen::Start, name: "startup".into(), beside, is_current });
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
            let is_current = matches!(basis, Basis::Snapshot(current, _) if *current == snapshot);
            BasisChoice { name: self.day_and_time(snapshot.at), chosen: Chosen::Snapshot(snapshot), beside, is_current }
        }));
        choices
    }

    pub(super) fn key_in_bases(&mut self, event: KeyEvent) -> Vec<Effect> {
        let action = self.setup.keymap.action(Key::from(event));
        let Overlay::Bases(Bases { choices, picker }) = &mut self.overlay else { return Vec::new() };
        let chosen = match picker.key(event, action, choices) {
            Picked::Nothing => return Vec::new(),
            Picked::Changed => return vec![Effect::Draw],
            Picked::Closed => return self.close_overlay(),
            Picked::Chosen(at) => at,
        };
        let chosen = choices.get(chosen).map(|choice| choice.chosen.clone());
        self.overlay = Overlay::None;
        let mut effects = vec![Effect::Draw];
        match chosen {
            None => {}
            Some(Chosen::LastLook) => self.changes.basis = Basis::LastLook,
            Some(Chosen::Start) => self.changes.basis = Basis::Start,
            Some(Chosen::Snapshot(snapshot)) => {
                let layout = self.past_layout();
                effects.extend(self.run(Task::Open { snapshot, layout }));
            }
        }
        effects
    }

    pub(super) fn opened(&mut self, snapshot: Snapshot, past: Option<Arc<Past>>) -> Vec<Effect> {
        match past {
            Some(past) => {
                self.changes.basis = Basis::Snapshot(snapshot, past);
                vec![Effect::Draw]
            }
            None => self.warn("this snapshot can no longer be read"),
        }
    }
}
