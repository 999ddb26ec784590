//! The filter: what is typed, what of it counts, and what was typed before.

use jiff::Timestamp;

use super::webhook_list::Anchor;
use crate::analysis::query::{Query, QueryError};
use crate::tui::cursor::Cursor;
use crate::tui::prompt::Prompt;

/// Filters that are remembered.
pub const MAX_HISTORY: usize = 100;

/// The filter of the list.
#[derive(Debug, Default)]
pub struct Filter {
    /// The last text that made sense, and what it means: it stays in effect while another one is typed that does not.
    applied: String,
    query: Query,
    prompt: Prompt,
    /// The error in the typed text.
    error: Option<QueryError>,
    history: Vec<String>,
    /// How far back in the history the prompt shows, from 1; and what was typed before that.
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

    /// Takes the filters of earlier times, the newest last.
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

    /// Begins to type, with what is in effect; behind it when somebody else put that there.
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

    /// The selection is where somebody put it while typing.
    pub fn stay(&mut self) {
        self.start = None;
    }

    /// The selection to restore when typing is canceled.
    pub fn start(&self) -> Option<FilterStart> {
        self.start.clone()
    }

    /// Takes what is typed, if it makes sense. Whether something else is in effect now.
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

    /// Reads what is in effect again: an age is one of now.
    pub fn renew(&mut self, now: Timestamp) {
        if let Ok(query) = Query::parse(&self.applied, now) {
            self.query = query;
        }
    }

    /// Puts a text in effect, as if it had been typed.
    pub fn set(&mut self, text: &str, now: Timestamp) -> bool {
        self.prompt = Prompt::new(text);
        self.take(now)
    }

    /// No filter. Whether there was one.
    pub fn clear(&mut self) -> bool {
        let had = !self.applied.is_empty() || !self.prompt.text().is_empty();
        *self = Self { history: std::mem::take(&mut self.history), home: self.home.take(), ..Self::default() };
        had
    }

    /// Remembers what is in effect, as the newest of the history. Whether that is new.
    pub fn remember(&mut self) -> bool {
        if self.applied.trim().is_empty() || self.history.last() == Some(&self.applied) {
            return false;
        }
        self.history.retain(|text| *text != self.applied);
        self.history.push(self.applied.clone());
        self.history.drain(..self.history.len().saturating_sub(MAX_HISTORY));
        true
    }

    /// Shows an older text of the history, or with a negative number a newer one.
    pub fn go_back(&mut self, steps: isize) {
        if self.back == 0 {
            self.prompt.text().clone_into(&mut self.draft);
        }
        self.back = self.back.saturating_add_signed(steps).min(self.history.len());
        let shown = self.back.checked_sub(1).and_then(|back| self.history.iter().rev().nth(back));
        self.prompt = Prompt::new(shown.unwrap_or(&self.draft));
    }
}
