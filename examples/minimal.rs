//! The minimal ratatui program: takes over the terminal, draws once and waits for a key. The baseline for hookscope's
//! startup time (`benches/measure.py`).

use ratatui::widgets::Paragraph;

fn main() -> std::io::Result<()> {
    let mut terminal = ratatui::try_init()?;
    terminal.draw(|frame| frame.render_widget(Paragraph::new("minimal"), frame.area()))?;
    crossterm::event::read()?;
    ratatui::try_restore()
}
