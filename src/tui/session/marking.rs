//! Marks, and the actions that are deferred until all rows are loaded.

use std::sync::Arc;

use super::deferred::DeferredAction;
use super::loading::LoadAll;
use super::state::Session;
use crate::model::Scope;
use crate::tui::jobs::{ChosenRows, Task};
use crate::tui::message::{Effect, draw_if, warn};

impl Session {
    /// Marks a webhook, or removes its mark.
    pub fn toggle_mark(&mut self, id: &str) {
        let marks = Arc::make_mut(&mut self.marks);
        if !marks.remove(id) {
            marks.insert(id);
        }
        self.flagged_anew();
    }

    /// Marks all listed webhooks, or unmarks them if all are marked.
    pub fn mark_all_now(&mut self) -> Vec<Effect> {
        let rows = self.chosen_of_shown();
        self.mark_all_of(rows)
    }

    pub fn mark_all_of(&mut self, rows: ChosenRows) -> Vec<Effect> {
        self.jobs.run(Task::MarkAll { rows, marks: Arc::clone(&self.marks), is_of_all: self.load.scope == Scope::All })
    }

    /// The webhooks of a copy, an export or a probe: the marked ones, otherwise the listed ones.
    pub fn chosen(&self) -> ChosenRows {
        let only = (!self.marks.is_empty()).then(|| Arc::clone(&self.marks));
        ChosenRows { only, ..self.chosen_of_shown() }
    }

    /// The listed webhooks, regardless of marks.
    pub fn chosen_of_shown(&self) -> ChosenRows {
        ChosenRows { rows: self.list.lines.rows().clone(), order: self.list.lines.order().cloned(), only: None }
    }

    /// Records that marks or unread changes have changed, so that a filter for them is applied again.
    pub fn flagged_anew(&mut self) {
        self.changes.flags += 1;
        if self.filter.query().asks_for_flags() {
            self.filter_sort.ask_again();
        }
    }

    /// The action that waits until all rows are loaded, if any.
    pub fn deferred_action(&self) -> Option<DeferredAction> {
        self.jobs.deferred.keys().next().copied()
    }

    /// Defers an action until all rows are loaded, and loads them if that needs no confirmation. Returns false if they are
    /// loaded.
    pub fn must_wait(&mut self, action: DeferredAction) -> bool {
        self.need_everything();
        let waits = !self.is_settled();
        if waits {
            self.jobs.deferred.insert(action, self.filter.applied().to_owned());
        }
        waits
    }

    /// Returns true if the rows on screen match the request, and no more are being loaded.
    pub fn is_settled(&self) -> bool {
        self.load.all == LoadAll::No && self.is_up_to_date()
    }

    /// Performs the deferred actions once all rows are loaded, or warns that they were not performed.
    pub fn do_deferred(&mut self) -> Vec<Effect> {
        let asked = self.jobs.deferred.len();
        self.jobs.deferred.retain(|_, filter| filter == self.filter.applied());
        if self.jobs.deferred.len() < asked {
            return warn("the filter changed: nothing marked or probed");
        }
        if self.jobs.deferred.is_empty() || !self.is_settled() {
            return Vec::new();
        }
        let is_complete = self.list.lines.is_complete();
        let mut effects = draw_if(true);
        for action in std::mem::take(&mut self.jobs.deferred).into_keys() {
            effects.extend(match action {
                DeferredAction::Mark if is_complete => self.mark_all_now(),
                DeferredAction::Mark => warn("nothing marked: not all webhooks are loaded"),
                DeferredAction::Probe if is_complete => self.gather_shown(),
                DeferredAction::Probe => warn("nothing probed: not all webhooks are loaded"),
            });
        }
        effects
    }
}
