//! The rows on screen: which answers of the background thread to show, and where the selection goes.

use std::sync::Arc;

use super::filter_sort::FilterSortKey;
use super::state::Session;
use super::webhook_list::Anchor;
use crate::analysis::filter_sort::FilterSortResult;
use crate::analysis::query::FilterFacts;
use crate::model::RowNumber;
use crate::tui::list_pane::ViewList as _;

impl Session {
    /// Returns true if the rows are filtered or sorted locally, which needs all of them.
    pub fn is_arranged(&self) -> bool {
        !self.filter.query().is_empty()
            || self.filter_sort.sort.is_some()
            || self.list.lines.kept().is_some()
            || self.list.lines.rows().removed().next().is_some()
    }

    /// Returns true while the rows on screen do not match the request.
    pub fn is_searching(&self) -> bool {
        let waits_for_findings = self.filter.query().asks_for_findings() && !self.is_audited();
        waits_for_findings || self.filter_sort.asked.is_some() && self.filter_sort.answered != self.filter_sort.epoch
    }

    /// Returns true if the rows on screen match the request, and cover all loaded rows.
    pub fn is_up_to_date(&self) -> bool {
        let is_answered = |asked: &FilterSortKey| asked.version == self.filter_sort.answered_version;
        !self.is_searching() && self.filter_sort.asked.as_ref().is_none_or(is_answered)
    }

    /// The facts about webhooks besides their fields.
    pub fn facts(&self) -> FilterFacts {
        let (new, changed, gone) = self.unread.flags();
        let (probed, findings) = (self.probes.known.clone(), Arc::clone(self.findings_index()));
        FilterFacts { marked: Arc::clone(&self.marks), new, changed, gone, probed, findings }
    }

    /// The version of the probe results, or 0 if the filter does not use them, so that new results do not repeat the
    /// request.
    pub fn probes_version(&self) -> u64 {
        if self.filter.query().asks_for_probes() { self.probes.known.version() } else { 0 }
    }

    /// Returns true if the first rows of an answer are to be shown before the rest. They must contain the selected row, and
    /// must not replace a complete answer to the same request.
    pub fn is_welcome(&self, first: &FilterSortResult) -> bool {
        let number = self.list.number(self.list.selected()).and_then(|number| RowNumber::try_from(number).ok());
        let has_selected = number.is_none_or(|number| first.order.contains(&number));
        self.is_searching() && (self.filter_sort.to_top || has_selected)
    }

    /// Shows all rows once they are no longer filtered or sorted.
    pub fn show_all_when_due(&mut self) {
        if self.list.lines.order().is_some() && !self.is_arranged() {
            self.show(None);
        }
    }

    /// Shows these rows. The selection follows its webhook, at the same line of the screen; a different list starts at the
    /// top.
    pub fn show(&mut self, order: Option<FilterSortResult>) {
        let is_whole = order.as_ref().is_none_or(|answer| answer.is_whole);
        let has_nothing = self.list.anchor().is_none() && self.list.is_empty();
        let shown = (self.filter.applied().to_owned(), self.list.lines.kept());
        let is_other_list = std::mem::replace(&mut self.filter_sort.shown, shown.clone()) != shown;
        self.list.lines.arrange(order);
        // Return to the webhook that was selected before the filter, if it is listed.
        if has_nothing && let Some(home) = self.filter.home().filter(|home| self.list.lists(home)) {
            self.list.follow(home.clone());
        }
        let to_top = std::mem::take(&mut self.filter_sort.to_top);
        if let Some(mut wanted) = self.filter_sort.to.take() {
            wanted.find(self.list.lines.rows());
            if self.list.lists(&wanted) || wanted.number().is_none() && !to_top {
                // A webhook that was removed in the meantime is shown at the place of the selection.
                self.list.follow(wanted);
                return self.list.keep(false);
            }
            self.filter_sort.to = Some(wanted).filter(|_| !is_whole);
        }
        if to_top {
            self.list.go_to_top();
        }
        self.list.keep(is_other_list);
    }

    /// Selects a row once it is shown.
    pub fn select_row(&mut self, mut anchor: Anchor) {
        anchor.find(self.list.lines.rows());
        match anchor.number().and_then(|number| self.list.lines.index_of(number)) {
            Some(index) if !self.filter_sort.goes_to_top() => self.list.select(index, anchor),
            _ => self.filter_sort.go_to(anchor),
        }
    }
}
