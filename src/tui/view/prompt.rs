//! The prompt of a filter or of a file name, with a mark under the character of an error.

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use crate::base::text::Safe;
use crate::safe;
use crate::tui::app::App;
use crate::tui::export_prompt::ExportPrompt;
use crate::tui::prompt::{Prompt, PromptWindow};
use crate::tui::terminal::canvas::{Canvas, Piece, line};

/// A prompt and the line below it.
pub(super) struct PromptLine<'a> {
    label: Safe,
    prompt: &'a Prompt,
    below: BelowPrompt,
}

/// The content of the line below the prompt.
enum BelowPrompt {
    /// The keys.
    Keys(&'static [(&'static str, &'static str)]),
    /// An error from this byte on, and advice.
    Error { at: usize, message: Safe, advice: Option<Safe> },
    /// A notice.
    Words(Safe),
}

const FILTER_KEYS: &[(&str, &str)] = &[("enter", "keep"), ("esc", "clear"), ("up", "history"), ("pgdn", "scroll")];
/// The mark under the character of the error.
const MARK: &str = "^ ";

const EXPORT_KEYS: &[(&str, &str)] = &[("enter", "write"), ("esc", "cancel"), ("tab", "json, ndjson, csv, md")];

impl<'a> PromptLine<'a> {
    pub(super) fn filter(app: &'a App) -> Self {
        let below = match app.session.filter.error() {
            None => BelowPrompt::Keys(FILTER_KEYS),
            Some(error) => {
                BelowPrompt::Error { at: error.span.start, message: error.message.clone(), advice: error.advice.clone() }
            }
        };
        Self { label: " / ".into(), prompt: app.session.filter.prompt(), below }
    }

    pub(super) fn export(export: &'a ExportPrompt) -> Self {
        let below = export.error.clone().map_or(BelowPrompt::Keys(EXPORT_KEYS), BelowPrompt::Words);
        Self { label: safe!(" export {} to ", export.words), prompt: &export.prompt, below }
    }

    /// Draws the prompt above the footer, or in the footer if the screen has only one line.
    pub(super) fn draw(&self, app: &App, canvas: &mut Canvas<'_>) {
        let area = place(app);
        canvas.clear(area);
        let (cut, window) = self.window(app, None);
        let theme = app.settings.theme;
        let pieces = [Piece::new(&self.label, theme.accent), Piece::new(cut, theme.quiet), Piece::plain(window.head)];
        let used = canvas.pieces(area, &pieces);
        let rest = Rect { x: area.x + used, width: area.width.saturating_sub(used), ..area };
        canvas.text(rest, &window.rest, Style::new());
        canvas.insert_at(rest);
        canvas.restyle(Rect { width: 1.min(rest.width), ..rest }, Style::new().add_modifier(Modifier::REVERSED));
    }

    /// Draws the line below the prompt.
    pub(super) fn draw_below(&self, app: &App, area: Rect, canvas: &mut Canvas<'_>) {
        let theme = app.settings.theme;
        match &self.below {
            BelowPrompt::Keys(keys) => {
                let piece = |(key, word): &(&'static str, &'static str)| {
                    [Piece::new(safe!(" {}", *key), theme.strong), Piece::new(safe!(" {} ", *word), theme.quiet)]
                };
                canvas.pieces(area, &keys.iter().flat_map(piece).collect::<Vec<_>>());
            }
            BelowPrompt::Words(words) => {
                canvas.pieces(area, &[Piece::plain(" "), Piece::new(safe!("! {}", words), theme.warning)]);
            }
            BelowPrompt::Error { at, message, advice } => {
                let place = ErrorPlace::new(self.column_of(app, *at), area);
                match advice {
                    Some(advice) if place.has_room(&whole(message, advice)) => {
                        place.draw(app, &whole(message, advice), canvas);
                    }
                    Some(advice) => {
                        place.draw(app, message, canvas);
                        draw_above(app, advice, canvas);
                    }
                    None => place.draw(app, message, canvas),
                }
            }
        }
    }

    /// The column of a byte of the typed text.
    fn column_of(&self, app: &App, at: usize) -> usize {
        let (cut, window) = self.window(app, Some(at));
        window.place.unwrap_or(0) + Safe::from(cut).width() + self.label.width()
    }

    /// The visible part of the text, and the ellipsis before it if its start is cut off.
    fn window(&self, app: &App, at: Option<usize>) -> (&'static str, PromptWindow) {
        let columns = usize::from(place(app).width).saturating_sub(self.label.width());
        let window = self.prompt.window(columns, at);
        if !window.is_cut {
            return ("", window);
        }
        let mark = app.settings.glyphs.ellipsis;
        (mark, self.prompt.window(columns.saturating_sub(Safe::from(mark).width()), at))
    }
}

fn whole(message: &Safe, advice: &Safe) -> Safe {
    safe!("{}. {}", message, advice)
}

/// The layout of an error below the prompt: a mark under a character, with the message after it, or before it if there is
/// more room.
struct ErrorPlace {
    before: Rect,
    behind: Rect,
}

impl ErrorPlace {
    fn new(column: usize, area: Rect) -> Self {
        let column = u16::try_from(column).unwrap_or(u16::MAX).min(area.width.saturating_sub(1));
        let behind = Rect { x: area.x + column, width: area.width - column.min(area.width), ..area };
        Self { before: Rect { width: column.saturating_sub(1), ..area }, behind }
    }

    fn has_room(&self, words: &Safe) -> bool {
        safe!("{}{}", MARK, words).width() <= self.behind.width.into() || words.width() <= self.before.width.into()
    }

    fn draw(&self, app: &App, words: &Safe, canvas: &mut Canvas<'_>) {
        let style = app.settings.theme.error;
        let marked = safe!("{}{}", MARK, words);
        if marked.width() <= self.behind.width.into() || self.before.width < self.behind.width {
            canvas.text(self.behind, &marked, style);
            return;
        }
        let words = words.fit(self.before.width.into(), app.settings.glyphs.ellipsis);
        canvas.text_right(self.before, &words, style);
        canvas.text(self.behind, &MARK.into(), style);
    }
}

/// Draws advice above the prompt, where it can take several lines.
fn draw_above(app: &App, advice: &Safe, canvas: &mut Canvas<'_>) {
    let body = app.layout().body;
    let lines = advice.paragraph(usize::from(body.width).saturating_sub(2));
    let rows = (0..body.height.saturating_sub(1)).rev();
    for (row, words) in rows.zip(lines.iter().rev()) {
        let area = line(body, row);
        canvas.clear(area);
        canvas.pieces(area, &[Piece::plain(" "), Piece::new(words, app.settings.theme.quiet)]);
    }
}

fn place(app: &App) -> Rect {
    let layout = app.layout();
    match layout.body.height {
        0 => layout.footer,
        height => line(layout.body, height - 1),
    }
}
