//! The mouse: a click is about the line that the last frame showed under it, or about nothing.

use ratatui::layout::Rect;

use super::selection::Clicked;
use super::{
    App, Effect, Focus, GroupPane, MouseButton, MouseEvent, MouseEventKind, Overlay, Panes, Position, WHEEL, draw_if,
};

/// The parts of a frame that take clicks.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Parts {
    /// The lines of the view, without their title.
    pub(super) lines: Rect,
    detail: Rect,
}

impl App {
    /// The parts as they are drawn now. What an overlay covers takes no clicks.
    pub(super) fn parts(&self) -> Parts {
        if !matches!(self.overlay, Overlay::None) {
            return Parts::default();
        }
        let layout = self.layout();
        let below_title = |area: Rect, height| Rect { y: area.y.saturating_add(1), height, ..area }.intersection(area);
        if self.shows_groups() {
            return Parts { lines: below_title(layout.body, self.group_lines()), detail: Rect::default() };
        }
        let list = layout.panes.list();
        let lines = if self.shows_changes() { below_title(list, self.change_lines()) } else { list };
        match (layout.panes, self.shows_detail()) {
            (Panes::One { pane }, true) => Parts { lines: Rect::default(), detail: pane },
            (_, true) => Parts { lines, detail: layout.panes.detail() },
            (_, false) => Parts { lines, detail: Rect::default() },
        }
    }

    /// Selects the clicked line, or moves the selection or the detail with the wheel.
    pub(super) fn mouse_event(&mut self, event: MouseEvent) -> Vec<Effect> {
        if !self.mouse || !matches!(self.overlay, Overlay::None) {
            return Vec::new();
        }
        let wheel = match event.kind {
            MouseEventKind::ScrollDown => Some(WHEEL),
            MouseEventKind::ScrollUp => Some(-WHEEL),
            MouseEventKind::Down(MouseButton::Left) => None,
            _ => return Vec::new(),
        };
        let parts = self.parts_of_frame();
        let at = Position::new(event.column, event.row);
        let is_in = |part: fn(Parts) -> Rect| parts.is_some_and(|parts| part(parts).contains(at));
        match wheel {
            Some(rows) if is_in(|parts| parts.detail) => self.scroll_pane(rows),
            Some(rows) => self.move_selected(rows),
            None if is_in(|parts| parts.detail) => self.set_focus(Focus::Detail),
            None if parts.is_none() || is_in(|parts| parts.lines) => self.click(event.row),
            None => Vec::new(),
        }
    }

    fn scroll_pane(&mut self, rows: i64) -> Vec<Effect> {
        if self.shows_changes() { self.scroll_change(rows) } else { self.scroll_detail(rows) }
    }

    fn move_selected(&mut self, rows: i64) -> Vec<Effect> {
        if self.shows_changes() {
            return self.move_selected_change(rows);
        }
        if let Some(pane) = self.shown_groups() {
            return draw_if(pane.go(|cursor, len| cursor.move_by(rows, len)));
        }
        let before = self.cursor.selected();
        self.cursor.move_by(rows, self.listing.len());
        self.moved(before)
    }

    fn click(&mut self, row: u16) -> Vec<Effect> {
        let clicked = self.clicked(row);
        if clicked == Clicked::Lost {
            return self.warn("the list just changed: check the line and click again");
        }
        if !self.shows_groups() {
            self.focus = Focus::List;
        }
        if let Clicked::Line(place) = clicked {
            self.select_place(place);
        }
        vec![Effect::Draw]
    }

    fn select_place(&mut self, place: u64) {
        if self.shows_changes() {
            self.changes.go(|cursor, _| cursor.select(place));
        } else if let Some(pane) = self.shown_groups() {
            pane.go(|cursor, _| cursor.select(place));
        } else {
            let before = self.cursor.selected();
            self.cursor.select(place);
            self.moved(before);
        }
    }

    fn shown_groups(&mut self) -> Option<&mut GroupPane> {
        let is_shown = self.shows_groups();
        self.group_panes.get_mut(&self.view).filter(|_| is_shown)
    }
}
