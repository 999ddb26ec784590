//! What the explorer looks like: a pure function of [`App`]. One file a pane.

mod detail;
mod footer;
mod header;
mod help;
mod list;
mod menu;
mod panel;
mod plain;

use super::app::{App, Focus, Overlay};
use super::canvas::Canvas;
use super::layout::Panes;

/// Draws one frame. It reads the state and changes nothing.
pub fn draw(app: &App, canvas: &mut Canvas<'_>) {
    if canvas.area().is_empty() {
        return;
    }
    if let Overlay::PlainText { text, scroll } = &app.overlay {
        return plain::draw(text, *scroll, canvas);
    }
    let layout = app.layout();
    header::draw(app, layout.header, canvas);
    panel::banner(app, layout.banner, canvas);
    if app.listing.is_empty() {
        panel::instead_of_rows(app, layout.body, canvas);
    } else {
        draw_panes(app, layout.panes, canvas);
    }
    footer::draw(app, layout.footer, canvas);
    match &app.overlay {
        Overlay::Help { scroll } => help::draw(app, *scroll, canvas),
        Overlay::Palette(palette) => menu::palette(app, palette, canvas),
        Overlay::Profiles(picker) => menu::profiles(app, picker, canvas),
        Overlay::CopyMenu => menu::copies(app, canvas),
        Overlay::None | Overlay::PlainText { .. } => {}
    }
}

fn draw_panes(app: &App, panes: Panes, canvas: &mut Canvas<'_>) {
    match panes {
        Panes::SideBySide { list, rule, detail } | Panes::Stacked { list, rule, detail } => {
            list::draw(app, list, canvas);
            canvas.rule(rule, app.setup.theme.quiet);
            detail::draw(app, detail, canvas);
        }
        Panes::One { pane } if app.focus == Focus::Detail => detail::draw(app, pane, canvas),
        Panes::One { pane } => list::draw(app, pane, canvas),
    }
}
