//! The state of filtering and sorting: the requests to the background thread, and which of its answers count.

use super::webhook_list::Anchor;
use crate::analysis::groups::RowGrouping;
use crate::analysis::sort::Sort;
use crate::model::Scope;
use crate::tui::view_kind::View;

/// The state of filtering and sorting.
#[derive(Debug, Default)]
pub struct FilterSort {
    pub sort: Option<Sort>,
    /// The view that Esc returns to, with the filter that was set there and the one before it.
    pub came_from: Option<CameFrom>,
    /// The last request.
    pub asked: Option<FilterSortKey>,
    pub epoch: u64,
    /// The epoch of the last complete answer.
    pub answered: u64,
    /// The version of its rows.
    pub answered_version: u64,
    /// True if the next answer moves the selection to the first row.
    pub to_top: bool,
    /// The row to select with the next answer that contains it.
    pub to: Option<Anchor>,
    /// The filter and the scope of the rows on screen.
    pub shown: (String, Option<Scope>),
}

/// The identity of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterSortKey {
    pub filter: String,
    pub scope: Scope,
    pub sort: Option<Sort>,
    pub grouping: Option<RowGrouping>,
    /// The version of the rows.
    pub version: u64,
}

impl FilterSort {
    /// Repeats the request. Answers to the earlier one no longer count.
    pub fn ask_again(&mut self) {
        self.asked = None;
        self.epoch += 1;
    }

    /// As [`Self::ask_again`], for different rows.
    pub fn start_over(&mut self) {
        self.ask_again();
        self.to = None;
    }

    pub fn go_to_top(&mut self) {
        self.to_top = true;
        self.to = None;
    }

    /// Returns true if the next answer moves the selection to the first row.
    pub fn goes_to_top(&self) -> bool {
        self.to_top
    }

    /// Keeps the selection, since the user has moved it.
    pub fn stay(&mut self) {
        self.to = None;
    }

    /// Selects this row with the next answer that contains it.
    pub fn go_to(&mut self, row: Anchor) {
        self.to = Some(row);
    }
}

/// The origin of a filter that was set from a group.
#[derive(Debug)]
pub struct CameFrom {
    pub view: View,
    pub set: String,
    pub before: String,
}
