//! The visible lines of a list.

use ratatui::layout::Rect;

use crate::tui::app::App;
use crate::tui::terminal::canvas::{Canvas, line};
use crate::tui::ui::Focus;

/// Draws the visible lines of the view's list. `draw` gets the place of each line, and true for the selected one. A mark in
/// its first column shows the selection: a bar over the whole line would be sent again with every key.
pub(super) fn draw(app: &App, area: Rect, canvas: &mut Canvas<'_>, mut draw: impl FnMut(u64, bool, Rect, &mut Canvas<'_>)) {
    let (list, theme) = (app.list(), app.settings.theme);
    for (number, place) in (0..area.height).zip(list.cursor().visible(area.height, list.len())) {
        let at = line(area, number);
        let is_selected = place == list.cursor().selected();
        if is_selected {
            let style = if app.ui.focus == Focus::List { theme.accent } else { theme.quiet };
            canvas.text(at, &app.settings.glyphs.selected.into(), style);
        }
        draw(place, is_selected, at, canvas);
    }
    canvas.shows(area, list.cursor().offset(), list.cursor().selected());
}
