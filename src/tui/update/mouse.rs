//! The mouse: a click refers to the line that the last frame showed under it, or to nothing.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use crate::tui::app::App;
use crate::tui::list_pane::Motion;
use crate::tui::message::Effect;
use crate::tui::typed_ahead::{Clicked, LastFrame, Parts};
use crate::tui::ui::{Focus, Overlay};

/// The lines that one step of the wheel moves.
const WHEEL: i64 = 3;

impl App {
    /// Selects the clicked line, or moves the selection or the detail with the wheel.
    pub(super) fn mouse_event(&mut self, event: MouseEvent) -> Vec<Effect> {
        if !self.settings.mouse || !matches!(self.ui.overlay, Overlay::None) {
            return Vec::new();
        }
        let wheel = match event.kind {
            MouseEventKind::ScrollDown => Some(Motion::By(WHEEL)),
            MouseEventKind::ScrollUp => Some(Motion::By(-WHEEL)),
            MouseEventKind::Down(MouseButton::Left) => None,
            _ => return Vec::new(),
        };
        let parts = self.frame.as_ref().and_then(LastFrame::parts);
        let at = Position::new(event.column, event.row);
        let is_in = |part: fn(Parts) -> Rect| parts.is_some_and(|parts| part(parts).contains(at));
        match wheel {
            Some(motion) if is_in(|parts| parts.detail) => self.scroll_detail(motion),
            Some(motion) => self.move_selection(motion),
            None if is_in(|parts| parts.detail) => self.set_focus(Focus::Detail),
            None if parts.is_none() || is_in(|parts| parts.lines) => self.click(event.row),
            None => Vec::new(),
        }
    }

    fn click(&mut self, row: u16) -> Vec<Effect> {
        match self.clicked(row) {
            Clicked::Lost => return self.warn("the list just changed: check the line and click again"),
            Clicked::Line(place) => drop(self.move_selection(Motion::To(place))),
            Clicked::Nothing => {}
        }
        self.ui.focus = Focus::List;
        vec![Effect::Draw]
    }
}
