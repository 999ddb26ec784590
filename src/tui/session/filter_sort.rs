//! The rows that are shown, and their order: what the background thread is asked, and which of its answers count.

use super::webhook_list::Anchor;
use crate::analysis::groups::RowGrouping;
use crate::analysis::sort::Sort;
use crate::model::Scope;
use crate::tui::view_kind::View;

/// The state of filtering and sorting.
#[derive(Debug, Default)]
pub struct FilterSort {
    pub sort: Option<Sort>,
    /// The view that Esc goes back to, the filter that was set there, and the one before it.
    pub came_from: Option<CameFrom>,
    /// The last request.
    pub asked: Option<FilterSortKey>,
    pub epoch: u64,
    /// The epoch of the last whole answer.
    pub answered: u64,
    /// The rows that it was about.
    pub answered_version: u64,
    /// The selection goes to the first row with the next answer.
    pub to_top: bool,
    /// The row that it goes to with the next answer that has it.
    pub to: Option<Anchor>,
    /// The filter and the scope of the rows that are shown.
    pub shown: (String, Option<Scope>),
}

/// The identity of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterSortKey {
    pub filter: String,
    pub scope: Scope,
    pub sort: Option<Sort>,
    pub grouping: Option<RowGrouping>,
    /// Of the rows.
    pub version: u64,
}

impl FilterSort {
    /// Whatever was asked is to be asked anew, and what is still answered of it is not taken.
    pub fn ask_again(&mut self) {
        self.asked = None;
        self.epoch += 1;
    }

    /// The same, for other rows.
    pub fn start_over(&mut self) {
        self.ask_again();
        self.to = None;
    }

    pub fn go_to_top(&mut self) {
        self.to_top = true;
        self.to = None;
    }

    /// Returns true if the next answer is about other rows, and is shown from its top.
    pub fn goes_to_top(&self) -> bool {
        self.to_top
    }

    /// The selection is where somebody put it.
    pub fn stay(&mut self) {
        self.to = None;
    }

    /// The selection goes to this row with the next answer that has it.
    pub fn go_to(&mut self, row: Anchor) {
        self.to = Some(row);
    }
}

/// The origin of a filter that a group set.
#[derive(Debug)]
pub struct CameFrom {
    pub view: View,
    pub set: String,
    pub before: String,
}
