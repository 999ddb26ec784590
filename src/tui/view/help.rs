//! The help: every key, from the table that dispatches them.

use ratatui::layout::Rect;

use crate::analysis::audit::Severity;
use crate::base::text::{Safe, clean};
use crate::keymap::{ACTIONS, Action, COPIES};
use crate::safe;
use crate::tui::app::App;
use crate::tui::session::unread::UnreadChange;
use crate::tui::terminal::canvas::{Canvas, Piece, line};

const KEY_COLUMN: usize = 16;

pub(super) fn draw(app: &App, scroll: usize, canvas: &mut Canvas<'_>) {
    let screen = canvas.area();
    let layout = app.layout();
    let body = Rect {
        x: 0,
        y: layout.header.height,
        width: screen.width,
        height: screen.height.saturating_sub(layout.header.height + layout.footer.height),
    };
    canvas.clear(body);
    let lines = lines(app);
    for (number, pieces) in (0..body.height).zip(lines.iter().skip(scroll)) {
        canvas.pieces(line(body, number), pieces);
    }
    if lines.len() > scroll + usize::from(body.height) {
        let last = line(body, body.height.saturating_sub(1));
        canvas.text_right(last, &safe!(" {} ", app.settings.glyphs.ellipsis), app.settings.theme.strong);
    }
}

/// The symbols beside a webhook in the list.
fn signs(app: &App) -> Vec<(Safe, &'static str)> {
    let glyphs = app.settings.glyphs;
    let [reachable, dead] = glyphs.probe();
    let [new, changed, gone] = [UnreadChange::New, UnreadChange::Changed, UnreadChange::Removed].map(UnreadChange::sign);
    let severities = Severity::ALL.map(|severity| glyphs.severity(severity)).join(" ");
    vec![
        (safe!("{} {} ?", glyphs.active, glyphs.inactive), "active, inactive, unknown"),
        (glyphs.marked.into(), "marked"),
        (safe!("{} {} {}", new, changed, gone), "added, changed, removed; cleared once looked at"),
        (safe!("{} {} ! ?", reachable, dead), "probe: reachable, unreachable, certificate expires soon, not tried"),
        (clean(&severities), "finding: error, warning, info"),
        ("!12%".into(), "share of failed deliveries; ! is above the audit limit"),
    ]
}

fn lines(app: &App) -> Vec<Vec<Piece>> {
    let theme = app.settings.theme;
    let row = |keys: &Safe, help: Safe| {
        let keys = keys.fit(KEY_COLUMN - 1, app.settings.glyphs.ellipsis);
        vec![Piece::plain("  "), Piece::new(clean(&format!("{keys:<KEY_COLUMN$}")), theme.strong), Piece::plain(help)]
    };
    let mut lines = Vec::new();
    for entry in ACTIONS {
        let keys = app.settings.keymap.keys(entry.action);
        let keys = keys.iter().map(Safe::as_str).collect::<Vec<_>>().join(" ");
        lines.push(row(&clean(&keys), entry.help.into()));
    }
    lines.push(Vec::new());
    lines.push(vec![Piece::new("  signs in the list", theme.quiet)]);
    lines.extend(signs(app).into_iter().map(|(sign, words)| row(&sign, words.into())));
    if let Some(copy) = app.settings.keymap.key(Action::Copy) {
        lines.push(Vec::new());
        lines.push(vec![Piece::new(safe!("  {}, then", copy), theme.quiet)]);
        for (key, _, words) in COPIES {
            let keys = safe!("{} {}", copy, clean(&key.to_string()));
            lines.push(row(&keys, safe!("copy the {}", words)));
        }
    }
    lines
}
