//! The view of changes: its keys, and the choice of the baseline.

use crate::analysis::changes::ChangeEntry;
use crate::analysis::destinations::Origin;
use crate::analysis::groups::GroupKind;
use crate::analysis::query::quote;
use crate::cache::Snapshot;
use crate::keymap::Action;
use crate::model::OwnedRow;
use crate::model::Scope;
use crate::safe;
use crate::tui::app::App;
use crate::tui::jobs::Task;
use crate::tui::message::Effect;
use crate::tui::picker::Picker;
use crate::tui::session::changes::{Baseline, BaselineChoice};
use crate::tui::session::probing::MAX_AT_A_TIME;
use crate::tui::ui::{Focus, Overlay};
use crate::tui::view_kind::View;

impl App {
    /// Returns true if the view of changes has two listings to compare.
    pub fn has_changes(&self) -> bool {
        self.ui.view == View::Changes && self.session.later().is_some()
    }

    /// The time whose age is shown above the changes.
    pub(super) fn changes_since(&self) -> Option<jiff::Timestamp> {
        match self.session.basis() {
            (Baseline::LastLook | Baseline::Snapshot(..), Some(past)) if self.has_changes() => Some(past.read_at),
            _ => None,
        }
    }

    /// The row to copy.
    pub(super) fn row_to_copy(&self) -> Option<OwnedRow> {
        if self.ui.view == View::Changes {
            return Some(self.session.changes.selected()?.owned_row().clone());
        }
        if let Some(groups) = self.group_pane() {
            return match &groups.selected()?.kind {
                GroupKind::RowFinding { row, .. } => Some(row.clone()),
                _ => None,
            };
        }
        Some(self.session.list.selected_line()?.owned_row().clone())
    }

    /// Loads all rows for the comparison, or warns that some are missing.
    pub fn open_changes(&mut self) -> Vec<Effect> {
        let (session, cx) = self.split();
        let words = if session.load.scope == Scope::All { session.need_everything_or_say(cx) } else { None };
        match words.or_else(|| session.changes_as_of(cx).map(|words| safe!("changes are {}", words))) {
            Some(_) if session.is_cache_compared() => vec![Effect::Draw],
            Some(words) => self.warn(words),
            None => vec![Effect::Draw],
        }
    }

    /// Performs an action in the view of changes. Returns `None` if the action is the same in all views.
    pub fn perform_in_changes(&mut self, action: Action) -> Option<Vec<Effect>> {
        Some(match action {
            Action::Open => self.open_change(),
            Action::Sort | Action::ReverseSort => self.list_baselines(),
            Action::Probe => self.probe_change(),
            Action::ProbeAll => self.probe_changes(),
            Action::Mark | Action::MarkAll | Action::Export => self.refuse_in_view(),
            _ => return None,
        })
    }

    /// Probes the destination of the selected change.
    fn probe_change(&mut self) -> Vec<Effect> {
        match self.session.changes.selected().map(ChangeEntry::row).map(|row| Origin::of_text(row.url())) {
            Some(Some(origin)) => self.in_session(|session, cx| session.probe(cx, vec![origin])),
            Some(None) => self.warn("cannot probe: not a valid http or https URL"),
            None => self.warn("no change selected, nothing to probe"),
        }
    }

    /// Probes the destinations of all listed changes.
    fn probe_changes(&mut self) -> Vec<Effect> {
        if self.session.changes.is_empty() {
            return self.warn("no changes, nothing to probe");
        }
        let webhooks =
            self.session.changes.found().map(|found| found.entries.iter().map(ChangeEntry::owned_row).cloned().collect());
        self.session.gather(Task::GatherOf { webhooks: webhooks.unwrap_or_default(), most: MAX_AT_A_TIME })
    }

    /// Shows the webhook in the list. One that is no longer listed is shown in its last state.
    fn open_change(&mut self) -> Vec<Effect> {
        match self.session.changes.selected() {
            Some(ChangeEntry::Removed(_)) => self.set_focus(Focus::Detail),
            Some(entry) => {
                let terms = format!("id:={}", quote(entry.id()));
                self.show_webhooks(terms, None)
            }
            None => Vec::new(),
        }
    }

    /// Lists the baselines.
    fn list_baselines(&mut self) -> Vec<Effect> {
        match self.session.workspace.store.clone() {
            Some(store) => self.session.jobs.run(Task::Histories(store)),
            None => self.choose_baseline(Vec::new()),
        }
    }

    pub(super) fn choose_baseline(&mut self, snapshots: Vec<Snapshot>) -> Vec<Effect> {
        if self.ui.view != View::Changes || !matches!(self.ui.overlay, Overlay::None) {
            return Vec::new();
        }
        let choices = self.session.baselines(self.context(), snapshots);
        if choices.is_empty() {
            return self.inform("nothing to compare with yet");
        }
        self.open_overlay(Overlay::Baselines(Picker::list(choices)))
    }

    /// Compares with another baseline.
    pub(super) fn change_baseline(&mut self, chosen: BaselineChoice) -> Vec<Effect> {
        let mut effects = vec![Effect::Draw];
        match chosen {
            BaselineChoice::LastLook => self.session.changes.basis = Baseline::LastLook,
            BaselineChoice::Start => self.session.changes.basis = Baseline::Start,
            BaselineChoice::Snapshot(snapshot) => {
                let layout = self.session.past_layout();
                effects.extend(self.session.jobs.run(Task::Open { snapshot, layout }));
            }
        }
        effects
    }
}
