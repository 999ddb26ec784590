//! Frames: what is to be shown, what is shown already, and the difference between them, which is all that is sent.

use ratatui::backend::{Backend, ClearType};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

use super::app::App;
use super::canvas::Canvas;
use super::view;

/// Unchanged cells between two changes that are sent again, because moving the cursor over them takes as many bytes.
const WORTH_BRIDGING: u16 = 4;

/// Blanks at the end of a line that are cleared at once: a jump and the clearing take as many bytes.
const WORTH_CLEARING: usize = 11;

/// A terminal's cells, on a backend. `ratatui::Terminal` would ask the size for each frame, wait for cursor reports, and write
/// to stderr when it is dropped on a dead terminal.
#[derive(Debug)]
pub struct Screen<B> {
    backend: B,
    shown: Buffer,
    next: Buffer,
}

impl<B: Backend> Screen<B> {
    pub fn new(backend: B, (width, height): (u16, u16)) -> Self {
        let empty = Buffer::empty(Rect { x: 0, y: 0, width, height });
        Self { backend, shown: empty.clone(), next: empty }
    }

    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// Draws a frame and sends what differs from the last one; nothing when nothing does.
    pub fn draw(&mut self, app: &App) -> Result<(), B::Error> {
        self.next.reset();
        view::draw(app, &mut Canvas::new(&mut self.next, app.setup.glyphs));
        let tails = blank_tails(&self.shown, &self.next);
        let mut updates = bridged(&self.shown, &self.next);
        updates.retain(|&(x, y, _)| !tails.iter().any(|tail| tail.y == y && tail.x <= x));
        if !updates.is_empty() || !tails.is_empty() {
            self.backend.draw(updates.into_iter())?;
            for tail in tails {
                self.backend.set_cursor_position(tail)?;
                self.backend.clear_region(ClearType::UntilNewLine)?;
            }
            self.backend.flush()?;
        }
        std::mem::swap(&mut self.shown, &mut self.next);
        Ok(())
    }

    /// Empties the terminal, so that the next frame draws every cell; the size may be another one.
    pub fn clear(&mut self, (width, height): (u16, u16)) -> Result<(), B::Error> {
        let empty = Buffer::empty(Rect { x: 0, y: 0, width, height });
        self.shown = empty.clone();
        self.next = empty;
        self.backend.clear()
    }
}

/// Where lines end in blanks that were something else before, and clearing them is cheaper than writing them.
fn blank_tails(shown: &Buffer, next: &Buffer) -> Vec<Position> {
    let blank = Cell::EMPTY;
    let mut tails = Vec::new();
    for y in next.area.top()..next.area.bottom() {
        let columns = next.area.left()..next.area.right();
        let is_blank = |x: &u16| next.cell((*x, y)).is_some_and(|cell| *cell == blank);
        let length = columns.clone().rev().take_while(is_blank).count();
        let tail = columns.skip(usize::from(next.area.width) - length);
        let changed = tail.clone().filter(|&x| shown.cell((x, y)) != next.cell((x, y))).count();
        if changed > WORTH_CLEARING {
            tails.extend(tail.take(1).map(|x| Position { x, y }));
        }
    }
    tails
}

/// The changed cells in reading order, and the few unchanged ones between them that are cheaper than a jump.
fn bridged<'a>(shown: &Buffer, next: &'a Buffer) -> Vec<(u16, u16, &'a Cell)> {
    let mut updates: Vec<(u16, u16, &Cell)> = Vec::new();
    for (x, y, cell) in shown.diff_iter(next) {
        if let Some(&(last_x, last_y, last)) = updates.last() {
            let gap = last_x.saturating_add(1)..x;
            if last_y == y && gap.len() <= usize::from(WORTH_BRIDGING) {
                let between: Option<Vec<_>> = gap.map(|x| Some((x, y, plain_cell(next, x, y, last)?))).collect();
                updates.extend(between.into_iter().flatten());
            }
        }
        updates.push((x, y, cell));
    }
    updates
}

/// A cell that can be sent after another one without a change of style, and is one column wide.
fn plain_cell<'a>(buffer: &'a Buffer, x: u16, y: u16, like: &Cell) -> Option<&'a Cell> {
    let cell = buffer.cell((x, y))?;
    let upright = |cell: &Cell| cell.bg == Color::Reset && !cell.modifier.contains(Modifier::REVERSED);
    let same_style =
        (cell.fg, cell.bg, cell.modifier) == (like.fg, like.bg, like.modifier) || (*cell == Cell::EMPTY && upright(like));
    let narrow = |cell: &Cell| cell.symbol().width() == 1;
    (same_style && narrow(like) && narrow(cell)).then_some(cell)
}

#[cfg(test)]
mod tests {
    use ratatui::style::Style;

    use super::*;

    fn changed(before: &[&str], after: &[&str]) -> Vec<(u16, u16, String)> {
        let (before, after) = (Buffer::with_lines(before.to_vec()), Buffer::with_lines(after.to_vec()));
        bridged(&before, &after).into_iter().map(|(x, y, cell)| (x, y, cell.symbol().to_owned())).collect()
    }

    fn text(cells: &[(u16, u16, String)]) -> String {
        cells.iter().map(|(_, _, symbol)| symbol.as_str()).collect()
    }

    #[test]
    fn short_gaps_are_sent_along_and_long_ones_are_not() {
        assert_eq!(text(&changed(&["call.completed"], &["call.compared "])), "ared ");
        assert_eq!(text(&changed(&["a1234b"], &["x1234y"])), "x1234y");
        assert_eq!(text(&changed(&["a12345b"], &["x12345y"])), "xy");
        assert_eq!(changed(&["ab", "cd"], &["ab", "cd"]), []);
    }

    #[test]
    fn a_gap_in_another_style_is_not_sent_along() {
        let before = Buffer::with_lines(["a12b"]);
        let mut after = Buffer::with_lines(["x12y"]);
        after.set_style(Rect::new(1, 0, 2, 1), Style::new().add_modifier(Modifier::BOLD));
        let sent = bridged(&before, &after);
        assert_eq!(sent.len(), 4, "the gap changed its style, so it is sent as a change");
        let mut before = before;
        before.set_style(Rect::new(1, 0, 2, 1), Style::new().add_modifier(Modifier::BOLD));
        assert_eq!(bridged(&before, &after).len(), 2);
    }

    #[test]
    fn long_blank_tails_are_cleared() {
        let before = Buffer::with_lines(["short    ", "a long line of text"]);
        let after = Buffer::with_lines(["s        ", "a                  "]);
        assert_eq!(blank_tails(&before, &after), [Position { x: 1, y: 1 }]);
        assert_eq!(blank_tails(&after, &before), []);
        let mut reversed = after.clone();
        reversed.set_style(Rect::new(0, 1, 19, 1), Style::new().add_modifier(Modifier::REVERSED));
        assert_eq!(blank_tails(&before, &reversed), [], "a reversed blank is no blank");
    }

    #[test]
    fn wide_characters_are_never_bridged() {
        assert_eq!(text(&changed(&["a漢b"], &["x漢y"])), "xy");
    }
}
