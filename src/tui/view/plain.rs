//! A text on an otherwise empty screen, to be selected by hand where no clipboard can be reached.

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use crate::tui::canvas::{Canvas, line};
use crate::tui::copy;

pub(super) fn draw(text: &str, scroll: usize, canvas: &mut Canvas<'_>) {
    let screen = canvas.area();
    let body = Rect { height: screen.height.saturating_sub(1), ..screen };
    for (number, text) in (0..body.height).zip(copy::plain(text, body.width).into_iter().skip(scroll)) {
        canvas.text(line(body, number), &text, Style::new());
    }
    let footer = line(screen, screen.height.saturating_sub(1));
    let hint = "select the text with the terminal; any other key than j k goes back";
    canvas.text(footer, &hint.into(), Style::new().add_modifier(Modifier::REVERSED));
}
