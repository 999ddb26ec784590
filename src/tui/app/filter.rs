//! Typing a filter.

use super::{App, Effect, Focus, KeyCode, KeyEvent, Overlay, draw_if};
use crate::tui::filter::Start;

impl App {
    pub(super) fn open_filter(&mut self) -> Vec<Effect> {
        let start = Start { row: self.anchor_here(), cursor: self.cursor };
        self.filter.open(start, self.way_back().is_some());
        self.overlay = Overlay::Filter;
        self.focus = Focus::List;
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
            KeyCode::Up => self.filter.go_back(1),
            KeyCode::Down => self.filter.go_back(-1),
            KeyCode::PageDown => return self.page_in_filter(page),
            KeyCode::PageUp => return self.page_in_filter(-page),
            KeyCode::Backspace if self.filter.prompt().text().is_empty() => return self.keep_filter(),
            _ => {
                if !self.filter.prompt_mut().edit(event) {
                    return Vec::new();
                }
            }
        }
        self.apply_filter();
        vec![Effect::Draw]
    }

    pub(super) fn type_into_filter(&mut self, text: &str) -> Vec<Effect> {
        self.filter.prompt_mut().insert(text);
        self.apply_filter();
        vec![Effect::Draw]
    }

    /// Puts what is typed in effect, as far as it makes sense.
    fn apply_filter(&mut self) {
        if self.filter.take(self.now.wall) {
            self.filter_changed();
        }
    }

    pub(super) fn filter_changed(&mut self) {
        if self.filter.query().is_empty() {
            return;
        }
        if self.filter.query().asks_for_flags() {
            self.settle_news();
        }
        self.arranging.go_to_top();
        self.need_everything();
    }

    fn page_in_filter(&mut self, rows: i64) -> Vec<Effect> {
        self.filter.stay();
        self.go(rows)
    }

    /// Closes the input and shows all rows again, from where typing began.
    fn give_up_filter(&mut self) {
        self.overlay = Overlay::None;
        let start = self.filter.start();
        if !self.filter.clear() {
            return;
        }
        let Some(Start { row, cursor }) = start else { return };
        let Some(row) = row else {
            self.let_go();
            self.cursor = cursor;
            return;
        };
        self.arranging.go_to(row);
        if self.is_arranged() {
            return;
        }
        self.cursor = cursor;
        self.show(None);
    }

    /// Closes the input; what makes sense of it stays in effect.
    fn keep_filter(&mut self) -> Vec<Effect> {
        if self.filter.error().is_some() {
            // It is shown what is wrong; closing would hide that something else is in effect.
            return Vec::new();
        }
        self.overlay = Overlay::None;
        let mut effects = vec![Effect::Draw];
        if self.filter.remember() {
            effects.push(Effect::Remember(self.filter.history().to_vec()));
        }
        if let Some(words) = (!self.filter.query().is_empty()).then(|| self.need_everything_or_say()).flatten() {
            effects.extend(self.warn(words));
        }
        effects
    }

    /// Shows all rows again. The selected webhook stays selected.
    pub(super) fn clear_filter(&mut self) -> Vec<Effect> {
        draw_if(self.filter.clear())
    }
}
