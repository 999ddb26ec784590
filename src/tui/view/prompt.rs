//! The line in which a filter is typed, and what is wrong with it under the very character.

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use crate::safe;
use crate::text::Safe;
use crate::tui::app::App;
use crate::tui::canvas::{Canvas, Piece, line};
use crate::tui::prompt::Window;

/// What stands before the typed text.
const LABEL: &str = " / ";

/// The line above the footer; the footer itself where there is no other.
pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>) {
    let area = place(app);
    canvas.clear(area);
    let theme = app.setup.theme;
    let window = window(app, area);
    let (head, rest) = (window.head, window.rest);
    let used = canvas.pieces(area, &[Piece::new(LABEL, theme.accent), Piece::plain(head)]);
    let rest_area = Rect { x: area.x + used, width: area.width.saturating_sub(used), ..area };
    canvas.text(rest_area, &rest, Style::new());
    let cursor = Rect { width: 1.min(rest_area.width), ..rest_area };
    canvas.restyle(cursor, Style::new().add_modifier(Modifier::REVERSED));
}

/// The footer below it: the error under its character, or what can be pressed.
pub(super) fn below(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = app.setup.theme;
    let Some(error) = app.filter.error() else {
        let strong = |text: &'static str| Piece::new(text, theme.strong);
        let quiet = |text: &'static str| Piece::new(text, theme.quiet);
        let keys =
            [strong(" enter"), quiet(" keep "), strong(" esc"), quiet(" clear "), strong(" up"), quiet(" earlier ones")];
        canvas.pieces(area, &keys);
        return;
    };
    let full = place(app);
    let column = window(app, full).place.unwrap_or(0) + LABEL.len();
    let words = match &error.advice {
        Some(advice) => safe!("{}. {}", error.message, advice),
        None => error.message.clone(),
    };
    let room = usize::from(area.width);
    let marked = safe!("^ {}", words);
    // Where it does not fit behind the mark, the words go before it.
    let start = if column + marked.width() <= room || column < room / 2 { column } else { 0 };
    if start == column {
        let place = Rect { x: area.x + u16::try_from(column).unwrap_or(0).min(area.width), ..area };
        let width = area.right().saturating_sub(place.x);
        canvas.text(Rect { width, ..place }, &marked, theme.error);
        return;
    }
    let mark = Rect { x: area.x + u16::try_from(column).unwrap_or(0).min(area.width), width: 1, ..area };
    let before = Rect { width: mark.x.saturating_sub(area.x + 1), ..area };
    canvas.text_right(before, &words.fit(before.width.into(), app.setup.glyphs.ellipsis), theme.error);
    canvas.text(mark, &Safe::literal("^"), theme.error);
}

fn place(app: &App) -> Rect {
    let layout = app.layout();
    match layout.body.height {
        0 => layout.footer,
        height => line(layout.body, height - 1),
    }
}

fn window(app: &App, area: Rect) -> Window {
    let columns = usize::from(area.width).saturating_sub(LABEL.len());
    app.filter.prompt().window(columns, app.filter.error().map(|error| error.span.start))
}
