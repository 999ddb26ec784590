//! The detail pane: everything about the selected webhook.

use ratatui::layout::Rect;

use crate::safe;
use crate::tui::app::{App, Focus};
use crate::tui::listing::Cell;
use crate::tui::terminal::canvas::{Canvas, line};
use crate::tui::view::list::LEFT;

pub(super) fn draw(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    let inner = Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(2), ..area };
    match app.listing.cell(app.cursor.selected()) {
        // Nobody reads it before the key is released, and what stood here is about another webhook.
        _ if app.is_hurried() => {}
        cell @ (Cell::Row(row) | Cell::Gone(row) | Cell::Left(row)) => {
            let change = app
                .change_at(app.cursor.selected())
                .map(|change| safe!("{} {}", change.sign(), app.change_in_words(change, row.id())));
            let left = matches!(cell, Cell::Left(_)).then(|| safe!("{} {}", LEFT, "removed, or on another page"));
            let enough = app.detail_scroll.saturating_add(usize::from(area.height)).saturating_add(1);
            let lines = app.detail_lines(row, enough);
            for (number, pieces) in (0..area.height).zip(lines.iter().skip(app.detail_scroll)) {
                canvas.pieces(line(inner, number), pieces);
            }
            if let Some(words) = change.or(left) {
                canvas.text_right(line(inner, area.height.saturating_sub(1)), &words, app.setup.theme.warning);
            }
            if lines.len() == enough {
                let more = line(area, area.height.saturating_sub(1));
                canvas.text_right(more, &app.setup.glyphs.ellipsis.into(), app.setup.theme.quiet);
            }
        }
        Cell::Loading => {
            canvas.text(inner, &"loading".into(), app.setup.theme.quiet);
        }
        Cell::Failed(error) => {
            canvas.text(inner, &safe!("! {}", error.short()), app.setup.theme.error);
        }
        Cell::Absent => {}
    }
    if app.focus == Focus::Detail {
        // The column beside the text shows where the keys go.
        for number in 0..area.height {
            canvas.text(Rect { width: 1, ..line(area, number) }, &app.setup.glyphs.selected.into(), app.setup.theme.accent);
        }
    }
}
