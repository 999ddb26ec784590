//! Typing a filter.

use crossterm::event::{KeyCode, KeyEvent};

use crate::tui::app::App;
use crate::tui::list_pane::{Motion, ViewList as _};
use crate::tui::message::{Effect, draw_if};
use crate::tui::session::Session;
use crate::tui::session::filter::FilterStart;
use crate::tui::ui::{Focus, Overlay};

impl App {
    pub(super) fn open_filter(&mut self) -> Vec<Effect> {
        let start = FilterStart { row: self.session.list.selected_line(), cursor: self.session.list.cursor() };
        self.session.filter.open(start, self.way_back().is_some());
        self.ui.overlay = Overlay::Filter;
        self.ui.focus = Focus::List;
        vec![Effect::Draw]
    }

    pub(super) fn key_in_filter(&mut self, event: KeyEvent) -> Vec<Effect> {
        let page = i64::from(self.list_height().max(1));
        match event.code {
            KeyCode::Esc => {
                self.give_up_filter();
                return vec![Effect::Draw];
            }
            KeyCode::Enter => return self.keep_filter(),
            KeyCode::Up => self.session.filter.go_back(1),
            KeyCode::Down => self.session.filter.go_back(-1),
            KeyCode::PageDown => return self.page_in_filter(page),
            KeyCode::PageUp => return self.page_in_filter(-page),
            KeyCode::Backspace if self.session.filter.prompt().text().is_empty() => return self.keep_filter(),
            _ => {
                if !self.session.filter.prompt_mut().edit(event) {
                    return Vec::new();
                }
            }
        }
        self.apply_filter();
        vec![Effect::Draw]
    }

    pub(super) fn type_into_filter(&mut self, text: &str) -> Vec<Effect> {
        self.session.filter.prompt_mut().insert(text);
        self.apply_filter();
        vec![Effect::Draw]
    }

    /// Applies the typed filter, if it is valid.
    fn apply_filter(&mut self) {
        if self.session.filter.take(self.now.wall) {
            self.filter_changed();
        }
    }

    pub(super) fn filter_changed(&mut self) {
        if self.session.filter.query().is_empty() {
            return;
        }
        if self.session.filter.query().asks_for_flags() {
            self.session.settle_news();
        }
        self.session.filter_sort.go_to_top();
        self.session.need_everything();
    }

    fn page_in_filter(&mut self, rows: i64) -> Vec<Effect> {
        self.session.filter.stay();
        self.go(Motion::By(rows))
    }

    /// Closes the prompt, removes the filter, and restores the selection from the start of typing.
    fn give_up_filter(&mut self) {
        self.ui.overlay = Overlay::None;
        let start = self.session.filter.start();
        if !self.session.filter.clear() {
            return;
        }
        let Some(FilterStart { row, cursor }) = start else { return };
        let Some(row) = row else {
            self.session.list.let_go();
            self.session.list.set_cursor(cursor);
            return;
        };
        self.session.filter_sort.go_to(row);
        if self.session.is_arranged() {
            return;
        }
        self.session.list.set_cursor(cursor);
        self.session.show(None);
    }

    /// Closes the prompt; the last valid filter stays in effect.
    fn keep_filter(&mut self) -> Vec<Effect> {
        if self.session.filter.error().is_some() {
            // The prompt shows the error; closing it would hide that a different filter is in effect.
            return Vec::new();
        }
        self.ui.overlay = Overlay::None;
        let mut effects = vec![Effect::Draw];
        if self.session.filter.remember() {
            effects.push(Effect::Remember(self.session.filter.history().to_vec()));
        }
        if let Some(words) =
            (!self.session.filter.query().is_empty()).then(|| self.in_session(Session::need_everything_or_say)).flatten()
        {
            effects.extend(self.warn(words));
        }
        effects
    }

    /// Shows all rows again. The selected webhook stays selected.
    pub(super) fn clear_filter(&mut self) -> Vec<Effect> {
        draw_if(self.session.filter.clear())
    }
}
