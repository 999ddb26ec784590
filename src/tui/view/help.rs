//! Every key, from the table that dispatches them.

use ratatui::layout::Rect;

use crate::keymap::{ACTIONS, Action, COPIES};
use crate::safe;
use crate::text::{Safe, clean};
use crate::tui::app::App;
use crate::tui::canvas::{Canvas, Piece, line};

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
        canvas.text_right(last, &safe!(" {} ", app.setup.glyphs.ellipsis), app.setup.theme.strong);
    }
}

fn lines(app: &App) -> Vec<Vec<Piece>> {
    let theme = app.setup.theme;
    let row = |keys: &Safe, help: Safe| {
        let keys = keys.fit(KEY_COLUMN - 1, app.setup.glyphs.ellipsis);
        vec![Piece::plain("  "), Piece::new(clean(&format!("{keys:<KEY_COLUMN$}")), theme.strong), Piece::plain(help)]
    };
    let mut lines = Vec::new();
    for entry in ACTIONS {
        let keys = app.setup.keymap.keys(entry.action);
        let keys = keys.iter().map(Safe::as_str).collect::<Vec<_>>().join(" ");
        lines.push(row(&clean(&keys), entry.help.into()));
    }
    if let Some(copy) = app.setup.keymap.key(Action::Copy) {
        lines.push(Vec::new());
        lines.push(vec![Piece::new(safe!("  {} and then", copy), theme.quiet)]);
        for (key, _, words) in COPIES {
            let keys = safe!("{} {}", copy, clean(&key.to_string()));
            lines.push(row(&keys, safe!("copy: {}", words)));
        }
    }
    lines
}
