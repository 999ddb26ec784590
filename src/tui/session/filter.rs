//! The filter: its text, the query in effect, and the history.

use jiff::Timestamp;

use super::webhook_list::Anchor;
use crate::analysis::query::{Query, QueryError};
use crate::tui::cursor::Cursor;
use crate::tui::prompt::Prompt;

/// The most filters in the history.
pub const MAX_HISTORY: usize = 100;

/// The filter of the list.
#[derive(Debug, Default)]
pub struct Filter {
    /// The last valid text, and its query. They stay in effect while an invalid text is typed.
    applied: String,
    query: Query,
    prompt: Prompt,
    /// The error in the typed text.
    error: Option<QueryError>,
    history: Vec<String>,
    /// The position in the history, from 1 for the newest, and the text that was typed before.
    back: usize,
    draft: String,
    /// The row that was selected when the filter was opened.
    home: Option<Anchor>,
    /// The selection at the start of typing, restored when typing is canceled.
    start: Option<FilterStart>,
}

/// A selected row and the place of the list in which it was selected.
#[derive(Debug, Clone)]
pub struct FilterStart {
    /// `None` while it is not loaded.
    pub row: Option<Anchor>,
    pub cursor: Cursor,
}

impl Filter {
    pub fn with_history(history: Vec<String>) -> Self {
        Self { history, ..Self::default() }
    }

    /// Sets the history, the newest filter last.
    pub fn recall(&mut self, history: Vec<String>) {
        self.history = history;
    }

    /// The filter in effect; empty for none.
    pub fn applied(&self) -> &str {
        &self.applied
    }

    pub fn query(&self) -> &Query {
        &self.query
    }

    pub fn prompt(&self) -> &Prompt {
        &self.prompt
    }

    pub fn prompt_mut(&mut self) -> &mut Prompt {
        self.back = 0;
        &mut self.prompt
    }

    pub fn error(&self) -> Option<&QueryError> {
        self.error.as_ref()
    }

    pub fn history(&self) -> &[String] {
        &self.history
    }

    /// The row that was selected when the filter was opened.
    pub fn home(&self) -> Option<&Anchor> {
        self.home.as_ref()
    }

    /// Opens the prompt with the filter in effect. A space follows it if the user did not type it.
    pub fn open(&mut self, start: FilterStart, is_others: bool) {
        if self.applied.is_empty() {
            self.home.clone_from(&start.row);
        }
        self.start = Some(start);
        self.prompt = Prompt::new(&self.applied);
        if is_others && !self.applied.is_empty() {
            self.prompt.insert(" ");
        }
        self.error = None;
        self.back = 0;
    }

    /// Keeps the selection when typing is canceled, since the user has moved it.
    pub fn stay(&mut self) {
        self.start = None;
    }

    /// The selection to restore when typing is canceled.
    pub fn start(&self) -> Option<FilterStart> {
        self.start.clone()
    }

    /// Applies the typed text if it is valid. Returns true if the filter changed.
    pub fn take(&mut self, now: Timestamp) -> bool {
        match Query::parse(self.prompt.text(), now) {
            Ok(query) => {
                self.error = None;
                let is_other = self.applied != self.prompt.text();
                self.prompt.text().clone_into(&mut self.applied);
                self.query = query;
                is_other
            }
            Err(error) => {
                self.error = Some(error);
                false
            }
        }
    }

    /// Parses the filter again, since ages in it are relative to now.
    pub fn renew(&mut self, now: Timestamp) {
        if let Ok(query) = Query::parse(&self.applied, now) {
            self.query = query;
        }
    }

    /// Applies a text as if it had been typed. Returns true if the filter changed.
    pub fn set(&mut self, text: &str, now: Timestamp) -> bool {
        self.prompt = Prompt::new(text);
        self.take(now)
    }

    /// Removes the filter. Returns true if there was one.
    pub fn clear(&mut self) -> bool {
        let had = !self.applied.is_empty() || !self.prompt.text().is_empty();
        *self = Self { history: std::mem::take(&mut self.history), home: self.home.take(), ..Self::default() };
        had
    }

    /// Adds the filter to the history, as the newest. Returns true if it was not the newest already.
    pub fn remember(&mut self) -> bool {
        if self.applied.trim().is_empty() || self.history.last() == Some(&self.applied) {
            return false;
        }
        self.history.retain(|text| *text != self.applied);
        self.history.push(self.applied.clone());
        self.history.drain(..self.history.len().saturating_sub(MAX_HISTORY));
        true
    }

    /// Shows an older text of the history, or a newer one if negative.
    pub fn go_back(&mut self, steps: isize) {
        if self.back == 0 {
            self.prompt.text().clone_into(&mut self.draft);
        }
        self.back = self.back.saturating_add_signed(steps).min(self.history.len());
        let shown = self.back.checked_sub(1).and_then(|back| self.history.iter().rev().nth(back));
        self.prompt = Prompt::new(shown.unwrap_or(&self.draft));
    }
}
