//! Draws frames. Keeps the cells that the terminal shows, and encodes only the changes of a new frame.
//!
//! Two things keep the output small: the terminal moves the lines of a list that scrolled, and short unchanged gaps between
//! changes are sent again instead of skipped.

use std::ops::Range;

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use super::ansi::{AnsiFrame, is_blank_plain};
use super::canvas::{Canvas, Pointer, Window};
use crate::base::text::is_width_certain;
use crate::tui::theme::Glyphs;

/// The most unchanged cells between two changes to send again, since moving the cursor over them takes as many bytes.
const WORTH_BRIDGING: u16 = 4;

/// The fewest changed cells that moving lines must save: about as many as its own bytes.
const WORTH_MOVING: usize = 24;

/// The cells of the terminal. `ratatui::Terminal` would query the size for each frame, wait for cursor reports, and write to
/// stderr when it is dropped on a closed terminal.
#[derive(Debug)]
pub struct Screen {
    shown: Buffer,
    next: Buffer,
    /// The scrolling area of the frame on screen.
    window: Option<Window>,
    /// The terminal cursor, which braille displays and input methods follow; `None` if the state of the terminal is unknown.
    pointer: Option<Pointer>,
}

impl Screen {
    pub fn new((width, height): (u16, u16)) -> Self {
        let empty = Buffer::empty(Rect { x: 0, y: 0, width, height });
        Self { shown: empty.clone(), next: empty, window: None, pointer: None }
    }

    /// Returns the cells that the terminal shows.
    pub fn shown(&self) -> &Buffer {
        &self.shown
    }

    /// Draws a frame, and returns the bytes that change the previous frame into it; none if nothing changed.
    pub fn draw(&mut self, glyphs: Glyphs, draw: impl FnOnce(&mut Canvas<'_>)) -> Vec<u8> {
        self.next.reset();
        let mut canvas = Canvas::new(&mut self.next, glyphs);
        draw(&mut canvas);
        let pointer = canvas.pointer();
        let window = canvas.window();
        let mut frame = AnsiFrame::default();
        if self.pointer.is_none() {
            frame.clear();
        }
        if let Some((line_move, moved)) = self.worth_moving(window.as_ref()) {
            frame.move_lines(&line_move.lines, line_move.by, line_move.is_up);
            self.shown = moved;
        }
        for (x, y, cell) in bridged(&self.shown, &self.next) {
            frame.put((x, y), cell);
        }
        if !frame.is_empty() || self.pointer != Some(pointer) {
            // The cursor is positioned after everything is drawn.
            frame.move_to(pointer.position.into());
            if pointer.is_visible != self.pointer.is_some_and(|before| before.is_visible) {
                frame.show_cursor(pointer.is_visible);
            }
        }
        self.window = window;
        self.pointer = Some(pointer);
        std::mem::swap(&mut self.shown, &mut self.next);
        frame.finish()
    }

    /// Forgets what the terminal shows, since its size or state may have changed. The next frame clears it and draws every
    /// cell.
    pub fn reset(&mut self, size: (u16, u16)) {
        *self = Self::new(size);
    }

    /// Returns how to move lines if the list scrolled, and the resulting cells, if that saves enough.
    fn worth_moving(&self, window: Option<&Window>) -> Option<(LineMove, Buffer)> {
        let line_move = LineMove::between(self.window.as_ref()?, window?)?;
        let mut moved = self.shown.clone();
        line_move.apply(&mut moved);
        let changed = |shown: &Buffer| shown.diff_iter(&self.next).count();
        (changed(&moved) + WORTH_MOVING <= changed(&self.shown)).then_some((line_move, moved))
    }
}

/// A range of lines that moves up or down within itself and leaves empty lines behind.
#[derive(Debug, Clone, PartialEq, Eq)]
struct LineMove {
    lines: Range<u16>,
    by: u16,
    is_up: bool,
}

impl LineMove {
    /// Returns how the lines moved between two frames, if some lines are in both.
    fn between(before: &Window, now: &Window) -> Option<Self> {
        let by = u16::try_from(before.from.abs_diff(now.from)).ok()?;
        let is_possible = before.lines() == now.lines() && (1..now.area.height).contains(&by);
        is_possible.then(|| Self { lines: now.lines(), by, is_up: now.from > before.from })
    }

    fn apply(&self, buffer: &mut Buffer) {
        let width = usize::from(buffer.area.width);
        let cells = usize::from(self.lines.start) * width..usize::from(self.lines.end) * width;
        let by = usize::from(self.by) * width;
        let Some(cells) = buffer.content.get_mut(cells) else { return };
        let blank = if self.is_up {
            cells.rotate_left(by);
            cells.len() - by..cells.len()
        } else {
            cells.rotate_right(by);
            0..by
        };
        if let Some(blank) = cells.get_mut(blank) {
            blank.fill(Cell::EMPTY);
        }
    }
}

/// The changed cells in reading order, and after those that a terminal may draw wider, the cells that they may cover.
fn changes<'a>(shown: &Buffer, next: &'a Buffer) -> Vec<(u16, u16, &'a Cell)> {
    let is_certain = |buffer: &Buffer, x, y| buffer.cell((x, y)).is_none_or(|cell| is_width_certain(cell.symbol()));
    let mut changes = Vec::new();
    let mut differences = shown.diff_iter(next).peekable();
    while let Some((mut x, y, mut cell)) = differences.next() {
        changes.push((x, y, cell));
        while !is_certain(shown, x, y) || !is_certain(next, x, y) {
            x = x.saturating_add(u16::try_from(cell.symbol().width()).unwrap_or(1).max(1));
            let is_next = differences.peek().is_some_and(|&(next_x, next_y, _)| next_y == y && next_x <= x);
            match next.cell((x, y)).filter(|covered| !is_next && **covered != Cell::EMPTY) {
                Some(covered) => cell = covered,
                None => break,
            }
            changes.push((x, y, cell));
        }
    }
    changes
}

/// The cells to draw, in reading order, including the few unchanged ones in between that are cheaper than a cursor movement.
fn bridged<'a>(shown: &Buffer, next: &'a Buffer) -> Vec<(u16, u16, &'a Cell)> {
    let mut updates: Vec<(u16, u16, &Cell)> = Vec::new();
    for (x, y, cell) in changes(shown, next) {
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

/// A cell that can be sent after another one without a change of style, and that is one column wide in every terminal.
fn plain_cell<'a>(buffer: &'a Buffer, x: u16, y: u16, like: &Cell) -> Option<&'a Cell> {
    let cell = buffer.cell((x, y))?;
    let same_style = (cell.fg, cell.bg, cell.modifier) == (like.fg, like.bg, like.modifier)
        || (*cell == Cell::EMPTY && is_blank_plain(like.bg, like.modifier));
    let narrow = |cell: &Cell| cell.symbol().width() == 1 && is_width_certain(cell.symbol());
    (same_style && narrow(like) && narrow(cell)).then_some(cell)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::style::{Modifier, Style};

    use super::*;
    use crate::base::text::clean;
    use crate::safe;

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

    /// The lines that a terminal shows after some frames.
    fn terminal(bytes: &[u8], (width, height): (u16, u16)) -> Vec<String> {
        let mut parser = vt100::Parser::new(height, width, 0);
        parser.process(bytes);
        parser.screen().rows(0, width).map(|row| row.trim_end().to_owned()).collect()
    }

    /// A different letter for each of 26 rows.
    fn letter(row: u64) -> char {
        char::from(b'a' + u8::try_from(row % 26).unwrap())
    }

    /// Scrolls a list beside other text to each of these rows, on a screen of 60 × 24. Returns the last frame, and all
    /// bytes.
    fn scrolled(offsets: &[u64]) -> (Vec<String>, Vec<u8>) {
        let mut screen = Screen::new((60, 24));
        let mut bytes = Vec::new();
        for &offset in offsets {
            bytes.extend(screen.draw(Glyphs::unicode(), |canvas| {
                canvas.text(Rect::new(0, 0, 60, 1), &"header".into(), Style::new());
                for y in 1..23_u16 {
                    let text = letter(offset + u64::from(y)).to_string().repeat(28);
                    canvas.text(Rect::new(1, y, 38, 1), &clean(&text), Style::new());
                    canvas.text(Rect::new(40, y, 20, 1), &safe!("detail {}", y), Style::new());
                }
                canvas.shows(Rect::new(0, 1, 40, 22), offset, offset + 6);
                canvas.text(Rect::new(0, 23, 60, 1), &"footer".into(), Style::new());
            }));
        }
        (terminal(&bytes, (60, 24)), bytes)
    }

    #[test]
    fn lines_that_moved_are_moved_by_the_terminal() {
        for (from, to, command) in [(0, 3, "\x1b[3M"), (9, 5, "\x1b[4L")] {
            let (shown, bytes) = scrolled(&[from, to]);
            assert_eq!(shown, scrolled(&[to]).0);
            let text = String::from_utf8(bytes).unwrap();
            assert!(text.contains(&format!("\x1b[2;23r\x1b[2H{command}\x1b[r")), "{text:?}");
        }
    }

    #[test]
    fn a_jump_to_other_rows_is_drawn() {
        let (shown, bytes) = scrolled(&[0, 500]);
        assert_eq!(shown, scrolled(&[500]).0);
        assert!(!bytes.ends_with(b"r") && !String::from_utf8(bytes).unwrap().contains("\x1b[r"));
    }

    #[test]
    fn an_unchanged_frame_takes_no_bytes() {
        let draw = |canvas: &mut Canvas<'_>| {
            canvas.text(Rect::new(0, 0, 9, 1), &"text".into(), Style::new());
        };
        let mut screen = Screen::new((9, 1));
        assert_eq!(terminal(&screen.draw(Glyphs::unicode(), draw), (9, 1)), ["text"]);
        assert_eq!(screen.draw(Glyphs::unicode(), draw), b"");
        screen.reset((9, 1));
        assert!(screen.draw(Glyphs::unicode(), draw).starts_with(b"\x1b[?25l\x1b[2J"), "another program may have drawn");
    }

    proptest! {
        #[test]
        fn however_it_scrolls_the_terminal_shows_the_last_frame(
            offsets in proptest::collection::vec(0_u64..30, 0..6),
            last in 0_u64..30,
        ) {
            let offsets: Vec<_> = offsets.into_iter().chain([last]).collect();
            prop_assert_eq!(scrolled(&offsets).0, scrolled(&[last]).0);
        }
    }

    #[test]
    fn wide_characters_are_never_bridged() {
        assert_eq!(text(&changed(&["a漢b"], &["x漢y"])), "xy");
    }
}
