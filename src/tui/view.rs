//! Draws the explorer: a pure function of [`App`]. One file per pane.

mod changes;
mod detail;
mod events;
mod findings;
mod footer;
mod groups;
mod header;
mod help;
mod hosts;
mod lines;
mod list;
mod panel;
mod panes;
mod picker;
mod plain;
mod prompt;
mod status_columns;

use ratatui::layout::Rect;

pub(super) use self::changes::draw as changes;
pub(super) use self::events::draw as events;
pub(super) use self::findings::draw as findings;
pub(super) use self::hosts::draw as hosts;
use super::app::App;
use super::list_pane::ViewList as _;
use super::terminal::canvas::Canvas;
use super::ui::Overlay;

/// Draws one frame. It reads the state and changes nothing.
pub fn draw(app: &App, canvas: &mut Canvas<'_>) {
    if canvas.area().is_empty() {
        return;
    }
    if let Overlay::PlainText(plain) = &app.ui.overlay {
        return plain::draw(app, plain, canvas);
    }
    let layout = app.layout();
    header::draw(app, layout.header, canvas);
    panel::banner(app, layout.banner, canvas);
    if app.session.list.is_empty() && !app.has_changes() {
        panel::instead_of_rows(app, layout.body, canvas);
    } else {
        (app.ui.view.entry().draw)(app, layout.body, canvas);
    }
    footer::draw(app, layout.footer, canvas);
    match &app.ui.overlay {
        Overlay::Help { scroll } => help::draw(app, *scroll, canvas),
        Overlay::Palette(picker) => picker::palette(app, picker, canvas),
        Overlay::Profiles(picker) => picker::profiles(app, picker, canvas),
        Overlay::Baselines(picker) => picker::baselines(app, picker, canvas),
        Overlay::CopyMenu(menu) => picker::copies(app, &menu.picker, &menu.of, canvas),
        Overlay::Filter => prompt::PromptLine::filter(app).draw(app, canvas),
        Overlay::Export(export) => prompt::PromptLine::export(export).draw(app, canvas),
        Overlay::None | Overlay::PlainText(_) => {}
    }
}

/// The list of webhooks and the detail of one.
pub(super) fn webhooks(app: &App, _area: Rect, canvas: &mut Canvas<'_>) {
    panes::draw(app, canvas, list::draw);
}
