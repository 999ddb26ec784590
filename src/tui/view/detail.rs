//! The detail pane: everything about the selected webhook or change.

use ratatui::layout::Rect;

use crate::analysis::audit::FindingText;
use crate::base::text::Safe;
use crate::safe;
use crate::tui::app::App;
use crate::tui::notes::notes;
use crate::tui::session::listing::Cell;
use crate::tui::terminal::canvas::{Canvas, Piece, line};
use crate::tui::ui::Focus;
use crate::tui::view::list::LEFT;
use crate::tui::{change_detail, detail};

impl App {
    /// The first `max` lines about the selected webhook or change; `None` if none is selected.
    pub fn selected_lines(&self, max: usize) -> Option<Vec<Vec<Piece>>> {
        (self.ui.view.entry().detail?)(self, max)
    }

    pub fn webhook_in_lines(&self, max: usize) -> Option<Vec<Vec<Piece>>> {
        let row = self.session.list.selected_row()?;
        Some(detail::lines(row, &notes(self, row), self.told(), &self.detail_style(), max))
    }

    pub fn change_in_lines(&self, max: usize) -> Option<Vec<Vec<Piece>>> {
        let changes = &self.session.changes;
        let entry = changes.selected()?;
        let moved = changes.found().and_then(|found| found.moved.get(entry.id())).map(|id| &**id);
        Some(change_detail::lines(entry, changes.fate(entry), moved, &self.detail_style(), max))
    }

    /// The findings about the selected webhook, once the selection has stayed on it for a moment, since sending them for
    /// each webhook on the way would be slow.
    pub fn told(&self) -> &[FindingText] {
        if self.settles_at().is_some() { &[] } else { &self.session.findings.selected.told }
    }

    fn detail_style(&self) -> detail::Style {
        detail::Style {
            // One column is left free on each side.
            width: self.layout().panes.detail().width.saturating_sub(2),
            form: self.ui.detail_form,
            past: None,
            reveal: self.session.reveal,
            time: self.settings.time,
            zone: self.settings.zone.clone(),
            now: self.now.wall,
            theme: self.settings.theme,
            glyphs: self.settings.glyphs,
        }
    }
}

pub(super) fn draw(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    // While a key is held, the detail is not drawn: its text would be about another line.
    if !app.is_hurried() {
        text(app, area, canvas);
    }
    if app.ui.focus == Focus::Detail {
        // The column beside the text shows the focus.
        for number in 0..area.height {
            let mark = Rect { width: 1, ..line(area, number) };
            canvas.text(mark, &app.settings.glyphs.selected.into(), app.settings.theme.accent);
        }
    }
}

fn text(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    let inner = Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(2), ..area };
    let scroll = app.list().scroll();
    let enough = scroll.saturating_add(usize::from(area.height)).saturating_add(1);
    let Some(lines) = app.selected_lines(enough) else { return no_row(app, inner, canvas) };
    for (number, pieces) in (0..area.height).zip(lines.iter().skip(scroll)) {
        canvas.pieces(line(inner, number), pieces);
    }
    let last = area.height.saturating_sub(1);
    if let Some(words) = corner(app) {
        canvas.text_right(line(inner, last), &words, app.settings.theme.warning);
    }
    if lines.len() == enough {
        canvas.text_right(line(area, last), &app.settings.glyphs.ellipsis.into(), app.settings.theme.quiet);
    }
}

/// The change of the selected webhook since the last refresh.
fn corner(app: &App) -> Option<Safe> {
    let session = &app.session;
    if !app.shows_webhooks() {
        return None;
    }
    let selected = session.list.selected();
    match (session.change_at(selected), session.list.cell(selected)) {
        (Some(change), Cell::Row(row) | Cell::Removed(row)) => {
            Some(safe!("{} {}", change.sign(), session.change_in_words(change, row.id())))
        }
        (None, Cell::Left(_)) => Some(safe!("{} {}", LEFT, "removed, or on another page")),
        _ => None,
    }
}

fn no_row(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    if !app.shows_webhooks() {
        return;
    }
    match app.session.list.cell(app.session.list.selected()) {
        Cell::Loading => {
            canvas.text(area, &"loading".into(), app.settings.theme.quiet);
        }
        Cell::Failed(error) => {
            canvas.text(area, &safe!("! {}", error.short()), app.settings.theme.error);
        }
        Cell::Row(_) | Cell::Removed(_) | Cell::Left(_) | Cell::Absent => {}
    }
}
