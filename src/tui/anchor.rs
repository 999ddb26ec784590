//! The selected row as the user saw it: found again by its id wherever it is, and kept when it is nowhere.

use crate::analysis::rows::{Rows, Standing};
use crate::model::RowRef;

/// A row that is selected, or was when something was opened.
#[derive(Debug, Clone)]
pub struct Anchor {
    row: Standing,
    /// Its number; `None` while it is not among the rows that are here.
    number: Option<u64>,
}

impl Anchor {
    /// The row with a number.
    pub fn at(rows: &Rows, number: u64) -> Option<Self> {
        Some(Self { row: rows.standing(number)?, number: Some(number) })
    }

    /// A row, wherever it is.
    pub fn of(row: Standing, rows: &Rows) -> Self {
        let number = rows.find(&row);
        Self { row, number }
    }

    pub fn number(&self) -> Option<u64> {
        self.number
    }

    pub fn standing(&self) -> &Standing {
        &self.row
    }

    pub fn row(&self) -> Option<RowRef<'_>> {
        self.row.row()
    }

    /// Takes note of a page that came.
    pub fn look_on(&mut self, rows: &Rows, page: u64) {
        if let Some(number) = rows.find_on(page, &self.row) {
            self.number = Some(number);
        }
    }

    /// Takes the row as it is now. One that is not where it was may be listed as removed; other pages tell when they come.
    pub fn renew(&mut self, rows: &Rows) {
        let there = self.number.and_then(|number| rows.standing(number));
        match there.filter(|there| there.row().is_some_and(|row| self.row.is_of(row))) {
            Some(there) => self.row = there,
            None => self.number = rows.find_gone(&self.row),
        }
    }

    /// Looks for the row on every page.
    pub fn find(&mut self, rows: &Rows) {
        self.renew(rows);
        if self.number.is_none() {
            self.number = rows.find(&self.row);
        }
    }
}
