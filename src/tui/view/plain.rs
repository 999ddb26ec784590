//! A text on an otherwise empty screen, to select by hand if the clipboard cannot be reached.

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use crate::base::text::{Safe, grouped};
use crate::keymap::Action;
use crate::safe;
use crate::tui::app::App;
use crate::tui::copy::{self, PlainText};
use crate::tui::terminal::canvas::{Canvas, line};

pub(super) fn draw(app: &App, plain: &PlainText, canvas: &mut Canvas<'_>) {
    let screen = canvas.area();
    let body = Rect { height: screen.height.saturating_sub(1), ..screen };
    for (number, text) in (0..body.height).zip(plain.lines()) {
        canvas.text(line(body, number), text, Style::new());
    }
    let footer = line(screen, screen.height.saturating_sub(1));
    let hint: Safe = if copy::is_too_long(plain.text()) {
        let key = app.settings.key(Action::Export);
        safe!(
            "j k scroll; any other key closes; {} bytes, too long to copy: {} exports",
            grouped(plain.text().len() as u64),
            key
        )
    } else {
        "j k scroll; any other key closes; select the text in the terminal".into()
    };
    canvas.text(footer, &hint, Style::new().add_modifier(Modifier::REVERSED));
}
