//! The least that a ratatui program can do: take the terminal, draw once, wait for a key. The start of hookscope is measured
//! against it (`benches/measure.py`).

use ratatui::widgets::Paragraph;

fn main() -> std::io::Result<()> {
    let mut terminal = ratatui::try_init()?;
    terminal.draw(|frame| frame.render_widget(Paragraph::new("minimal"), frame.area()))?;
    crossterm::event::read()?;
    ratatui::try_restore()
}
