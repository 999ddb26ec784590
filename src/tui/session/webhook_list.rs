//! The list of webhooks: the listing as the lines of a [`ListPane`]. The selected row is found by its id, and stays on
//! screen if no page contains it.

use std::ops::Range;

use super::listing::{Cell, Listing};
use crate::fetch::RowCount;
use crate::model::RowRef;
use crate::model::{OwnedRow, Rows};
use crate::tui::list_pane::{LineKey, Lines, ListPane, Shown};

/// A row that is selected, or was when something was opened.
#[derive(Debug, Clone)]
pub struct Anchor {
    row: OwnedRow,
    /// Its number; `None` while it is not among the loaded rows.
    number: Option<u64>,
}

impl Anchor {
    /// The row with a number, if it is loaded.
    pub fn at(rows: &Rows, number: u64) -> Option<Self> {
        Some(Self { row: rows.owned_row(number)?, number: Some(number) })
    }

    /// A row with its current number, if it is listed.
    pub fn of(row: OwnedRow, rows: &Rows) -> Self {
        let number = rows.find(&row);
        Self { row, number }
    }

    pub fn number(&self) -> Option<u64> {
        self.number
    }

    pub fn owned_row(&self) -> &OwnedRow {
        &self.row
    }

    pub fn row(&self) -> RowRef<'_> {
        self.row.row()
    }

    /// Searches for the row on a page that was just loaded.
    pub fn look_on(&mut self, rows: &Rows, page: u64) {
        if let Some(number) = rows.find_on(page, &self.row) {
            self.number = Some(number);
        }
    }

    /// Updates the row to its current state. If it is no longer at its number, it may be listed as removed, or a page that
    /// is still to be loaded may contain it.
    pub fn renew(&mut self, rows: &Rows) {
        let there = self.number.and_then(|number| rows.owned_row(number));
        match there.filter(|there| self.row.is_version_of(there.row())) {
            Some(there) => self.row = there,
            None => self.number = rows.find_removed(&self.row),
        }
    }

    /// Searches for the row on all pages.
    pub fn find(&mut self, rows: &Rows) {
        self.renew(rows);
        if self.number.is_none() {
            self.number = rows.find(&self.row);
        }
    }
}

impl Lines for Listing {
    type Line = Anchor;

    fn count(&self) -> u64 {
        self.len()
    }

    fn line(&self, index: u64) -> Option<Anchor> {
        Anchor::at(self.rows(), self.number(index)?)
    }

    fn find(&self, anchor: &mut Anchor) -> Option<u64> {
        anchor.renew(self.rows());
        self.index_of(anchor.number?)
    }

    fn is_at(&self, index: u64, anchor: &mut Anchor) -> bool {
        anchor.renew(self.rows());
        anchor.number.is_some() && self.number(index) == anchor.number
    }

    fn key(anchor: &Anchor, place: u64) -> LineKey {
        let row = anchor.row();
        if row.is_webhook() { LineKey::Webhook(row.id().into()) } else { LineKey::Malformed(place) }
    }

    fn is_end_known(&self) -> bool {
        matches!(self.extent(), RowCount::Exactly(_)) || self.order().is_some()
    }
}

impl ListPane<Listing> {
    /// The number of the row at a place.
    pub fn number(&self, place: u64) -> Option<u64> {
        match self.shown(place) {
            Shown::Held(anchor) => anchor.number,
            Shown::Listed(index) => self.lines.number(index),
        }
    }

    /// The row at a place, or the reason why there is none.
    pub fn cell(&self, place: u64) -> Cell<'_> {
        match self.shown(place) {
            Shown::Held(Anchor { row, number: None }) => Cell::Left(row.row()),
            Shown::Held(Anchor { number: Some(number), .. }) => self.lines.cell_of(*number),
            Shown::Listed(index) => self.lines.cell(index),
        }
    }

    pub fn row(&self, place: u64) -> Option<RowRef<'_>> {
        match self.cell(place) {
            Cell::Row(row) | Cell::Removed(row) | Cell::Left(row) => Some(row),
            Cell::Loading | Cell::Failed(_) | Cell::Absent => None,
        }
    }

    pub fn selected_row(&self) -> Option<RowRef<'_>> {
        self.row(self.selected())
    }

    /// The id of the selected webhook.
    pub fn selected_id(&self) -> Option<Box<str>> {
        self.selected_row().filter(|row| row.is_webhook()).map(|row| row.id().into())
    }

    /// The existing pages that contain the rows at these places.
    pub fn pages_of(&self, places: &Range<u64>) -> Vec<u64> {
        let held = self.held().filter(|(place, _)| places.contains(place));
        let index = |place| match self.shown(place) {
            Shown::Held(_) => place,
            Shown::Listed(index) => index,
        };
        self.lines.pages_of(&(index(places.start)..index(places.end)), held.and_then(|(_, anchor)| anchor.number))
    }

    /// Returns true if a row is among those shown.
    pub fn lists(&self, anchor: &Anchor) -> bool {
        anchor.number.is_some_and(|number| self.lines.index_of(number).is_some())
    }

    /// Drops a selected row that is no longer in the listing.
    pub fn let_go_of_lost(&mut self) {
        let rows = self.lines.rows().clone();
        if let Some(anchor) = self.anchor_mut() {
            anchor.renew(&rows);
            if anchor.number.is_none() {
                self.let_go();
            }
        }
    }
}
