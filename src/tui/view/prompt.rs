//! The line in which a filter or the name of a file is typed, and what is wrong with it under the very character.

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use crate::safe;
use crate::text::Safe;
use crate::tui::app::{App, Export};
use crate::tui::canvas::{Canvas, Piece, line};
use crate::tui::prompt::Prompt;

/// A line for typing.
pub(super) struct Line<'a> {
    label: Safe,
    prompt: &'a Prompt,
    below: Below,
}

/// What stands below it.
enum Below {
    /// What can be pressed.
    Keys(&'static [(&'static str, &'static str)]),
    /// What is wrong from this byte on.
    Error { at: usize, words: Safe },
    /// What there is to say.
    Words(Safe),
}

const FILTER_KEYS: &[(&str, &str)] = &[("enter", "keep"), ("esc", "clear"), ("up", "earlier ones"), ("pgdn", "scroll")];
const EXPORT_KEYS: &[(&str, &str)] = &[("enter", "write"), ("esc", "back"), ("tab", "json, ndjson, csv, md")];

impl<'a> Line<'a> {
    pub(super) fn filter(app: &'a App) -> Self {
        let below = match app.filter.error() {
            None => Below::Keys(FILTER_KEYS),
            Some(error) => Below::Error {
                at: error.span.start,
                words: match &error.advice {
                    Some(advice) => safe!("{}. {}", error.message, advice),
                    None => error.message.clone(),
                },
            },
        };
        Self { label: " / ".into(), prompt: app.filter.prompt(), below }
    }

    pub(super) fn export(app: &App, export: &'a Export) -> Self {
        let below = export.error.clone().map_or(Below::Keys(EXPORT_KEYS), Below::Words);
        Self { label: safe!(" export {} to ", app.export_in_words()), prompt: &export.prompt, below }
    }

    /// Draws the line above the footer; in the footer itself where there is no other.
    pub(super) fn draw(&self, app: &App, canvas: &mut Canvas<'_>) {
        let area = place(app);
        canvas.clear(area);
        let columns = usize::from(area.width).saturating_sub(self.label.width());
        let window = self.prompt.window(columns, None);
        let used = canvas.pieces(area, &[Piece::new(&self.label, app.setup.theme.accent), Piece::plain(window.head)]);
        let rest = Rect { x: area.x + used, width: area.width.saturating_sub(used), ..area };
        canvas.text(rest, &window.rest, Style::new());
        canvas.restyle(Rect { width: 1.min(rest.width), ..rest }, Style::new().add_modifier(Modifier::REVERSED));
    }

    /// Draws what stands below it.
    pub(super) fn draw_below(&self, app: &App, area: Rect, canvas: &mut Canvas<'_>) {
        let theme = app.setup.theme;
        match &self.below {
            Below::Keys(keys) => {
                let piece = |(key, word): &(&'static str, &'static str)| {
                    [Piece::new(safe!(" {}", *key), theme.strong), Piece::new(safe!(" {} ", *word), theme.quiet)]
                };
                canvas.pieces(area, &keys.iter().flat_map(piece).collect::<Vec<_>>());
            }
            Below::Words(words) => {
                canvas.pieces(area, &[Piece::plain(" "), Piece::new(safe!("! {}", words), theme.warning)]);
            }
            Below::Error { at, words } => self.draw_error(app, *at, words, area, canvas),
        }
    }

    /// A mark under the character, and the words behind it, or before it where there is more room.
    fn draw_error(&self, app: &App, at: usize, words: &Safe, area: Rect, canvas: &mut Canvas<'_>) {
        let style = app.setup.theme.error;
        let columns = usize::from(place(app).width).saturating_sub(self.label.width());
        let column = self.prompt.window(columns, Some(at)).place.unwrap_or(0) + self.label.width();
        let column = u16::try_from(column).unwrap_or(u16::MAX).min(area.width.saturating_sub(1));
        let behind = Rect { x: area.x + column, width: area.width - column.min(area.width), ..area };
        let marked = safe!("^ {}", words);
        if marked.width() <= behind.width.into() || column < area.width / 2 {
            canvas.text(behind, &marked, style);
            return;
        }
        let before = Rect { width: column.saturating_sub(1), ..area };
        canvas.text_right(before, &words.fit(before.width.into(), app.setup.glyphs.ellipsis), style);
        canvas.text(behind, &"^".into(), style);
    }
}

fn place(app: &App) -> Rect {
    let layout = app.layout();
    match layout.body.height {
        0 => layout.footer,
        height => line(layout.body, height - 1),
    }
}
