//! A list and the detail of its selected line, if there is room for both.

use ratatui::layout::Rect;

use super::detail;
use crate::tui::app::App;
use crate::tui::layout::Panes;
use crate::tui::terminal::canvas::Canvas;
use crate::tui::ui::Focus;

pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>, list: fn(&App, Rect, &mut Canvas<'_>)) {
    match app.layout().panes {
        Panes::SideBySide { list: area, rule, detail } | Panes::Stacked { list: area, rule, detail } => {
            list(app, area, canvas);
            canvas.rule(rule, app.settings.theme.quiet);
            detail::draw(app, detail, canvas);
        }
        Panes::One { pane } if app.ui.focus == Focus::Detail => detail::draw(app, pane, canvas),
        Panes::One { pane } => list(app, pane, canvas),
    }
}
